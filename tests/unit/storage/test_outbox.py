import asyncio
from dataclasses import replace

import pytest

from core.domain.jobs import Failure, JobState, ReplyTo
from core.domain.people import Requester
from core.i18n.messages import name
from core.interfaces.delivery import DeliveryAttempt, Receipt
from core.storage.dead_letters import DeadDeliveries
from core.storage.outbox import Outbox
from core.storage.owed_rows import LEASE_MS, LONGEST_WAIT_MS, DeliveryClaim

ANNA = Requester("discord", "anna")


async def finished(room, user="anna", reply_to=None):
    new = room.new(user)
    await room.queue.submit(new if reply_to is None else replace(new, reply_to=reply_to))
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
    claim = await room.outbox.begin(done.id)
    await room.outbox.retry(claim, 0, "busy", ambiguous=False)
    [second] = await room.outbox.due()

    assert (first.attempt.number, second.attempt.number) == (1, 2)
    assert first.attempt.nonce == second.attempt.nonce == done.id[:25]
    assert not second.attempt.ambiguous


async def test_what_is_being_sent_is_not_due(room):
    done = await finished(room)

    claim = await room.outbox.begin(done.id)
    assert claim
    assert not await room.outbox.begin(done.id)
    assert await room.outbox.due() == []
    assert await room.outbox.sent(claim, Receipt("42"))
    assert not await room.outbox.sent(claim, Receipt("43"))
    assert (await room.outbox.counts()).sent == 1


async def test_retry_waits(room):
    done = await finished(room)
    claim = await room.outbox.begin(done.id)
    await room.outbox.retry(claim, 60_000, "rate_limited", ambiguous=False)

    room.clock.forward(59.9)
    assert await room.outbox.due() == []
    room.clock.forward(0.1)
    assert len(await room.outbox.due()) == 1


async def test_ambiguity_stays_until_the_delivery_ends(room):
    done = await finished(room)
    for ambiguous in (False, True, False):
        claim = await room.outbox.begin(done.id)
        await room.outbox.retry(claim, 0, "timeout", ambiguous=ambiguous)
    [owed] = await room.outbox.due()

    assert owed.attempt.ambiguous


async def test_delivery_cut_off_by_a_crash_is_due_again_as_ambiguous(room):
    done = await finished(room)
    told = await finished(room, "ben")
    await room.outbox.begin(done.id)
    claim = await room.outbox.begin(told.id)
    await room.outbox.sent(claim, Receipt("1"))

    recovery = await room.recovery.recover()

    [owed] = await room.outbox.due()
    assert recovery.redeliveries == 1
    assert (owed.job.id, owed.attempt.number, owed.attempt.ambiguous) == (done.id, 2, True)


async def test_dead_delivery_is_kept_and_not_due_again(room):
    done = await finished(room)
    claim = await room.outbox.begin(done.id)
    assert await room.outbox.dead(claim, "blocked")

    assert await room.outbox.due() == []
    assert (await room.outbox.counts()).dead == 1
    assert (await room.jobs.get(done.id)).clip is not None


@pytest.mark.parametrize("change", ["sent", "retry", "dead", "extend"])
async def test_nothing_is_noted_of_a_delivery_that_did_not_begin(room, change):
    done = await finished(room)
    claim = DeliveryClaim(done.id, "1" * 32, DeliveryAttempt(1, False, "nonce"))
    changes = {
        "sent": lambda: room.outbox.sent(claim, Receipt("1")),
        "retry": lambda: room.outbox.retry(claim, 5, "busy", ambiguous=False),
        "dead": lambda: room.outbox.dead(claim, "blocked"),
        "extend": lambda: room.outbox.extend(claim),
    }

    assert not await changes[change]()
    assert len(await room.outbox.due()) == 1


async def test_cancelled_and_expired_jobs_are_told_too(room):
    cancelled = await room.submit("anna")
    await room.queue.cancel(cancelled.id, ANNA)
    expired = await room.submit("ben")
    room.clock.forward(25 * 3600)
    await room.recovery.expire()

    owed = {one.job.id: one.job.failure.code for one in await room.outbox.due()}

    assert owed == {cancelled.id: "cancelled", expired.id: "expired"}


def beside_others(room):
    """The outbox of one of several nodes."""
    return Outbox(room.database, room.folder / "clips", room.clock, "node", LEASE_MS)


async def test_a_delivery_belongs_to_its_token_until_its_lease_is_over(room):
    done, outbox = await finished(room), beside_others(room)
    stopped = await outbox.begin(done.id)

    room.clock.forward(LEASE_MS / 1000 - 0.1)
    assert await outbox.take_back(()) == 0
    assert await outbox.extend(stopped)
    room.clock.forward(LEASE_MS / 1000)
    assert await outbox.take_back([done.id]) == 0  # delivered here, however late
    assert await outbox.take_back(()) == 1

    [owed] = await outbox.due()
    assert (owed.attempt.number, owed.attempt.ambiguous) == (2, True)


async def test_a_late_result_of_a_holder_that_was_stopped_is_refused(room):
    done, outbox = await finished(room), beside_others(room)
    stopped = await outbox.begin(done.id)
    room.clock.forward(LEASE_MS / 1000)
    await outbox.take_back(())
    other = await outbox.begin(done.id)

    assert (other.attempt.number, other.attempt.ambiguous) == (2, True)
    assert not await outbox.extend(stopped)
    assert not await outbox.sent(stopped, Receipt("late"))
    assert not await outbox.dead(stopped, "late")
    assert not await outbox.retry(stopped, 0, "late", ambiguous=False)
    assert await outbox.sent(other, Receipt("1"))
    assert not await outbox.sent(stopped, Receipt("late"))


async def test_a_result_that_is_late_and_was_not_overtaken_counts(room):
    done, outbox = await finished(room), beside_others(room)
    slow = await outbox.begin(done.id)
    room.clock.forward(10 * LEASE_MS / 1000)

    assert await outbox.sent(slow, Receipt("1"))


async def test_a_start_beside_others_leaves_their_deliveries_alone(room):
    theirs, gone = await finished(room), await finished(room, "ben")
    await beside_others(room).begin(gone.id)
    room.clock.forward(LEASE_MS / 1000)
    await beside_others(room).begin(theirs.id)

    recovery = await room.recovery.recover()

    assert recovery.redeliveries == 1
    assert [one.job.id for one in await room.outbox.due()] == [gone.id]


async def test_of_many_who_want_one_delivery_one_gets_it(room):
    done = await finished(room)

    claims = await asyncio.gather(*(room.outbox.begin(done.id) for _ in range(8)))

    assert len([claim for claim in claims if claim]) == 1


WEEK_S = 7 * 86_400


async def test_only_a_place_is_told_what_is_owed_there(room):
    done = await finished(room, reply_to=ReplyTo("cli:here"))

    assert await room.outbox.due("cli:there") == []
    assert await room.outbox.due("cli") == []
    assert [one.job.id for one in await room.outbox.due("cli:here")] == [done.id]


async def test_what_is_owed_to_a_place_that_stays_away_is_given_up_and_can_be_revived(room):
    done = await finished(room, reply_to=ReplyTo("cli:gone"))
    due_ms = room.clock() + 1
    assert await room.outbox.give_up_elsewhere("cli", "cli:here", due_ms - 1) == []

    assert await room.outbox.give_up_elsewhere("cli", "cli:here", due_ms) == [done.id]

    dead = DeadDeliveries(room.database, room.clock)
    [letter] = await dead.newest(10)
    assert (letter.job_id, letter.platform, letter.reason) == (done.id, "cli:gone", "place_absent")
    assert name(letter.reason) != letter.reason
    await dead.revive(done.id)
    room.clock.forward(WEEK_S - 1)
    before_ms = room.clock() - WEEK_S * 1000
    assert await room.outbox.give_up_elsewhere("cli", "cli:here", before_ms) == []
    assert [one.job.id for one in await room.outbox.due("cli:gone")] == [done.id]


async def test_nothing_of_this_place_or_of_a_chat_is_given_up(room):
    for number, platform in enumerate(("cli:here", "discord", "client:x", "cli_x")):
        await finished(room, f"user-{number}", ReplyTo(platform))

    gone = await room.outbox.give_up_elsewhere("cli", "cli:here", room.clock() + 1)

    assert gone == []
    assert (await room.outbox.counts()).pending == 4


async def test_what_is_just_being_delivered_elsewhere_is_not_given_up(room):
    done = await finished(room, reply_to=ReplyTo("cli:there"))
    assert await room.outbox.begin(done.id)

    assert await room.outbox.give_up_elsewhere("cli", "cli:here", room.clock() + 1) == []


async def test_no_word_of_a_platform_and_no_step_of_the_clock_makes_a_retry_wait_above_a_day(room):
    done = await finished(room)
    claim = await room.outbox.begin(done.id)
    await room.outbox.retry(claim, 10 * LONGEST_WAIT_MS, "busy", ambiguous=False)
    assert await room.outbox.due() == []
    room.clock.forward(LONGEST_WAIT_MS / 1000)
    assert len(await room.outbox.due()) == 1

    claim = await room.outbox.begin(done.id)
    await room.outbox.retry(claim, LONGEST_WAIT_MS, "busy", ambiguous=False)
    assert await room.outbox.due() == []
    room.clock.forward(-3600)  # it was set back
    assert len(await room.outbox.due()) == 1
