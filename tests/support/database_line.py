"""A line between a node and PostgreSQL that can go dead, be cut, or lose every message."""

import asyncio
import struct
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

_HEAD = struct.Struct("!cI")  # of a server's message: its kind, and its length without that
_NOTIFICATION = b"A"


class DatabaseLine:
    """Hands bytes on between a port on 127.0.0.1 and the socket of a server."""

    def __init__(self, server: Path) -> None:
        self._server = server
        self._alive = asyncio.Event()
        self._alive.set()
        self._streams: set[asyncio.StreamWriter] = set()
        self.muted = False  # no message of another process arrives
        self.lost = 0  # messages, so far
        self.port = 0

    def url(self) -> str:
        return f"postgresql://postgres@127.0.0.1:{self.port}/clapper?sslmode=disable"

    def die(self) -> None:
        """Hand nothing on from now on; nobody is told, as where a cable is pulled."""
        self._alive.clear()

    def live(self) -> None:
        """Hand on again, also what was sent meanwhile."""
        self._alive.set()

    def cut(self) -> None:
        """End every connection, and hand on what comes by the next ones."""
        for stream in self._streams:
            stream.transport.abort()
        self._alive.set()

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection until one side closes it."""
        await self._alive.wait()
        try:
            answers, there = await asyncio.open_unix_connection(self._server)
        except OSError:  # the server is down
            writer.transport.abort()
            return
        pair = {writer, there}
        self._streams |= pair
        try:
            await asyncio.gather(self._ask(reader, there), self._answer(answers, writer))
        finally:
            self._streams -= pair
            for stream in pair:
                stream.transport.abort()

    async def _ask(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while piece := await source.read(65536):
                await self._hand_on(piece, target)
        target.close()

    async def _answer(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            while True:
                head = await source.readexactly(_HEAD.size)
                kind, length = _HEAD.unpack(head)
                body = await source.readexactly(length - 4)
                if kind == _NOTIFICATION and self.muted:
                    self.lost += 1
                else:
                    await self._hand_on(head + body, target)
        target.close()

    async def _hand_on(self, piece: bytes, target: asyncio.StreamWriter) -> None:
        await self._alive.wait()
        target.write(piece)
        await target.drain()


@asynccontextmanager
async def database_line(server: Path) -> AsyncGenerator[DatabaseLine]:
    """Lay a line to the socket ``server`` on a free port, until the block ends."""
    line = DatabaseLine(server)
    listening = await asyncio.start_server(line, "127.0.0.1", 0)
    line.port = listening.sockets[0].getsockname()[1]
    try:
        yield line
    finally:
        listening.close()
        line.cut()
