import pytest
from sqlalchemy.exc import IntegrityError

from core.accounts.quotas import QuotaRules
from core.domain.jobs import Failure
from core.domain.people import Requester
from core.domain.quota import LentMs
from core.domain.time_units import HOUR_MS
from core.errors import QuotaExceeded
from core.storage.tables import ledger

ANNA = Requester("discord", "anna")
DAY_S = 24 * 3600


async def test_window_begins_with_the_first_use_and_resets_a_day_later(room):
    room.limit(quota=QuotaRules(limit_ms=1000))
    assert (await room.quotas.quota(ANNA)).resets_at_ms is None
    room.clock.forward(5000)
    began = room.clock()
    await room.submit("anna", 1000)
    await room.finish(await room.start())

    room.clock.forward(DAY_S - 1)
    with pytest.raises(QuotaExceeded) as refused:
        await room.submit("anna", 1)
    room.clock.forward(1)

    assert refused.value.resets_at_ms == began + 24 * HOUR_MS
    assert (await room.quotas.quota(ANNA)).left_ms == 1000
    await room.submit("anna", 1000)
    assert (await room.quotas.quota(ANNA)).resets_at_ms == room.clock() + 24 * HOUR_MS


async def test_settlement_charges_the_window_of_the_reservation(room):
    room.limit(quota=QuotaRules(limit_ms=1000), wait_limit_ms=100 * HOUR_MS)
    old = await room.submit("anna", 1000)
    room.clock.forward(DAY_S + 1)
    await room.submit("anna", 600)
    running = await room.start()

    assert running.id == old.id
    await room.finish(running)
    view = await room.quotas.quota(ANNA)
    assert (view.used_ms, view.reserved_ms) == (0, 600)


@pytest.mark.parametrize(
    ("actual", "charged"), [(900, 900), (1000, 1000), (1250, 1250), (9999, 1250), (0, 0), (-5, 0)]
)
async def test_charge_is_the_truth_up_to_a_quarter_above_the_estimate(room, actual, charged):
    await room.submit("anna", 1000)

    done = await room.finish(await room.start(), actual)

    assert done.charged_ms == charged
    view = await room.quotas.quota(ANNA)
    assert (view.used_ms, view.reserved_ms) == (charged, 0)


async def test_refund_restores_quota_when_the_executor_fails(room):
    await room.submit("anna", 1000)
    job = await room.start()
    room.clock.forward(30)

    assert await room.queue.fail(job.id, job.token, Failure("out_of_memory", {"width": 64}))

    failed = await room.jobs.get(job.id)
    assert (failed.charged_ms, failed.failure) == (0, Failure("out_of_memory", {"width": 64}))
    assert (await room.quotas.quota(ANNA)).left_ms == room.rules.quota.limit_ms


async def test_failure_can_charge_a_part(room):
    await room.submit("anna", 1000)
    job = await room.start()

    assert await room.queue.fail(job.id, job.token, Failure("timed_out"), charge_ms=400)

    assert (await room.quotas.quota(ANNA)).used_ms == 400


@pytest.mark.parametrize("made", [True, False])
async def test_what_a_lender_counted_is_charged_in_full_whether_there_is_a_clip_or_not(room, made):
    await room.submit("anna", 1000)
    job = await room.start()

    if made:
        await room.queue.settle(job.id, job.token, room.clip(job.id), LentMs(73_000))
    else:
        await room.queue.fail(job.id, job.token, Failure("internal_error"), LentMs(73_000))

    assert (await room.jobs.get(job.id)).charged_ms == 73_000
    assert (await room.quotas.quota(ANNA)).used_ms == 73_000


async def test_window_in_which_everything_was_refunded_begins_anew(room):
    await room.queue.cancel((await room.submit("anna", 1000)).id, ANNA)
    room.clock.forward(3600)
    await room.submit("anna", 1000)

    assert (await room.quotas.quota(ANNA)).resets_at_ms == room.clock() + 24 * HOUR_MS


async def test_grant_raises_the_limit_of_this_window_only(room):
    room.limit(quota=QuotaRules(limit_ms=1000))
    await room.quotas.grant(ANNA, 500)
    await room.submit("anna", 1500)
    view = await room.quotas.quota(ANNA)
    room.clock.forward(DAY_S)

    assert (view.limit_ms, view.left_ms) == (1500, 0)
    assert (await room.quotas.quota(ANNA)).limit_ms == 1000


async def test_grant_can_take_away_and_never_leaves_a_negative_limit(room):
    room.limit(quota=QuotaRules(limit_ms=1000))
    await room.quotas.grant(ANNA, -5000)

    assert (await room.quotas.quota(ANNA)).limit_ms == 0
    with pytest.raises(QuotaExceeded):
        await room.submit("anna", 1)


async def test_ledger_refuses_changes_and_second_settlements(room):
    await room.submit("anna", 1000)
    done = await room.finish(await room.start())

    async def execute(statement):
        async with room.database.transaction() as connection:
            await connection.execute(statement)

    with pytest.raises(IntegrityError, match="append-only"):
        await execute(ledger.update().values(amount=0))
    with pytest.raises(IntegrityError, match="append-only"):
        await execute(ledger.delete())
    account = {"limit_name": "own", "account_key": ANNA.key, "period": 1}
    row = {**account, "unit": "gpu_ms", "amount": 1, "at_ms": 0}
    second = ledger.insert().values(job_id=done.id, kind="refund", **row)
    with pytest.raises(IntegrityError, match=r"(?i)unique"):
        await execute(second)


async def test_a_grant_waits_for_the_next_use_although_an_earlier_job_was_refunded(room):
    job = await room.submit("anna", 1000)
    await room.queue.cancel(job.id, ANNA)
    room.clock.forward(3600)
    before = (await room.quotas.quota(ANNA)).limit_ms
    await room.quotas.grant(ANNA, 500)

    room.clock.forward(48 * 3600)

    assert (await room.quotas.quota(ANNA)).limit_ms == before + 500
    await room.submit("anna", 1000)
    assert (await room.quotas.quota(ANNA)).limit_ms == before + 500
    room.clock.forward(24 * 3600 + 1)
    assert (await room.quotas.quota(ANNA)).limit_ms == before  # for one window, which is over
