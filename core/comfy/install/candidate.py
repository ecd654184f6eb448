"""Lay out another ComfyUI beside the one in use, with what it needs beyond that one's packages."""

import re
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from core.comfy.install.checkout import check_out, read_remote
from core.comfy.install.errors import CommitUnknown, ReferenceUnknown
from core.comfy.install.installer import install_packages
from core.comfy.install.pins import Pin
from core.comfy.install.room import remove_tree

OWN_PACKAGES = ".clapper-packages"  # in a checkout: what it needs that the environment has not
_COMMIT = re.compile(r"[0-9a-f]{40}")
_NAME = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._-]*")
# nothing here serves the first three; torch is chosen by the device, and stays
_LEFT_OUT = ("comfyui-frontend", "comfyui-workflow", "comfyui-embedded", "torch")


def commit_of(pin: Pin, ref: str) -> str:
    """Return the commit that ``ref`` names in the repository of ``pin``: 40 hex digits.

    Args:
        pin: of the repository.
        ref: a tag, a branch, or a whole commit, which is taken as it is.

    Raises:
        ReferenceUnknown: the repository has no such tag or branch.
        DownloadFailed: it does not answer.
    """
    if _COMMIT.fullmatch(ref):
        return ref
    names = (f"refs/tags/{ref}^{{}}", f"refs/tags/{ref}", f"refs/heads/{ref}")
    found = read_remote(pin)
    commit = next((found[name] for name in names if name in found), None)
    if commit is None:
        raise ReferenceUnknown(pin.name, source=pin.repository, ref=ref)
    return commit


def folder_of(commit: str, pinned: Path) -> Path:
    """Return the folder of ``commit``, beside ``pinned``."""
    return pinned.with_name(f"{pinned.name}-{commit[:10]}")


def lay_out(pin: Pin, commit: str, pinned: Path) -> Path:
    """Check out ``commit`` into a folder of its own beside ``pinned``, and return that folder.

    May be repeated and killed; nothing but that folder is written.

    Raises:
        ReferenceUnknown: the repository has no such commit.
        DownloadFailed: the commit could not be fetched, or not be laid out.
    """
    folder = folder_of(commit, pinned)
    try:
        check_out(replace(pin, commit=commit, tree="", archive=""), folder)
    except CommitUnknown:  # not that of our pins, so nothing is to be corrected there
        raise ReferenceUnknown(pin.name, source=pin.repository, ref=commit) from None
    return folder


def add_packages(folder: Path, in_use: Path) -> list[str]:
    """Install into ``folder`` what it asks for and ``in_use`` does not; return those requirements.

    The environment is not changed: the ComfyUI in use keeps what it has.

    Raises:
        DownloadFailed: the package installer failed.
    """
    before = {_plain(line) for line in _requirements(in_use)}
    new = [line for line in _requirements(folder) if _plain(line) not in before]
    wanted = [line for line in new if not line.lower().startswith(_LEFT_OUT)]
    if wanted:
        _install_beside(folder / OWN_PACKAGES, wanted)
    return wanted


def _install_beside(place: Path, wanted: list[str]) -> None:
    """Install into a new folder, which takes the place of an older one once it is whole."""
    fresh, old = (place.with_name(f"{place.name}-{name}") for name in ("new", "old"))
    if old.exists() and not place.exists():  # killed between the two renames
        old.rename(place)
    remove_tree(fresh)
    remove_tree(old)
    try:
        install_packages("packages", wanted, fresh)
        if place.exists():
            place.rename(old)  # it may be in use: whoever has it open keeps it
        fresh.rename(place)
    finally:
        remove_tree(fresh)
    remove_tree(old)


def _requirements(folder: Path) -> Iterable[str]:
    try:
        lines = (folder / "requirements.txt").read_text("utf-8").splitlines()
    except OSError:
        return ()
    plain = (line.partition("#")[0].strip() for line in lines)
    return [line for line in plain if _NAME.match(line)]  # options of pip and addresses are not


def _plain(line: str) -> str:
    return "".join(line.lower().split())
