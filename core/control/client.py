"""Ask the service that runs on this data directory, if one does."""

import asyncio
import socket
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from core.control import wire
from core.control.address import HAS_UNIX, ControlAddress, control_folder, read_note
from core.control.commands import VERBS, Command, verb_of
from core.control.peer import own_uid, peer_uid
from core.errors.setup import ControlSilent, PeerRefused, ServiceGone
from core.runtime.tasks import outcome_of

ANSWER_S = 60.0  # until the first line of an answer; an executor that starts holds everything up
_ROOT = 0


class ControlClient:
    """A connection to the running service, for one command after another."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, token: str
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._token = token

    async def ask(self, command: Command, answer_s: float | None = ANSWER_S) -> AsyncIterator[Any]:
        """Send ``command`` and yield the records of its answer.

        Args:
            command: one of :data:`core.control.commands.VERBS`.
            answer_s: seconds until there has to be a line; None waits as long as it takes.

        Raises:
            ClapperError: as the service says it.
            ControlSilent: there is no line in time.
            ServiceGone: the connection ended first.
        """
        await self._write(wire.request_line(command, self._token))
        async for item in self.rest(command, answer_s):
            yield item

    async def rest(self, command: Command, answer_s: float | None) -> AsyncIterator[Any]:
        """Yield what is still to come of the answer to ``command``; raises as :meth:`ask`.

        Raises:
            ClapperError: as the service says it.
            ControlSilent: there is no line in time.
            ServiceGone: the connection ended first.
        """
        verb = VERBS[verb_of(command)]
        while True:
            read = await outcome_of(wire.read_line(self._reader), answer_s)
            if read.timed_out:
                raise ControlSilent(answer_s or 0.0)
            if isinstance(read.error, OSError) or (read.ok and read.value is None):
                raise ServiceGone
            if read.error is not None:
                raise read.error
            item = wire.parse_item(verb, read.value or {})
            if item is None:
                return
            yield item

    async def stop(self) -> None:
        """End the command that lasts; its answer goes on until its end."""
        await self._write(wire.stop_line())

    async def _write(self, line: bytes) -> None:
        self._writer.write(line)
        try:
            await self._writer.drain()
        except OSError:
            raise ServiceGone from None


@asynccontextmanager
async def running_service(data_dir: Path) -> AsyncGenerator[ControlClient | None]:
    """Connect to the service that uses ``data_dir``; None where none listens.

    Raises:
        PeerRefused: what listens there is neither ours nor of who owns the data.
    """
    address = await asyncio.to_thread(read_note, control_folder(data_dir))
    opened = None if address is None else await _connect(address)
    if opened is None or address is None:
        yield None
        return
    reader, writer = opened
    try:
        if address.path:
            _require_ours(writer.get_extra_info("socket"), data_dir)
        yield ControlClient(reader, writer, address.token)
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()


async def _connect(
    address: ControlAddress,
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter] | None:
    try:
        if address.path:
            if not HAS_UNIX:
                return None
            return await asyncio.open_unix_connection(address.path, limit=wire.MOST_BYTES)
        return await asyncio.open_connection("127.0.0.1", address.port, limit=wire.MOST_BYTES)
    except OSError:
        return None


def _require_ours(connection: socket.socket, data_dir: Path) -> None:
    """Do nothing where the listener may know what we send: paths and prompts.

    Raises:
        PeerRefused: another account took the place of a socket that was left behind.
    """
    uid = peer_uid(connection)
    if uid not in {_ROOT, own_uid(), control_folder(data_dir).stat().st_uid}:
        raise PeerRefused(uid)
