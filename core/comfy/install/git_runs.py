"""Run git for a checkout, and say what it complains about in our own words."""

import errno
import os
import shutil
import signal
import subprocess
from pathlib import Path
from typing import NoReturn

from core.comfy.install.errors import (
    CheckoutBroken,
    CheckoutDiskFull,
    CheckoutUnwritable,
    CommitUnknown,
    GitMissing,
    RepositoryOffline,
    RepositoryRefused,
)
from core.comfy.install.pins import Pin
from core.comfy.install.room import CHECKOUT_BYTES, free_bytes
from core.runtime.git import run_git

_LIMIT_S = 1800.0
_SPARE_BYTES = 64 * 1024**2  # where less is free, a failed write means a full disk: git may not say
# A line that stalls is given up long before the limit; hooks of the user's other work stay away.
_OPTIONS = ("http.lowSpeedLimit=1000", "http.lowSpeedTime=60", f"core.hooksPath={os.devnull}",
            "core.autocrlf=false")  # fmt: skip


def git(pin: Pin, folder: Path, *arguments: str) -> str:
    """Run git for ``pin`` on the repository of ``folder`` and return what it prints.

    Raises:
        GitMissing: there is none.
        RepositoryOffline: nobody answers in time.
        DownloadFailed: what else git complains about.
    """
    try:
        done = run(folder, *arguments)
    except FileNotFoundError:
        raise GitMissing(pin.name) from None
    except subprocess.TimeoutExpired:
        raise RepositoryOffline(pin.name, detail="timeout", source=pin.repository) from None
    if done.returncode == -signal.SIGXFSZ:  # it has no words for a limit of the files' size
        refuse_full(pin, folder, os.strerror(errno.EFBIG))
    if done.returncode:
        _refuse(pin, folder, done.stderr)
    return done.stdout


def run(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run git on the repository of ``folder``, whatever comes of it."""
    return run_git(folder, arguments, _LIMIT_S, _OPTIONS)


def refuse_full(pin: Pin, folder: Path, detail: str, need_bytes: int = CHECKOUT_BYTES) -> NoReturn:
    """Say that ``pin`` does not fit into ``folder``.

    Raises:
        CheckoutDiskFull: always.
    """
    free = free_bytes(folder)
    raise CheckoutDiskFull(
        pin.name, detail=detail, path=str(folder), need_bytes=need_bytes, free_bytes=free
    ) from None


def _refuse(pin: Pin, folder: Path, complaint: str) -> NoReturn:
    """Classify git's complaint by its words; its exit status says nothing.

    Raises:
        CheckoutDiskFull: there was no room.
        CheckoutUnwritable: git may not write there.
        CommitUnknown: the repository has no such commit.
        RepositoryRefused: it is gone, private, or wants a password.
        RepositoryOffline: it does not answer.
        CheckoutBroken: anything else.
    """
    text, detail = complaint.lower(), _first_complaint(complaint)

    def among(*words: str) -> bool:
        return any(word in text for word in words)

    if among("no space left", "out of diskspace", "file too large", "quota exceeded", "signal 25"):
        refuse_full(pin, folder, detail)
    if among("permission denied", "read-only file system"):
        raise CheckoutUnwritable(pin.name, detail=detail, path=str(folder))
    if among("not our ref", "remote ref", "unadvertised object"):
        raise CommitUnknown(pin.name, source=pin.repository, commit=pin.commit)
    if among("could not read username", "could not read password", "authentication failed",
             "repository not found", "/' not found", "error: 401", "error: 403",
             "error: 404"):  # fmt: skip
        raise RepositoryRefused(pin.name, detail=detail, source=pin.repository)
    if among("resolve host", "unable to access", "could not read from remote", "connection",
             "does not appear to be a git", "does not exist", "timed out", "early eof",
             "hung up", "rpc failed", "unexpected disconnect"):  # fmt: skip
        raise RepositoryOffline(pin.name, detail=detail, source=pin.repository)
    if shutil.disk_usage(folder).free < _SPARE_BYTES:
        refuse_full(pin, folder, detail)
    raise CheckoutBroken(pin.name, detail=detail, path=str(folder))


def _first_complaint(text: str) -> str:
    """Find the line that says what went wrong; git often ends with advice."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    told = [line for line in lines if line.startswith(("fatal:", "error:"))]
    first = (told or lines or [""])[0]
    return first.removeprefix("fatal:").removeprefix("error:").strip()[:300]
