"""Jobs end while somebody deletes them: nothing refuses, and nothing is left."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from core.app.core import Core
from core.domain.jobs import Job, ReplyTo
from core.domain.people import Caller, Requester
from core.errors import JobUnknown, NothingToFetch, TooManyQueued
from core.storage.invariants import check
from core.testing.doubles import RecordingDelivery, running, t2v
from core.testing.jobs import submit_request

ANN = Caller(Requester("test", "ann"), "test")


async def test_forgetting_beside_a_storm_of_submits_leaves_nothing_and_never_refuses(
    core: Core, delivery: RecordingDelivery
) -> None:
    core.router.register(delivery)

    async def submit(number: int) -> None:
        try:
            await submit_request(core, t2v(), ANN.requester, ReplyTo("test"), f"key {number}")
        except TooManyQueued:
            return  # a limit of theirs, nothing of the storm

    async with running(core):
        calls = [submit(number) for number in range(60)]
        calls += [core.users.forget(ANN) for _ in range(20)]
        mixed = [calls[(7 * index) % len(calls)] for index in range(len(calls))]
        await asyncio.gather(*mixed)
        await core.users.forget(ANN)

        assert await core.users.jobs(ANN, 10) == []
    async with core.database.transaction() as connection:
        assert await check(connection) == []


@pytest.mark.parametrize("how", ["delete", "forget"])
async def test_a_job_that_ends_between_listing_and_cancelling_is_deleted_all_the_same(
    core: Core, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    ticket = await submit_request(core, t2v(), ANN.requester, ReplyTo("test"), "one")
    cancel = core.queue.cancel

    async def ended_first(job_id: str, *args: Any, **options: Any) -> Job:
        await cancel(job_id, ANN.requester)
        return await cancel(job_id, *args, **options)

    monkeypatch.setattr(core.queue, "cancel", ended_first)

    if how == "delete":
        await core.users.delete(ANN, ticket.job_id)
    else:
        assert await core.users.forget(ANN) == 1

    with pytest.raises(JobUnknown):
        await core.jobs.get(ticket.job_id)


@pytest.mark.parametrize("path", ["of_the_future", "family.mp4", '{"x":'])
async def test_a_clip_whose_name_is_not_ours_stops_no_deletion_and_deletes_nothing_else(
    core: Core, path: str
) -> None:
    delivery = RecordingDelivery()
    core.router.register(delivery)
    async with running(core):
        for key in ("one", "two"):
            await submit_request(core, t2v(), ANN.requester, ReplyTo("test"), key)
        await delivery.until(2)
    one, two = await core.users.jobs(ANN, 2)
    kept = core.settings.clips_folder / Path(path).name
    kept.write_bytes(b"of somebody")
    async with core.database.transaction() as connection:
        await connection.execute(
            text("UPDATE artifact SET path = :path WHERE job_id = :id"),
            {"path": path, "id": one.id},
        )

    with pytest.raises(NothingToFetch):
        await core.users.clips.get(ANN, one.id)
    assert await core.users.forget(ANN) == 2

    assert await core.users.jobs(ANN, 2) == []
    assert two.clip is not None
    assert not two.clip.path.exists()
    assert kept.read_bytes() == b"of somebody"
