"""Run the user's own git in one repository, whatever surrounds it."""

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

# Set where git runs us, as from a hook: they would point it at another repository.
_MISLEADING = {"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY",
               "GIT_COMMON_DIR", "GIT_NAMESPACE"}  # fmt: skip


def run_git(
    folder: Path, arguments: Sequence[str], limit_s: float, options: Sequence[str] = ()
) -> "subprocess.CompletedProcess[str]":
    """Run git on the repository of ``folder``; it asks nobody anything, and speaks English.

    Args:
        folder: that holds ``.git``.
        arguments: the command and what follows it.
        limit_s: seconds.
        options: settings for this run, ``name=value`` each.

    Raises:
        FileNotFoundError: git is not installed.
        TimeoutExpired: it took longer than ``limit_s``.
    """
    settings = [part for option in options for part in ("-c", option)]
    # both named: git otherwise searches the folders above, and may find another repository
    place = ["--git-dir", str(folder / ".git"), "--work-tree", str(folder)]
    kept = {name: value for name, value in os.environ.items() if name not in _MISLEADING}  # noqa: TID251  # handed on to git
    return subprocess.run(  # noqa: S603  # argument list, no shell
        ["git", *settings, *place, *arguments],  # noqa: S607  # the user's own git
        env={**kept, "LC_ALL": "C", "LANGUAGE": "C", "GIT_TERMINAL_PROMPT": "0"},
        capture_output=True,
        encoding="utf-8",
        errors="surrogateescape",
        check=False,
        timeout=limit_s,
        stdin=subprocess.DEVNULL,
    )
