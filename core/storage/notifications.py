"""LISTEN and NOTIFY of PostgreSQL: short messages between the processes at one database.

They go by connections of their own, never inside a transaction of a job: those would commit one
after the other. A message may be lost, and after every new connection one has to look at the rows.
"""

import asyncio
import random
from collections.abc import Callable, Sequence
from typing import Any

import structlog

from core.runtime.tasks import outcome_of, wait_event
from core.storage.addresses import PostgresAddress
from core.storage.postgres_engine import connection_options

log = structlog.get_logger(__name__)

QUIET_S = 5.0  # without a message, then the connection is tried
FIRST_WAIT_S, LONGEST_WAIT_S = 0.2, 5.0  # before the next connection
_SEND = "SELECT pg_notify(topic, body) FROM unnest(%s::text[], %s::text[]) AS message (topic, body)"
Receive = Callable[[str, str], None]  # topic and text; never blocks


class Notifications:
    """Sends to all other processes, and receives what they send."""

    def __init__(self, address: PostgresAddress) -> None:
        """Take the address of the server; nothing is opened yet."""
        self._address = address
        self._sender: Any = None  # psycopg's connection
        self._own_pid = 0  # of the server's process that sends for us
        self._turn = asyncio.Lock()

    async def send(self, messages: Sequence[tuple[str, str]]) -> None:
        """Send topics with their texts, in this order.

        Raises:
            psycopg.Error: they are lost; the next call connects again.
        """
        async with self._turn:
            if self._sender is None:
                self._sender = await _connect(self._address)
                self._own_pid = self._sender.info.backend_pid
                # a message is worth nothing after a crash of the server: nobody waits for its disk
                await self._sender.execute("SET synchronous_commit = off")
            topics, texts = zip(*messages, strict=True)
            try:
                await self._sender.execute(_SEND, (list(topics), list(texts)))
            except BaseException:
                await self._close_sender()
                raise

    async def receive(
        self,
        topics: Sequence[str],
        receive: Receive,
        on_connected: Callable[[], None],
        stop: asyncio.Event,
    ) -> None:
        """Hand every message of ``topics`` to ``receive`` until ``stop`` is set.

        Args:
            topics: to listen to.
            receive: gets topic and text.
            on_connected: is called after each connection: what was sent before is lost.
            stop: ends it.
        """
        ending, clock = asyncio.create_task(stop.wait()), asyncio.get_running_loop().time
        wait_s = FIRST_WAIT_S
        try:
            while not stop.is_set():
                began = clock()
                reason = await self._listen_until(ending, topics, receive, on_connected)
                if stop.is_set():
                    break
                log.info("listener_disconnected", reason=reason)
                lasted = clock() - began > LONGEST_WAIT_S
                wait_s = FIRST_WAIT_S if lasted else min(wait_s * 2, LONGEST_WAIT_S)
                await wait_event(stop, wait_s * random.uniform(0.5, 1.5))  # noqa: S311  # not all at once
        finally:
            ending.cancel()

    async def close(self) -> None:
        """Close the connection that sends; a later call of :meth:`send` opens another."""
        async with self._turn:
            await self._close_sender()

    async def _listen_until(
        self,
        ending: "asyncio.Task[object]",
        topics: Sequence[str],
        receive: Receive,
        on_connected: Callable[[], None],
    ) -> str:
        """Listen until ``ending`` ends or the connection is lost; return what it was lost by."""
        listening = asyncio.create_task(self._listen(topics, receive, on_connected))
        try:
            await asyncio.wait({listening, ending}, return_when=asyncio.FIRST_COMPLETED)
        finally:  # its connection is closed before anybody goes on
            listening.cancel()
            await asyncio.wait({listening})
        error = None if listening.cancelled() else listening.exception()
        return type(error).__name__

    async def _listen(
        self, topics: Sequence[str], receive: Receive, on_connected: Callable[[], None]
    ) -> None:
        async with await _connect(self._address) as connection:
            for topic in topics:
                await connection.execute(f'LISTEN "{topic}"')
            on_connected()
            while True:
                async for message in connection.notifies(timeout=QUIET_S):
                    if message.pid != self._own_pid:  # what happened here is known here
                        receive(message.channel, message.payload)
                await connection.execute("SELECT 1")

    async def _close_sender(self) -> None:
        sender, self._sender = self._sender, None
        if sender is not None:
            await outcome_of(sender.close(), 1.0)


async def _connect(address: PostgresAddress) -> Any:  # noqa: ANN401  # psycopg's connection
    from psycopg import AsyncConnection

    return await AsyncConnection.connect(autocommit=True, **connection_options(address))
