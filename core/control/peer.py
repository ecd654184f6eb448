"""Who is at the other end of a control connection, by the word of the kernel."""

import hmac
import os
import socket
import struct
from dataclasses import dataclass

from core.delivery.file_place import PLATFORM
from core.domain.people import Requester
from core.errors import OperatorsOnly
from core.errors.setup import PeerRefused

_ROOT = 0
_CREDENTIALS = struct.Struct("3i")  # pid, uid, gid


@dataclass(frozen=True, slots=True)
class LocalOperator:
    """Somebody who may do anything here: the account of the service on this machine, or root.

    Made out of a connection by :func:`admit_peer`, or by :func:`this_process` for who opened the
    data directory itself; an architecture test knows who may call them.
    """

    uid: int

    @property
    def audited_as(self) -> Requester:
        """Return who they are in the audit log."""
        return Requester("local", str(self.uid))

    @property
    def requester(self) -> Requester:
        """Return who their own jobs belong to: as where the command line works by itself."""
        return Requester(PLATFORM, str(self.uid))


def admit_peer(connection: socket.socket, given: str, token: str) -> LocalOperator:
    """Say who is at the other end of ``connection``.

    Args:
        connection: accepted by the service.
        given: the secret that came with the request; empty without one.
        token: the secret of this start, where the connection itself says nothing; else empty.

    Raises:
        PeerRefused: another account of this machine.
        OperatorsOnly: the secret is not that of this start.
    """
    if connection.family == getattr(socket, "AF_UNIX", None):
        uid = peer_uid(connection)
        if uid not in {_ROOT, own_uid()}:
            raise PeerRefused(uid)
        return LocalOperator(uid)
    if not token or not hmac.compare_digest(given.encode(), token.encode()):
        raise OperatorsOnly
    return LocalOperator(own_uid())


def this_process() -> LocalOperator:
    """Return who runs this process: whoever can open the database may do anything with it."""
    return LocalOperator(own_uid())


def peer_uid(connection: socket.socket) -> int:
    """Return whose process is at the other end of a Unix domain socket.

    Where the system does not say, the rights of the folder do: only this account reaches it.
    """
    option = getattr(socket, "SO_PEERCRED", None)
    if option is None:
        return own_uid()
    raw = connection.getsockopt(socket.SOL_SOCKET, option, _CREDENTIALS.size)
    return int(_CREDENTIALS.unpack(raw)[1])


def own_uid() -> int:
    """Return the account of this process; 0 on systems without such numbers."""
    return os.getuid() if hasattr(os, "getuid") else 0
