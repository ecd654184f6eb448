"""Who looks again and again sees what one who reads everything anew would see."""

import pytest

from core.domain.people import Requester
from core.queue import standing_watch
from core.queue.standing_watch import StandingWatch
from tests.unit.conftest import Room

PEOPLE = tuple(Requester("discord", name) for name in ("anna", "ben", "cleo"))


def watch_of(room: Room) -> StandingWatch:
    return StandingWatch(room.database, room.forecasts, lambda: room.database.version, room.clock)


async def agree(room: Room, watch: StandingWatch) -> None:
    """Compare both ways for everybody: rows, places, quota, forecasts."""
    now = room.clock()
    for person in PEOPLE:
        seen = await watch.standing(person)
        read = await room.forecasts.standing(person)
        assert (seen.jobs, seen.counts, seen.quota) == (read.jobs, read.counts, read.quota)
        for job in read.jobs:
            assert seen.queue.forecast(job.id, now) == read.queue.forecast(job.id, now)


async def test_every_step_of_a_life_is_seen_by_everybody(room: Room) -> None:
    watch = watch_of(room)
    await agree(room, watch)
    for number, name in enumerate(("anna", "ben", "anna", "cleo", "ben"), 1):
        await room.submit(name, 1000 * number)
        await agree(room, watch)
    for _ in range(2):
        job = await room.start()
        await agree(room, watch)
        await room.queue.begin(job.id, job.token or "")
        room.clock.forward(0.5)
        await agree(room, watch)
        await room.finish(job)
        await agree(room, watch)


async def test_a_grant_is_seen_within_some_seconds(room: Room) -> None:
    watch, anna = watch_of(room), PEOPLE[0]
    before = await watch.standing(anna)
    await room.quotas.grant(anna, 60_000)
    room.clock.forward(11.0)

    assert (await watch.standing(anna)).quota.left_ms == before.quota.left_ms + 60_000


async def test_a_long_queue_is_read_by_each_account(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(standing_watch, "MOST_WAITING", 1)
    watch = watch_of(room)
    for name in ("anna", "ben", "cleo"):
        await room.submit(name)
    await agree(room, watch)
