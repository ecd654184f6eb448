"""Where the service listens for commands: a socket beside the data, and a note that names it.

A socket's path may have about 104 bytes, so where the data directory lies deeper the socket is in
a folder of its own among the temporary files. Systems without such sockets get a port of loopback
and a secret.
"""

import json
import os
import socket
import stat
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import mkdtemp

from core.errors.setup import DataDirectoryLink
from core.runtime.atomic_files import write_atomically
from core.runtime.paths import readable
from core.runtime.permissions import PRIVATE_FILE, PRIVATE_FOLDER

FOLDER, NOTE, SOCKET = "control", "address.json", "socket"
_LONGEST = 100  # bytes of a socket's path; BSDs take 103, Linux 107
_PORTS = 2**16
_SHORT_TEMPORARY = "/tmp"  # noqa: S108  # mkdtemp makes a private folder there
HAS_UNIX = hasattr(socket, "AF_UNIX")


@dataclass(frozen=True, slots=True)
class ControlAddress:
    """Where to connect: ``path`` of a socket, or ``port`` of loopback with a secret."""

    path: str = ""
    port: int = 0
    token: str = ""


def control_folder(data_dir: Path) -> Path:
    """Return the folder of the note, and of the socket where its path is short enough."""
    return data_dir / FOLDER


def make_control_folder(data_dir: Path) -> Path:
    """Make that folder for this account alone, and return it.

    Raises:
        DataDirectoryLink: it is a link to somewhere else.
    """
    folder = control_folder(data_dir)
    if folder.is_symlink():
        raise DataDirectoryLink(readable(folder))
    folder.mkdir(mode=PRIVATE_FOLDER, exist_ok=True)
    folder.chmod(PRIVATE_FOLDER)
    return folder


def place_socket(folder: Path) -> Path:
    """Choose where the socket goes: into ``folder``, or where its path is short enough."""
    path = folder / SOCKET
    return path if len(os.fsencode(path)) <= _LONGEST else place_elsewhere()


def place_elsewhere() -> Path:
    """Make a private folder among the temporary files, and return a path for a socket in it."""
    elsewhere = Path(mkdtemp(prefix="clapper-")) / SOCKET
    if len(os.fsencode(elsewhere)) > _LONGEST:
        elsewhere.parent.rmdir()
        elsewhere = Path(mkdtemp(prefix="clapper-", dir=_SHORT_TEMPORARY)) / SOCKET
    return elsewhere


def remove_socket(folder: Path, path: str) -> None:
    """Remove a socket of ours, and the folder that was made for it elsewhere."""
    found = Path(path)
    if not path or found.name != SOCKET or not _is_socket(found):
        return
    found.unlink(missing_ok=True)
    if found.parent != folder and found.parent.name.startswith("clapper-"):
        with suppress(OSError):  # somebody put something there
            found.parent.rmdir()


def write_note(folder: Path, address: ControlAddress) -> None:
    """Write down where the service listens."""
    write_atomically(folder / NOTE, json.dumps(asdict(address)), PRIVATE_FILE)


def read_note(folder: Path) -> ControlAddress | None:
    """Read where the service listens, or listened before it ended; None where it never did."""
    try:
        data = json.loads((folder / NOTE).read_text("utf-8"))
        found = ControlAddress(str(data["path"]), int(data["port"]), str(data["token"]))
    except (OSError, ValueError, KeyError, TypeError, OverflowError, RecursionError):
        return None
    possible = bool(found.path) or 0 < found.port < _PORTS
    return found if possible and "\0" not in found.path else None


def remove_note(folder: Path) -> None:
    """Forget where the service listened."""
    (folder / NOTE).unlink(missing_ok=True)


def _is_socket(path: Path) -> bool:
    try:
        return stat.S_ISSOCK(path.lstat().st_mode)
    except OSError:
        return False
