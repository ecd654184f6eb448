"""ComfyUI's own scratch folders: nobody reads what lies there once its run is over.

Nodes of a pack or an adopted workflow may save previews, pictures and prompts there, under names of
their own, so nobody can tell whose a file is: when somebody is forgotten, all of it goes.
"""

import time
from contextlib import suppress
from pathlib import Path

FOLDERS = ("output", "temp")
STILL_S = 60.0  # a file that was written to more lately may be one of a run under way


class Scratch:
    """The scratch folders below one base folder; they need not exist."""

    def __init__(self, base: Path) -> None:
        self._folders = [base / name for name in FOLDERS]
        self._left = False

    def clear(self) -> None:
        """Remove every file in them; one that may be in use goes with :meth:`clear_left`."""
        self._left = True
        self.clear_left()

    def clear_left(self) -> None:
        """Remove what :meth:`clear` had to leave."""
        if not self._left:
            return
        self._left = False
        for folder in self._folders:
            if folder.is_symlink() or not folder.is_dir():
                continue
            for path in sorted(folder.rglob("*"), reverse=True):
                self._remove(path)

    def _remove(self, path: Path) -> None:
        if path.is_dir() and not path.is_symlink():
            _remove_if_empty(path)
            return
        with suppress(FileNotFoundError):  # somebody else was faster
            if path.lstat().st_mtime > time.time() - STILL_S:
                self._left = True
            else:
                path.unlink()


def _remove_if_empty(folder: Path) -> None:
    try:
        folder.rmdir()
    except OSError:
        return
