import pytest

from core.domain.jobs import Failure, JobState
from core.domain.people import Requester
from core.interfaces.delivery import Receipt

ANNA = Requester("discord", "anna")


async def finished(room, user="anna"):
    await room.submit(user)
    return await room.finish(await room.start())


async def test_terminal_jobs_are_owed_once_and_live_ones_are_not(room):
    done = await finished(room)
    room.clock.forward(1)
    await room.submit("ben")
    failed = await room.start()
    await room.queue.fail(failed.id, failed.token, Failure("disk_full"))
    await room.submit("cora")

    owed = await room.outbox.due("discord")

    assert [one.job.id for one in owed] == [done.id, failed.id]
    assert [one.job.state for one in owed] == [JobState.SUCCEEDED, JobState.FAILED]
    assert owed[0].job.clip == room.clip(done.id)
    assert await room.outbox.due("telegram") == []
    assert len(await room.outbox.due(limit=1)) == 1


async def test_first_attempt_is_number_one_with_a_nonce_that_stays(room):
    done = await finished(room)
    [first] = await room.outbox.due()
    await room.outbox.begin(done.id)
    await room.outbox.retry(done.id, 0, "busy", ambiguous=False)
    [second] = await room.outbox.due()

    assert (first.attempt.number, second.attempt.number) == (1, 2)
    assert first.attempt.nonce == second.attempt.nonce == done.id[:25]
    assert not second.attempt.ambiguous


async def test_what_is_being_sent_is_not_due(room):
    done = await finished(room)

    assert await room.outbox.begin(done.id)
    assert not await room.outbox.begin(done.id)
    assert await room.outbox.due() == []
    assert await room.outbox.sent(done.id, Receipt("42"))
    assert not await room.outbox.sent(done.id, Receipt("43"))
    assert (await room.outbox.counts()).sent == 1


async def test_retry_waits(room):
    done = await finished(room)
    await room.outbox.begin(done.id)
    await room.outbox.retry(done.id, 60_000, "rate_limited", ambiguous=False)

    room.clock.forward(59.9)
    assert await room.outbox.due() == []
    room.clock.forward(0.1)
    assert len(await room.outbox.due()) == 1


async def test_ambiguity_stays_until_the_delivery_ends(room):
    done = await finished(room)
    for ambiguous in (False, True, False):
        await room.outbox.begin(done.id)
        await room.outbox.retry(done.id, 0, "timeout", ambiguous=ambiguous)
    [owed] = await room.outbox.due()

    assert owed.attempt.ambiguous


async def test_delivery_cut_off_by_a_crash_is_due_again_as_ambiguous(room):
    done = await finished(room)
    told = await finished(room, "ben")
    await room.outbox.begin(done.id)
    await room.outbox.begin(told.id)
    await room.outbox.sent(told.id, Receipt("1"))

    recovery = await room.recovery.recover()

    [owed] = await room.outbox.due()
    assert recovery.redeliveries == 1
    assert (owed.job.id, owed.attempt.number, owed.attempt.ambiguous) == (done.id, 2, True)


async def test_dead_delivery_is_kept_and_not_due_again(room):
    done = await finished(room)
    await room.outbox.begin(done.id)
    assert await room.outbox.dead(done.id, "blocked")

    assert await room.outbox.due() == []
    assert (await room.outbox.counts()).dead == 1
    assert (await room.jobs.get(done.id)).clip is not None


@pytest.mark.parametrize("change", ["sent", "retry", "dead"])
async def test_nothing_is_noted_of_a_delivery_that_did_not_begin(room, change):
    done = await finished(room)
    arguments = {"sent": (Receipt("1"),), "retry": (5, "busy", False), "dead": ("blocked",)}

    assert not await getattr(room.outbox, change)(done.id, *arguments[change])
    assert len(await room.outbox.due()) == 1


async def test_cancelled_and_expired_jobs_are_told_too(room):
    cancelled = await room.submit("anna")
    await room.queue.cancel(cancelled.id, ANNA)
    expired = await room.submit("ben")
    room.clock.forward(25 * 3600)
    await room.recovery.expire()

    owed = {one.job.id: one.job.failure.code for one in await room.outbox.due()}

    assert owed == {cancelled.id: "cancelled", expired.id: "expired"}
