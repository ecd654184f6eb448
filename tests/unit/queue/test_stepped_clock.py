"""A wall clock that steps ends nothing: not what runs or waits, nor what is owed or kept."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import uuid4

import pytest

from core.app.bootstrap import open_core
from core.app.core import Core
from core.domain.jobs import JobState, ReplyTo
from core.domain.media import Clip
from core.domain.people import Requester
from core.interfaces.delivery import Receipt
from core.settings import Settings
from core.testing.doubles import QuickExecutor, t2v
from core.testing.jobs import submit_request
from tests.support.clocks import BIG_STEPS_S, DAY_S, HOUR_S, Time

ANN = Requester("test", "ann")


@pytest.fixture
def time() -> Time:
    return Time()


@asynccontextmanager
async def opened(settings: Settings, time: Time) -> AsyncGenerator[Core]:
    async with open_core(settings, QuickExecutor(), clock=time.clock()) as core:
        yield core


async def a_job(core: Core, key: str = "one") -> str:
    return (await submit_request(core, t2v(), ANN, ReplyTo("test"), key)).job_id


async def rounds(core: Core, time: Time, count: int = 6, every_s: float = 200) -> None:
    """Let the service run with its chores, for 20 minutes if nothing else is said."""
    for _ in range(count):
        time.passes(every_s)
        await core.housekeeping.expire()
    await core.housekeeping.prune()


def new_clip(folder: Path) -> Clip:
    path = folder / f"{uuid4().hex}.mp4"
    poster = path.with_suffix(".png")
    for file in (path, poster):
        file.write_bytes(b"x")
    return Clip(path, poster, "ab" * 32, 1, 64, 64, 9, 24.0, has_sound=False)


async def finished(core: Core, key: str = "one") -> Clip:
    await a_job(core, key)
    job = await core.queue.claim()
    assert job is not None
    clip = new_clip(core.settings.clips_folder)
    assert await core.queue.settle(job.id, job.token or "", clip, 100)
    return clip


@pytest.mark.parametrize("step_s", BIG_STEPS_S)
async def test_what_waits_goes_on_waiting(settings: Settings, time: Time, step_s: int) -> None:
    async with opened(settings, time) as core:
        job_id = await a_job(core)
        time.steps(step_s)
        await rounds(core, time)
        assert (await core.jobs.get(job_id)).state is JobState.HELD
        claimed = await core.queue.claim()
        assert claimed is not None
        assert claimed.id == job_id


@pytest.mark.parametrize("step_s", BIG_STEPS_S)
async def test_what_waits_survives_a_step_while_the_service_is_off(
    settings: Settings, time: Time, step_s: int
) -> None:
    async with opened(settings, time) as core:
        job_id = await a_job(core)
    time.steps(step_s)
    time.boots()
    async with opened(settings, time) as core:
        await rounds(core, time)
        assert (await core.jobs.get(job_id)).state is JobState.HELD


async def test_what_waits_still_expires_after_its_limit_of_running(
    settings: Settings, time: Time
) -> None:
    async with opened(settings, time) as core:
        job_id = await a_job(core)
        time.steps(25 * HOUR_S)
        await rounds(core, time, 32, 3000)
        assert (await core.jobs.get(job_id)).state is JobState.EXPIRED


@pytest.mark.parametrize("step_s", BIG_STEPS_S)
async def test_what_runs_keeps_its_attempt(settings: Settings, time: Time, step_s: int) -> None:
    async with opened(settings, time) as core:
        await a_job(core)
        job = await core.queue.claim()
        assert job is not None
        time.steps(step_s)
        for _ in range(60):
            time.passes(20)
            await core.housekeeping.expire()
            assert await core.queue.beat(job.id, job.token or "")
        assert (await core.jobs.get(job.id)).attempt == 1


async def test_what_has_an_owner_here_is_not_taken_however_late_its_heartbeat_is(
    settings: Settings, time: Time
) -> None:
    async with opened(settings, time) as core:
        job_id = await a_job(core)
        job = await core.queue.claim()
        assert job is not None
        attempt = core.ends.dispatcher.token_for(job_id)
        time.passes(25 * HOUR_S)  # stopped, or asleep: the round comes before the heartbeat
        await core.housekeeping.expire()
        assert await core.queue.beat(job.id, job.token or "")

        core.ends.dispatcher.release(job_id, attempt)
        time.passes(60)
        await core.housekeeping.expire()
        assert not await core.queue.beat(job.id, job.token or "")


@pytest.mark.parametrize("step_s", BIG_STEPS_S)
@pytest.mark.parametrize("restarts", [False, True])
async def test_a_delivery_is_tried_again_within_its_longest_wait(
    settings: Settings, time: Time, step_s: int, *, restarts: bool
) -> None:
    async with opened(settings, time) as core:
        await finished(core)
        [owed] = await core.outbox.due()
        claim = await core.outbox.begin(owed.job.id)
        assert claim
        await core.outbox.retry(claim, 900_000, "busy", ambiguous=False)
        time.steps(step_s)
        if not restarts:
            await rounds(core, time, 5)
            assert len(await core.outbox.due()) == 1
    if restarts:
        async with opened(settings, time) as core:
            await rounds(core, time, 5)
            assert len(await core.outbox.due()) == 1


@pytest.mark.parametrize("asked_ms", [10**12, 2**62])
async def test_a_wait_that_a_platform_asks_for_ends(
    settings: Settings, time: Time, asked_ms: int
) -> None:
    async with opened(settings, time) as core:
        await finished(core)
        [owed] = await core.outbox.due()
        claim = await core.outbox.begin(owed.job.id)
        await core.outbox.retry(claim, asked_ms, "busy", ambiguous=False)
        time.passes(DAY_S)
        assert len(await core.outbox.due()) == 1


@pytest.mark.parametrize("step_s", BIG_STEPS_S)
@pytest.mark.parametrize("restarts", [False, True])
async def test_nothing_is_deleted_because_of_a_step(
    settings: Settings, time: Time, step_s: int, *, restarts: bool
) -> None:
    async with opened(settings, time) as core:
        clip = await finished(core)
        [owed] = await core.outbox.due()
        claim = await core.outbox.begin(owed.job.id)
        await core.outbox.sent(claim, Receipt("1"))
        time.steps(step_s)
        if not restarts:
            await rounds(core, time)
            assert clip.path.exists()
            assert await core.jobs.get(owed.job.id)
    if restarts:
        async with opened(settings, time) as core:
            await rounds(core, time)
            assert clip.path.exists()
            assert await core.jobs.get(owed.job.id)


async def test_a_doubted_time_is_believed_after_a_day_of_running(
    settings: Settings, time: Time
) -> None:
    told: list[str] = []
    async with opened(settings, time) as core:
        await finished(core)
        [owed] = await core.outbox.due()
        claim = await core.outbox.begin(owed.job.id)
        await core.outbox.sent(claim, Receipt("1"))
    time.passes(15 * DAY_S)
    async with open_core(
        settings, QuickExecutor(), clock=time.clock(), announce=told.append
    ) as core:
        assert any("clock" in sentence for sentence in told)
        await rounds(core, time, 27, 3000)
    async with opened(settings, time) as core:  # a restart does not begin it again
        assert await core.jobs.get(owed.job.id)
        await rounds(core, time, 3, 3000)
        assert await core.jobs.jobs_of(ANN) == []


@pytest.mark.parametrize("step_s", BIG_STEPS_S)
@pytest.mark.parametrize("restarts", [False, True])
async def test_a_quota_window_lasts_its_length(
    settings: Settings, time: Time, step_s: int, *, restarts: bool
) -> None:
    async with opened(settings, time) as core:
        await finished(core)
        used = (await core.quotas.quota(ANN)).used_ms
        time.passes(HOUR_S)
        time.steps(step_s)
        if not restarts:
            await rounds(core, time)
            view = await core.quotas.quota(ANN)
            assert view.used_ms == used > 0
            ends_ms = view.resets_at_ms or 0
            assert ends_ms - time.now() == (23 * HOUR_S - 1200) * 1000
    if restarts:
        time.boots()
        async with opened(settings, time) as core:
            view = await core.quotas.quota(ANN)
            assert (view.resets_at_ms or 0) - time.wall_ms <= DAY_S * 1000
            assert view.used_ms == (used if step_s < 23 * HOUR_S else 0)
