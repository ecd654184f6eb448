"""Two processes at one PostgreSQL hear of each other; here they are two buses in one loop."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from core.bus.bus import NotificationBus
from core.bus.incoming import LocalEnds
from core.bus.outgoing import PROGRESS_S
from core.domain.clip_preview import MOST_BYTES, MOST_MOMENTS, ClipPreview
from core.domain.progress import Progress, Stage, Working
from core.runtime.notifier import LocalDispatcher
from core.runtime.progress_hub import ProgressHub
from core.storage.addresses import postgres_address
from core.storage.database import Database
from core.storage.notifications import Notifications
from core.testing.doubles import eventually
from tests.support.postgres import PostgresServer

STEP = Working(Stage.STAGE1, 3, 8, 0.4)


@dataclass
class Node:
    """The local ends of one process, and what it heard."""

    ends: LocalEnds
    heard: list[tuple[str, Progress]] = field(default_factory=list)
    owed: asyncio.Event = field(default_factory=asyncio.Event)
    progressed: asyncio.Event = field(default_factory=asyncio.Event)

    def hear(self, job_id: str, event: Progress) -> None:
        self.heard.append((job_id, event))
        self.progressed.set()


@asynccontextmanager
async def node(server: PostgresServer) -> AsyncGenerator[Node]:
    """Run a bus, and give it once it is connected."""
    database, stop = Database(server.url()), asyncio.Event()
    bus = NotificationBus(Notifications(postgres_address(server.url())), database)
    owed, connected = asyncio.Event(), asyncio.Event()

    def on_owed() -> None:
        (owed if connected.is_set() else connected).set()

    ends = LocalEnds(ProgressHub(bus.peers), LocalDispatcher(bus.peers), on_owed)
    made = Node(ends, owed=owed)
    ends.hub.listen(made.hear)
    running = asyncio.create_task(bus.run(ends, stop))
    try:
        await asyncio.wait({running, asyncio.create_task(connected.wait())}, timeout=30,
                           return_when=asyncio.FIRST_COMPLETED)  # fmt: skip
        assert connected.is_set()
        yield made
    finally:
        stop.set()
        await asyncio.wait_for(running, 30)
        await database.close()


async def test_wakes_cancels_progress_and_owed_reach_the_other_process(postgres_server):
    async with node(postgres_server) as one, node(postgres_server) as other:
        token = other.ends.dispatcher.token_for("job")
        head = b"RIFF....WEBP"
        largest = ClipPreview(head + bytes(MOST_BYTES - len(head)), MOST_MOMENTS)
        one.ends.hub.publish("job", STEP, 1)
        one.ends.hub.show("job", largest, 1)
        one.ends.dispatcher.wake()
        one.ends.dispatcher.cancel("job", "operator")
        one.ends.dispatcher._peers.owed()

        await asyncio.wait_for(token.wait(), 30)
        await asyncio.wait_for(other.owed.wait(), 30)
        await asyncio.wait_for(other.ends.dispatcher.wait(30), 31)
        await asyncio.wait_for(other.progressed.wait(), 30)

        assert other.ends.hub.latest("job") == STEP
        await eventually(lambda: asyncio.sleep(0, other.ends.hub.preview("job") == largest))
        assert other.heard == [("job", STEP)]  # once, and never sent back
        assert one.heard == [("job", STEP)]  # its own, as published


async def test_a_bus_that_was_cut_off_connects_again_and_looks_at_the_rows(postgres_server):
    async with node(postgres_server) as one, node(postgres_server) as other:
        other.owed.clear()
        postgres_server.cut()

        await asyncio.wait_for(other.owed.wait(), 30)  # it looked

        other.progressed.clear()
        while not other.progressed.is_set():  # a message sent by a dead connection is lost
            one.ends.hub.publish("job", STEP, 1)
            await asyncio.wait({asyncio.create_task(other.progressed.wait())}, timeout=PROGRESS_S)
        assert other.ends.hub.latest("job") == STEP


@pytest.mark.parametrize("dialect", ["postgresql"], indirect=True)
async def test_who_connects_late_sees_how_far_running_jobs_are(room, postgres_server):
    await room.submit()
    job = await room.start()
    assert await room.queue.beat(job.id, job.token, STEP)

    async with node(postgres_server) as late:
        await asyncio.wait_for(late.progressed.wait(), 30)

    assert late.heard == [(job.id, STEP)]
