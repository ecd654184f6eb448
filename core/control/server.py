"""Listen for commands beside the running service.

A socket that was left by a process which ended is replaced; one that answers never is. The folder
is for this account alone, and the kernel says whose process connects.
"""

import asyncio
import secrets
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import structlog

from core.control import wire
from core.control.address import (
    HAS_UNIX,
    SOCKET,
    ControlAddress,
    make_control_folder,
    place_elsewhere,
    place_socket,
    read_note,
    remove_note,
    remove_socket,
    write_note,
)
from core.control.commands import STOP, Command, Verb
from core.control.handlers import CommandHandlers
from core.control.peer import LocalOperator, admit_peer
from core.control.reports import Report
from core.control.service import SteeredService
from core.errors import ClapperError, InternalError
from core.errors.setup import ControlBroken, ControlBusy, DataDirectoryBusy
from core.runtime.permissions import PRIVATE_FILE
from core.runtime.tasks import outcome_of

log = structlog.get_logger(__name__)

AT_ONCE = 32  # connections
ASK_S = 30.0  # until a request has to be there
WRITE_S = 30.0  # until who asked has to have read a line


@asynccontextmanager
async def control_server(
    service: SteeredService, *, unix: bool = HAS_UNIX
) -> AsyncGenerator[ControlAddress]:
    """Listen inside the block; the caller holds the lock of the data directory.

    Args:
        service: what commands reach.
        unix: by a Unix domain socket, else by loopback and a secret.

    Raises:
        DataDirectoryBusy: another process answers there.
        DataDirectoryLink: the folder for the socket leads elsewhere.
    """
    folder = make_control_folder(service.data_dir)
    await _clear(folder, service.data_dir)
    token = "" if unix else secrets.token_urlsafe(32)
    connections = _Connections(service, token)
    async with AsyncExitStack() as stack:
        if unix:
            server, path = await _listen(connections, folder)
            stack.callback(remove_socket, folder, str(path))
            address = ControlAddress(path=str(path))
        else:
            server = await asyncio.start_server(
                connections.serve, "127.0.0.1", 0, limit=wire.MOST_BYTES
            )
            address = ControlAddress(port=server.sockets[0].getsockname()[1], token=token)
        stack.push_async_callback(connections.close, server)
        write_note(folder, address)
        stack.callback(remove_note, folder)
        yield address


async def _listen(connections: "_Connections", folder: Path) -> tuple[asyncio.Server, Path]:
    """Open a socket in ``folder``, or elsewhere where it can hold none."""
    path = place_socket(folder)
    try:
        server = await asyncio.start_unix_server(connections.serve, path, limit=wire.MOST_BYTES)
    except OSError as error:  # a file of that name, or a file system without sockets
        log.info("control_socket_elsewhere", reason=error.strerror)
        path = place_elsewhere()
        server = await asyncio.start_unix_server(connections.serve, path, limit=wire.MOST_BYTES)
    path.chmod(PRIVATE_FILE)
    return server, path


async def _clear(folder: Path, data_dir: Path) -> None:
    """Remove the socket of a process that ended.

    Raises:
        DataDirectoryBusy: it did not.
    """
    left = read_note(folder)
    paths = {str(folder / SOCKET)}
    if left is not None and left.path:
        paths.add(left.path)
    for path in paths:
        if await _answers(path):
            raise DataDirectoryBusy(str(data_dir))
        remove_socket(folder, path)
    remove_note(folder)


async def _answers(path: str) -> bool:
    if not HAS_UNIX:
        return False
    try:
        _, writer = await asyncio.open_unix_connection(path)
    except OSError:
        return False
    writer.close()
    return True


class _Connections:
    """Everybody who is connected."""

    def __init__(self, service: SteeredService, token: str) -> None:
        self._service = service
        self._token = token
        self._open: set[asyncio.Task[None]] = set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one connection until it ends."""
        task = asyncio.create_task(self._serve(reader, writer))
        self._open.add(task)
        try:
            await asyncio.wait({task})
        finally:
            task.cancel()
            self._open.discard(task)
            writer.close()
        error = None if task.cancelled() or not task.done() else task.exception()
        if error is not None and not isinstance(error, OSError):
            log.error("control_broke", exc_info=error)

    async def close(self, server: asyncio.Server) -> None:
        """Take no more connections, and end those that are there."""
        server.close()
        for task in self._open:
            task.cancel()
        if self._open:
            await asyncio.wait(self._open, timeout=5)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        conversation = _Conversation(self._service, reader, writer, self._token)
        if len(self._open) > AT_ONCE:
            await conversation.refuse(ControlBusy(AT_ONCE))
            return
        while await conversation.next():
            pass


class _Conversation:
    """One connection: a request, its answer, the next request."""

    def __init__(
        self,
        service: SteeredService,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        token: str,
    ) -> None:
        self._service = service
        self._reader = reader
        self._writer = writer
        self._token = token

    async def refuse(self, error: ClapperError) -> None:
        """Say why there is no answer."""
        await self._write(wire.error_line(error))

    async def next(self) -> bool:
        """Answer the next request; return whether there may be another one."""
        read = await outcome_of(wire.read_line(self._reader), ASK_S)
        if isinstance(read.error, ClapperError):
            await self.refuse(read.error)
        if not read.ok or read.value is None:
            return False
        try:
            operator = self._operator(str(read.value.get("token", "")))
            verb, command = wire.parse_request(read.value)
        except ClapperError as error:
            await self.refuse(error)
            return False
        return await self._do(verb, command, operator)

    def _operator(self, given: str) -> LocalOperator:
        """Say who is connected.

        Raises:
            PeerRefused: another account.
            OperatorsOnly: without the secret.
        """
        return admit_peer(self._writer.get_extra_info("socket"), given, self._token)

    async def _do(self, verb: Verb, command: Command, operator: LocalOperator) -> bool:
        """Answer ``command``; return whether the connection goes on."""
        stop = asyncio.Event()
        items = CommandHandlers(self._service, operator).answer(command, stop)
        sending = asyncio.create_task(outcome_of(self._send(verb, items)))
        try:
            if verb.lasting and not await self._asked_to_stop(sending, stop):
                return False
            done = await sending
        finally:
            sending.cancel()
            await asyncio.wait({sending})
        if done.error is not None:
            await self._failed(done.error)
        return done.ok and not verb.lasting

    async def _asked_to_stop(self, sending: "asyncio.Task[Any]", stop: asyncio.Event) -> bool:
        """Pass on that who asked wants an end; return False where they went away instead."""
        heard = asyncio.create_task(outcome_of(wire.read_line(self._reader)))
        try:
            await asyncio.wait({sending, heard}, return_when=asyncio.FIRST_COMPLETED)
            if heard.done():
                said = heard.result().value
                if said is None or said.get("verb") != STOP:
                    return False
                stop.set()
        finally:
            heard.cancel()
            await asyncio.wait({heard})
        return True

    async def _failed(self, error: BaseException) -> None:
        if isinstance(error, ClapperError):
            await self.refuse(error)
        elif not isinstance(error, OSError | asyncio.CancelledError):
            log.error("command_broke", exc_info=error)
            await self.refuse(InternalError())

    async def _send(self, verb: Verb, items: AsyncIterator[Report]) -> None:
        async for item in items:
            await self._write(wire.item_line(verb, item))
        await self._write(wire.end_line())

    async def _write(self, line: bytes) -> None:
        """Send a line; who does not read it in time is let go.

        Raises:
            OSError: who asked is gone.
            ConnectionAbortedError: they read nothing.
        """
        if len(line) > wire.MOST_BYTES:
            line = wire.error_line(ControlBroken("too_long"))
        self._writer.write(line)
        sent = await outcome_of(self._writer.drain(), WRITE_S)
        if sent.error is not None:
            raise sent.error
        if sent.timed_out:
            self._writer.transport.abort()
            raise ConnectionAbortedError
