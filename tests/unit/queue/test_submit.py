import asyncio
from dataclasses import replace

import pytest
from sqlalchemy import func, select

from core.accounts.quotas import QuotaRules
from core.domain.jobs import JobState, ReplyTo
from core.domain.people import Requester
from core.errors import IntakeClosed, JobUnknown, KeyReused, QuotaExceeded, TooManyQueued
from core.storage.tables import job, job_media, ledger
from core.testing.doubles import t2v

ANNA = Requester("discord", "anna")


async def test_a_new_job_is_held_and_reserves_its_estimate(room):
    accepted = await room.submit("anna", 4000)

    assert accepted.state is JobState.HELD
    assert accepted.request == t2v()
    assert accepted.reply_to == ReplyTo("discord", {"channel": "1"})
    view = await room.quotas.quota(ANNA)
    assert (view.reserved_ms, view.used_ms) == (4000, 0)


async def test_same_key_gives_the_same_job_and_reserves_once(room):
    first = await room.queue.submit(room.new(key="k"))
    again = await room.queue.submit(room.new(key="k"))

    assert (first.duplicate, again.duplicate) == (False, True)
    assert again.job == first.job
    assert (await room.quotas.quota(ANNA)).reserved_ms == 1000


async def test_same_key_answers_after_the_job_ended_and_while_the_intake_is_closed(room):
    first = await room.queue.submit(room.new(key="k"))
    done = await room.finish(await room.start())
    await room.intake.set_intake("paused")

    again = await room.queue.submit(room.new(key="k"))

    assert again.duplicate
    assert again.job == done
    assert again.job.id == first.job.id


async def test_same_key_of_somebody_else_is_another_job(room):
    mine = await room.queue.submit(room.new("anna", key="k"))
    theirs = await room.queue.submit(room.new("ben", key="k"))

    assert not theirs.duplicate
    assert theirs.job.id != mine.job.id


async def test_a_hundred_simultaneous_submits_of_one_key_make_one_job(room):
    room.limit(max_queued=1000)
    answers = await asyncio.gather(*(room.queue.submit(room.new(key="k")) for _ in range(100)))

    assert sum(not answer.duplicate for answer in answers) == 1
    assert len({answer.job.id for answer in answers}) == 1
    async with room.database.transaction() as connection:
        assert await connection.scalar(select(func.count()).select_from(job)) == 1
        assert await connection.scalar(select(func.count()).select_from(ledger)) == 1


async def test_twenty_simultaneous_submits_with_quota_for_one_accept_exactly_one(room):
    room.limit(max_queued=100, quota=QuotaRules(limit_ms=1500))

    answers = await asyncio.gather(
        *(room.queue.submit(room.new()) for _ in range(20)), return_exceptions=True
    )

    refused = [answer for answer in answers if isinstance(answer, QuotaExceeded)]
    assert len(refused) == 19
    assert (await room.quotas.quota(ANNA)).left_ms == 500
    assert (await room.jobs.counts()).waiting == 1


async def test_refusal_names_need_rest_limit_and_reset(room):
    room.limit(quota=QuotaRules(limit_ms=1500, window_ms=60_000))
    await room.submit("anna", 1000)

    with pytest.raises(QuotaExceeded) as refused:
        await room.submit("anna", 700)

    resets_at = room.clock() + 60_000
    assert refused.value.data() == QuotaExceeded(700, 500, 1500, resets_at).data()


async def test_refused_submit_leaves_nothing_behind(room):
    room.limit(quota=QuotaRules(limit_ms=10))

    with pytest.raises(QuotaExceeded):
        await room.submit("anna", 1000)

    assert (await room.quotas.quota(ANNA)).resets_at_ms is None
    assert (await room.jobs.counts()).waiting == 0


async def test_more_waiting_jobs_than_allowed_are_refused_and_running_ones_do_not_count(room):
    room.limit(max_queued=2)
    await room.submit()
    await room.start()
    await room.submit()
    await room.submit()

    with pytest.raises(TooManyQueued) as refused:
        await room.submit()

    assert refused.value.limit == 2
    await room.submit("ben")


@pytest.mark.parametrize("state", ["paused", "draining"])
async def test_closed_intake_refuses_new_jobs_and_runs_accepted_ones(room, state):
    await room.submit()
    await room.intake.set_intake(state)

    with pytest.raises(IntakeClosed) as refused:
        await room.submit("ben")

    assert refused.value.reason == state
    await room.finish(await room.start())


async def test_a_pause_survives_a_restart_and_a_drain_does_not(room):
    await room.intake.set_intake("paused")
    await room.recovery.recover()
    paused = await room.intake.intake()
    await room.intake.set_intake("draining")
    await room.recovery.recover()

    assert (paused, await room.intake.intake()) == ("paused", "open")


async def test_jobs_of_pages_backwards_in_time_and_shows_only_the_own(room):
    ids = []
    for _ in range(5):
        ids.append((await room.submit("anna")).id)
        await room.submit("ben")
        room.clock.forward(1)

    newest = await room.jobs.jobs_of(ANNA, 2)
    older = await room.jobs.jobs_of(ANNA, 10, newest[-1].number)

    assert [one.id for one in newest + older] == ids[::-1]


async def test_reply_address_can_be_replaced_until_and_after_the_end(room):
    accepted = await room.submit()
    await room.queue.update_reply_to(accepted.id, ReplyTo("discord", {"message": "7"}))
    await room.finish(await room.start())
    await room.queue.update_reply_to(accepted.id, ReplyTo("telegram", {"chat": "8"}))

    [owed] = await room.outbox.due("telegram")
    assert owed.job.reply_to == ReplyTo("telegram", {"chat": "8"})
    with pytest.raises(JobUnknown):
        await room.queue.update_reply_to("nobody", ReplyTo("telegram"))


async def test_files_are_needed_as_long_as_a_job_keeps_them(room):
    accepted = await room.submit()
    async with room.database.transaction() as connection:
        await connection.execute(job_media.insert().values(name="a.png", job_id=accepted.id))
    await room.queue.cancel(accepted.id, ANNA)

    assert await room.jobs.needs_media("a.png")
    await room.queue.erase(accepted.id, ANNA)
    assert not await room.jobs.needs_media("a.png")


async def test_pages_lose_and_repeat_nothing_where_times_are_equal_or_go_back(room):
    ids = []
    for step_s in (0, 0, 0, -3600, 0, 7200, -86_400, 0):
        room.clock.forward(step_s)
        room.limit(max_queued=50)
        ids.append((await room.submit("anna")).id)
    for size in (1, 2, 3, 5):
        shown, before = [], None
        while page := await room.jobs.jobs_of(ANNA, size, before):
            shown += [one.id for one in page]
            before = page[-1].number
        assert shown == ids[::-1]


async def test_a_key_of_another_request_is_refused(room):
    first = await room.queue.submit(replace(room.new(key="order"), fingerprint="a boat"))

    with pytest.raises(KeyReused):
        await room.queue.submit(
            replace(room.new(key="order"), fingerprint="a car", request=t2v(seed=2))
        )

    again = await room.queue.submit(replace(room.new(key="order"), fingerprint="a boat"))
    assert (again.job.id, again.duplicate) == (first.job.id, True)


async def test_drafts_are_held_to_the_limits_by_what_all_of_them_need(room):
    drafts = replace(room.new(), others=(room.new(), room.new()))
    room.limit(max_queued=2)
    with pytest.raises(TooManyQueued):
        await room.queue.submit(drafts)

    room.limit(max_queued=3, quota=QuotaRules(limit_ms=2999))
    with pytest.raises(QuotaExceeded) as refused:
        await room.queue.submit(drafts)
    assert refused.value.need_ms == 3000
    assert await room.jobs.jobs_of(drafts.requester, 9) == []

    room.limit(quota=QuotaRules(limit_ms=3000))
    assert not (await room.queue.submit(drafts)).duplicate
