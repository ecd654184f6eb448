"""``clapper comfy update --to REF``: try another ComfyUI beside the one in use, then switch."""

import json
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from core.cli.trial_tables import control_name
from core.comfy.install.candidate import add_packages, commit_of, folder_of, lay_out
from core.comfy.install.choice import ChosenCheckout, write_choice
from core.comfy.install.errors import (
    CandidateFailed,
    CheckoutDiskFull,
    PackagesDiskFull,
    TrialDiskFull,
)
from core.comfy.install.pins import Pin
from core.comfy.install.room import (
    TRIAL_BYTES,
    free_bytes,
    is_full,
    remove_tree,
    temporary_folder,
)
from core.comfy.paths import ComfyPaths, pinned_paths
from core.comfy.trial import ControlTrial
from core.domain.modes import Mode
from core.i18n.messages import name, say
from core.runtime.full_disk import NO_ROOM
from core.settings import PROJECT_ROOT, Settings

PROGRAM = ("-m", "core.cli.comfy_candidate")
_CHOICE_BYTES = 4096  # of the file that says which ComfyUI is used: a block of the disk
LIMIT_S = 7200.0  # of all trials; a processor takes about a minute a mode
Told = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class UpdateTrial:
    """What is to be tried."""

    pin: Pin  # of the repository
    ref: str
    modes: Sequence[Mode]  # whose controls are tried; all workflows are checked
    packages: bool = True


def try_and_switch(asked: UpdateTrial, settings: Settings, tell: Told) -> ChosenCheckout:
    """Try a ComfyUI beside the one in use, and use it from the next start on if all holds.

    Nothing is changed that the one in use needs: neither its folder nor the environment. Whoever is
    killed in here still has it.

    Args:
        asked: what to try.
        settings: where ComfyUI and adopted workflows lie.
        tell: gets a sentence at each step.

    Raises:
        CandidateFailed: something does not hold; says what.
        TrialDiskFull: there is no room for the trial.
        DownloadFailed: it could not be fetched.
    """
    _require_room(asked.ref)
    pinned = pinned_paths(settings)
    commit = commit_of(asked.pin, asked.ref)
    folder = folder_of(commit, pinned.checkout)
    is_new = not folder.exists()
    tell(say("comfy_trial_fetch", {"ref": asked.ref, "commit": commit[:10]}))
    with _gone_when_full(folder if is_new else None):
        chosen = _tried(asked, commit, pinned, tell)
        _choose(pinned.checkout, chosen)
    return chosen


@contextmanager
def _gone_when_full(folder: Path | None) -> Generator[None]:
    """Remove ``folder`` where the disk is full, which it would keep full.

    Raises:
        CheckoutDiskFull: on the way there.
        PackagesDiskFull: at its packages.
        TrialDiskFull: when it was tried.
    """
    try:
        yield
    except (CheckoutDiskFull, PackagesDiskFull, TrialDiskFull):
        if folder is not None:
            remove_tree(folder)
        raise


def _require_room(ref: str) -> None:
    """Refuse before anything is fetched what cannot be tried.

    Raises:
        TrialDiskFull: less is free than a trial takes.
    """
    temporary = Path(tempfile.gettempdir())
    if free_bytes(temporary) < TRIAL_BYTES:
        _refuse_full(ref, temporary, TRIAL_BYTES)


def _refuse_full(ref: str, place: Path, need_bytes: int) -> NoReturn:
    raise TrialDiskFull(ref, str(place), need_bytes, free_bytes(place)) from None


def _tried(asked: UpdateTrial, commit: str, pinned: ComfyPaths, tell: Told) -> ChosenCheckout:
    """Lay out and try a ComfyUI, and return it where all holds.

    Raises:
        CandidateFailed: something does not hold; says what.
        TrialDiskFull: there is no room for the trial.
        DownloadFailed: it could not be fetched.
    """
    folder = lay_out(asked.pin, commit, pinned.checkout)
    if asked.packages:
        added = add_packages(folder, pinned.checkout)
        if added:
            tell(say("comfy_trial_packages", {"what": ", ".join(added)}))
    version = ComfyPaths(folder, pinned.packs, pinned.base, pinned.models).version
    if version is None:
        words = say("comfy_trial_no_version", {"path": folder})
        raise CandidateFailed(asked.ref, str(folder), words)
    tell(say("comfy_trial_runs", {"version": version, "count": len(asked.modes)}))
    broken = [sentence for line in _run(asked, folder) for sentence in _failures(line, tell)]
    if broken:
        words = "\n".join(f"• {item}" for item in broken)
        raise CandidateFailed(asked.ref, str(folder), words)
    return ChosenCheckout(folder.name, asked.ref, commit, version)


def _choose(pinned: Path, chosen: ChosenCheckout) -> None:
    """Use ``chosen`` from the next start on.

    Raises:
        TrialDiskFull: not even a small file can be written.
        CandidateFailed: it cannot be written for another reason.
    """
    try:
        write_choice(pinned, chosen)
    except OSError as error:
        if error.errno in NO_ROOM:
            _refuse_full(chosen.ref, pinned.parent, _CHOICE_BYTES)
        words = error.strerror or ""
        raise CandidateFailed(chosen.ref, str(pinned.with_name(chosen.folder)), words) from None


def _run(asked: UpdateTrial, folder: Path) -> Iterator[dict[str, Any]]:
    """Try ``folder`` in a process of its own and yield what it prints, as soon as it does.

    Raises:
        CandidateFailed: it ended before it had tried everything; with its last words.
        TrialDiskFull: it ended for want of room.
    """
    modes = [part for mode in asked.modes for part in ("--mode", mode.value)]
    with (
        temporary_folder("clapper-try-") as work,  # ours: it goes also where the process is killed
        tempfile.TemporaryFile("w+") as complaints,
    ):
        child = subprocess.Popen(  # noqa: S603  # argument list, no shell; the program is ours
            [sys.executable, *PROGRAM, str(folder), str(work), *modes],
            cwd=PROJECT_ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=complaints,
            text=True,
        )
        too_slow = threading.Event()
        watch = threading.Timer(LIMIT_S, lambda: (too_slow.set(), child.kill()))
        watch.start()
        full = False
        try:
            with child:
                for line in child.stdout or ():
                    if line.startswith('{"'):
                        told = json.loads(line)
                        full = full or "full" in told
                        yield told
        finally:
            watch.cancel()
            child.kill()  # of one that somebody stopped; nothing where it has ended
        if too_slow.is_set():
            raise CandidateFailed(asked.ref, str(folder), say("comfy_trial_slow"))
        if child.returncode or full:
            complaints.seek(0)
            words = [line.rstrip() for line in complaints if line.strip()]
            if full or is_full("\n".join(words[-3:]), work):
                _refuse_full(asked.ref, work.parent, TRIAL_BYTES)
            raise CandidateFailed(asked.ref, str(folder), "\n".join(words[-3:]))


def _failures(line: dict[str, Any], tell: Told) -> Iterator[str]:
    """Yield what does not hold of one line of the trial, and tell what was tried."""
    for item in line.get("defects", ()):
        yield say("comfy_trial_defect", item)
    if "broken" in line and "full" not in line:
        yield say("comfy_trial_broken", line)
    if "rows" not in line:
        return
    rows = [ControlTrial(**row) for row in line["rows"]]
    idle = [control_name(row) for row in rows if not row.holds]
    facts = {"mode": line["mode"], "count": len(rows), "controls": ", ".join(idle)}
    tell(
        say(
            "comfy_trial_mode", {**facts, "verdict": name("trial_fails" if idle else "trial_holds")}
        )
    )
    if idle:
        yield say("comfy_trial_idle", facts)
