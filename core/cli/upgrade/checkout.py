"""A checkout of Clapper and the releases that its origin has: tags such as ``v0.3.0``."""

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from core.errors import InvalidInput
from core.errors.setup import SetupProblem
from core.runtime.git import run_git

_RELEASE = re.compile(r"v(\d+)\.(\d+)\.(\d+)")
_LIMIT_S = 300  # fetching, on a slow line


class CheckoutNeeded(InvalidInput):
    """This Clapper was installed from a wheel, so its installer updates it."""


class CheckoutEdited(InvalidInput):
    """Files of the program were changed here; going to another release would mix them."""

    files: str


class ReleaseUnknown(InvalidInput):
    """There is no such release."""

    release: str
    newest: str


class NoReleases(InvalidInput):
    """The repository that this checkout comes from has no release yet."""


class GitFailed(SetupProblem):
    """Git could not do a step of an update."""

    step: str
    detail: str


@dataclass(frozen=True, slots=True)
class ProgramCheckout:
    """The folder that holds this program as git gave it."""

    folder: Path

    def commit(self) -> str:
        """Return the commit that lies there: 40 hex digits."""
        return self._git("rev-parse", "HEAD")

    def require_untouched(self) -> None:
        """Do nothing where every file is as git gave it.

        Raises:
            CheckoutEdited: some are not.
        """
        edited = self._git(
            "--no-optional-locks", "status", "--porcelain", "--untracked-files=no"
        ).splitlines()
        if edited:
            raise CheckoutEdited(files=", ".join(line[2:].strip() for line in edited[:5]))

    def fetch(self) -> None:
        """Learn which releases there are."""
        self._git("fetch", "--quiet", "--tags", "origin")

    def release(self, asked: str | None) -> str:
        """Return the release ``asked`` for, or the newest.

        Raises:
            ReleaseUnknown: there is none of that name.
            NoReleases: there is none at all.
        """
        found = [tag for tag in self._git("tag", "--list", "v*").split() if _RELEASE.fullmatch(tag)]
        if not found:
            raise NoReleases
        newest = max(found, key=_version)
        if asked is None:
            return newest
        if _tag(asked) not in found:
            raise ReleaseUnknown(release=asked, newest=newest)
        return _tag(asked)

    def commit_of(self, release: str) -> str:
        """Return the commit of a release."""
        return self._git("rev-list", "-n", "1", release)

    def go_to(self, commit: str) -> None:
        """Lay out another commit."""
        self._git("checkout", "--quiet", "--detach", commit)

    def _git(self, *arguments: str) -> str:
        try:
            done = run_git(self.folder, arguments, _LIMIT_S)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise GitFailed(step=arguments[0], detail=str(error)) from None
        if done.returncode:
            raise GitFailed(step=arguments[0], detail=done.stderr.strip() or str(done.returncode))
        return done.stdout.strip()


def checkout_of(folder: Path) -> ProgramCheckout:
    """Return the checkout at ``folder``.

    Raises:
        CheckoutNeeded: git did not lay it out.
    """
    if not (folder / ".git").exists():
        raise CheckoutNeeded
    return ProgramCheckout(folder)


def _tag(asked: str) -> str:
    return asked if asked.startswith("v") else f"v{asked}"


def _version(tag: str) -> tuple[int, ...]:
    return tuple(int(number) for number in tag[1:].split("."))
