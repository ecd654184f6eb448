"""The bus of a process: how it hears of other processes, and they of it."""

import asyncio
from collections.abc import Sequence
from typing import Protocol

import structlog

from core.bus.incoming import IncomingMessages, LocalEnds
from core.bus.messages import Topic
from core.bus.outgoing import OutgoingMessages
from core.domain.progress import Progress
from core.runtime.peers import NoPeers, Peers
from core.runtime.tasks import outcome_of, wait_event
from core.storage.database import Database
from core.storage.heartbeats import running_progress
from core.storage.notifications import Notifications

log = structlog.get_logger(__name__)


class Bus(Protocol):
    """Connects the parts of this process with other processes."""

    @property
    def peers(self) -> Peers:
        """Return whom to tell what happens here."""
        ...

    def say(self, topic: Topic, text: str) -> None:
        """Send a message of a topic that parts of :class:`LocalEnds` understand."""
        ...

    async def run(self, ends: LocalEnds, stop: asyncio.Event) -> None:
        """Pass messages on in both directions until ``stop`` is set."""
        ...


class NoBus:
    """Implements :class:`Bus` where this process is the only one at its rows."""

    peers: Peers = NoPeers()

    def say(self, topic: Topic, text: str) -> None:
        """Tell nobody."""

    async def run(self, ends: LocalEnds, stop: asyncio.Event) -> None:
        """Do nothing until ``stop`` is set."""
        del ends
        await stop.wait()


class NotificationBus:
    """Implements :class:`Bus` by messages of PostgreSQL."""

    def __init__(
        self, notifications: Notifications, database: Database, topics: Sequence[Topic] = (*Topic,)
    ) -> None:
        """Take what carries messages, the rows for what was missed, and what to listen to."""
        self._notifications = notifications
        self._database = database
        self._topics = topics
        self._outgoing = OutgoingMessages(notifications.send)
        self._connected = asyncio.Event()

    @property
    def peers(self) -> Peers:
        """Return whom to tell what happens here."""
        return self._outgoing

    def say(self, topic: Topic, text: str) -> None:
        """Send a message; it may be lost."""
        self._outgoing.say(topic, text)

    async def run(self, ends: LocalEnds, stop: asyncio.Event) -> None:
        """Pass messages on in both directions until ``stop`` is set."""
        incoming = IncomingMessages(ends, asyncio.get_running_loop().call_later)
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._outgoing.run(stop))
                looking = tasks.create_task(self._look(ends, incoming))
                await self._notifications.receive(
                    self._topics, incoming.receive, self._connected.set, stop
                )
                looking.cancel()
        finally:
            await self._notifications.close()

    async def _look(self, ends: LocalEnds, incoming: IncomingMessages) -> None:
        """Look at the rows after each connection: what was sent before it is lost."""
        while True:
            await wait_event(self._connected, None)
            self._connected.clear()
            incoming.look()
            known = await outcome_of(self._running())
            if not known.ok:
                log.warning("progress_not_read", reason=type(known.error).__name__)
            for job_id, event in known.value or ():
                if ends.hub.latest(job_id) is None:
                    ends.hub.receive(job_id, event)

    async def _running(self) -> list[tuple[str, Progress]]:
        async with self._database.snapshot() as connection:
            return await running_progress(connection)
