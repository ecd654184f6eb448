"""On whose disk a file of the command line lies: paths mean something on one machine only."""

import socket
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from core.domain.jobs import ReplyTo
from core.domain.time_units import DAY_MS
from core.media.output.destinations import identity
from core.runtime.atomic_files import only_writer_of, replace_whole

PLATFORM = "cli"
PLACE_AWAY_MS = 7 * DAY_MS  # a machine whose files are owed for so long is not waited for
PLACE_NAME = ".place"  # in the data directory: its name among those at the same rows
_LONGEST = 40  # characters of a machine's name


@dataclass(frozen=True, slots=True)
class FilePlace:
    """Where the files of one service lie, which no other one may write.

    Attributes:
        mark: of its data directory; empty where one process is alone at its rows.
    """

    mark: str = ""

    @property
    def platform(self) -> str:
        """Return the platform of reply addresses there: it is owed by who has the disk."""
        return f"{PLATFORM}:{self.mark}" if self.mark else PLATFORM

    def reply_to(self, out: Path, inputs: Iterable[Path] = (), *, force: bool = False) -> ReplyTo:
        """Return the address of a clip that becomes the file ``out``, its poster beside it.

        Args:
            out: where the clip goes.
            inputs: files that it may never be written over.
            force: replace what else lies there.
        """
        address = {"out": str(out.resolve()), "inputs": " ".join(map(identity, inputs))}
        return ReplyTo(self.platform, {**address, "force": "yes"} if force else address)


def marked_place(data_dir: Path, *, alone: bool) -> FilePlace:
    """Return the place of ``data_dir``, which is marked the first time.

    The mark moves along with the folder. Where machines share one, each has its own place in it.

    Args:
        data_dir: of this service; it has to exist.
        alone: no other process uses it.

    Raises:
        OSError: it cannot be marked.
    """
    path = data_dir / PLACE_NAME
    with only_writer_of(path):
        mark = path.read_text("utf-8").strip() if path.is_file() else ""
        if not mark:
            mark = f"{_machine()}-{uuid4().hex[:8]}"
            replace_whole(path, mark)
    return FilePlace(mark if alone else f"{_machine()}-{mark.rpartition('-')[2]}")


def _machine() -> str:
    return socket.gethostname()[:_LONGEST]
