"""Fetch a release, install what it needs, migrate, look at everything; say how to go back."""

import asyncio
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from core import __version__
from core.app.backup import NothingToBackUp, RowsOnServer, make_backup
from core.cli.exit_codes import out
from core.cli.upgrade.checkout import ProgramCheckout, checkout_of
from core.control.client import running_service
from core.errors.setup import SetupProblem
from core.i18n.messages import explain, say
from core.runtime.extras import extras_here
from core.runtime.paths import readable
from core.runtime.program_files import PROJECT_ROOT
from core.settings import Settings, load_settings

APP = typer.Typer()
_LOCK = "requirements.lock"  # no release before 0.2 has it


class ServiceStillRuns(SetupProblem):
    """The program cannot be changed below a service that runs it."""

    path: str


class UpdateFailed(SetupProblem):
    """A step failed; the program is what it was."""

    step: str
    release: str


@APP.command("update", help=say("help_update"))
def update(
    *,
    to: Annotated[str | None, typer.Option("--to", metavar="RELEASE", help=say("help_to"))] = None,
    look: Annotated[bool, typer.Option("--check", help=say("help_update_check"))] = False,
) -> None:
    """Bring the program to the newest release, or to another one.

    Raises:
        ClapperError: it cannot be done; the program and its data are what they were.
    """
    settings, checkout = load_settings(), checkout_of(PROJECT_ROOT)
    checkout.fetch()
    release = checkout.release(to)
    if checkout.commit_of(release) == checkout.commit():
        _print(say("update_current", {"release": release}))
        return
    _print(say("update_found", {"release": release, "version": __version__}))
    if look:
        return
    checkout.require_untouched()
    asyncio.run(_require_stopped(settings))
    before = install_commands(checkout.folder)
    _Update(checkout, settings, release, checkout.commit(), before).run()


async def _require_stopped(settings: Settings) -> None:
    async with running_service(settings.data_dir) as client:
        if client is not None:
            raise ServiceStillRuns(readable(settings.data_dir))


@dataclass(frozen=True, slots=True)
class _Update:
    """The way from one commit to a release."""

    checkout: ProgramCheckout
    settings: Settings
    release: str
    before: str  # commit
    of_before: list[list[str]]  # what installs it

    def run(self) -> None:
        """Go there, or stay here, also where somebody presses Ctrl-C.

        Raises:
            UpdateFailed: a step failed, and this is what it was.
        """
        kept = self._back_up()
        self.checkout.go_to(self.release)
        for step, commands in (
            ("install", install_commands(self.checkout.folder)),
            ("migrate", [_clapper("db", "migrate")]),
        ):
            stays = False
            try:
                stays = self._done(*commands)
            finally:
                if not stays:
                    self._go_back(kept if step == "migrate" else None)
            if not stays:
                raise UpdateFailed(step=step, release=self.release)
        self._done(_clapper("doctor"))  # what it finds is for people to read
        _print(say("update_done", {"release": self.release}))
        self._say_way_back(kept)

    def _go_back(self, kept: Path | None) -> None:
        """Lay out the program of before, and the data where some migrations went through."""
        self.checkout.go_to(self.before)
        self._done(*install_commands(self.checkout.folder))
        if kept is not None:
            self._done(_restore(kept))

    def _back_up(self) -> Path | None:
        """Copy the data beside it, where there are any yet; rows on a server stay there."""
        data = self.settings.data_dir
        kept = data.with_name(f"{data.name}-before-{self.release}")
        try:
            make_backup(self.settings, kept)
        except NothingToBackUp:
            return None
        except RowsOnServer as error:  # migrations only add: the program of before goes on there
            _print(explain(error))
            return None
        return kept

    def _done(self, *commands: list[str]) -> bool:
        """Run a step with the program as it lies there now; what it says is for the terminal."""
        folder = self.checkout.folder
        return all(
            subprocess.run(command, cwd=folder, check=False).returncode == 0  # noqa: S603  # argument list, no shell
            for command in commands
        )

    def _say_way_back(self, kept: Path | None) -> None:
        steps = [f"git checkout {self.before}", *map(shlex.join, self.of_before)]
        if kept is not None:
            steps.append(shlex.join(_restore(kept)))
        _print(say("update_back", {"steps": "\n".join(f"  {step}" for step in steps)}))


def install_commands(folder: Path) -> list[list[str]]:
    """Return what installs the program of ``folder``, with the extras that are here already.

    Files whose hashes are known first; then the program itself, which has none.
    """
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
    locked = ["--require-hashes", "--no-deps", "--requirement", str(folder / _LOCK)]
    extras = ",".join(extras_here())
    what = f"{folder}[{extras}]" if extras else str(folder)
    own = ["--constraint", str(folder / "constraints.txt"), "--editable", what]
    return [*([[*pip, *locked]] if (folder / _LOCK).is_file() else []), [*pip, *own]]


def _restore(kept: Path) -> list[str]:
    return _clapper("restore", "--force", str(kept))


def _clapper(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "clapper", *arguments]


def _print(sentence: str) -> None:
    out().print(sentence, soft_wrap=True, markup=False)
