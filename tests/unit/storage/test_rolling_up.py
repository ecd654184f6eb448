"""What is over is rolled up: tables stay small and sums stay exactly what they were."""

import pytest
from sqlalchemy import text

from core.domain.people import Requester
from core.storage import rolling_up
from core.storage.invariants import SOURCES, check, check_newest, check_slice

ANNA = Requester("discord", "anna")
DAY_S = 86_400


class Undo(Exception):
    """Leaves the rows as they were."""


async def count(room, table):
    async with room.database.transaction() as connection:
        return (await connection.execute(text(f"SELECT count(*) FROM {table}"))).scalar_one()


async def finish_some(room, number, user="anna"):
    for _ in range(number):
        await room.submit(user)
        await room.finish(await room.start(), 700)


async def forget_jobs(room):
    """Delete all terminal jobs, as pruning does."""
    for owed in await room.outbox.due(limit=1000):
        claim = await room.outbox.begin(owed.job.id)
        await room.outbox.dead(claim, "gone")
    while await room.queue.prune(room.clock() + 1, 100):
        pass


async def roll(room, size=500, before=None):
    entry, window = 0, rolling_up.FIRST_ACCOUNT
    before = room.clock() - 14 * DAY_S * 1000 if before is None else before
    while entry is not None:
        async with room.database.transaction() as connection:
            entry = await rolling_up.roll_up(connection, entry, size, room.clock())
            assert await check(connection) == []
    while window is not None:
        async with room.database.transaction() as connection:
            window = await rolling_up.drop_windows(connection, window, size, before)
            assert await check(connection) == []


@pytest.mark.parametrize("size", [1, 2, 3, 500])
async def test_jobs_that_are_gone_become_one_opening_balance_of_their_window(room, size):
    await finish_some(room, 4)
    await room.submit("anna")
    await room.quotas.grant(ANNA, 5000)
    before = await room.quotas.quota(ANNA)
    await forget_jobs(room)

    await roll(room, size)

    assert await room.quotas.quota(ANNA) == before
    assert before.used_ms == 4 * 700
    assert await count(room, "ledger") == 3  # an opening balance, a grant, the job that waits
    await finish_some(room, 2, "ben")
    await room.finish(await room.start(), 700)
    await forget_jobs(room)
    await roll(room, size)
    assert (await room.quotas.quota(ANNA)).used_ms == 5 * 700
    assert await count(room, "ledger WHERE kind = 'opening'") == 2


async def test_entries_of_kept_jobs_stay(room):
    await finish_some(room, 3)
    entries = await count(room, "ledger")
    await roll(room)
    assert await count(room, "ledger") == entries


async def test_windows_that_are_over_go_and_the_one_in_force_stays(room):
    for _ in range(5):
        await finish_some(room, 1)
        room.clock.forward(25 * 3600)
    await finish_some(room, 1)
    await forget_jobs(room)
    view = await room.quotas.quota(ANNA)

    await roll(room)

    assert await count(room, "account") == 1
    assert await room.quotas.quota(ANNA) == view
    assert view.used_ms == 700
    room.clock.forward(16 * DAY_S)
    await roll(room)
    assert (await count(room, "account"), await count(room, "ledger")) == (0, 0)
    await finish_some(room, 1)
    assert (await room.quotas.quota(ANNA)).used_ms == 700


async def test_accounts_in_which_nothing_was_used_go(room):
    job = await room.submit("anna")
    await room.queue.cancel(job.id, ANNA)
    await forget_jobs(room)
    await roll(room, before=0)
    assert await count(room, "account") == 0


@pytest.mark.parametrize("used", [False, True])
async def test_what_was_granted_for_the_next_window_stays(room, used):
    if used:  # and refunded
        job = await room.submit("anna")
        await room.quotas.grant(ANNA, 5000)
        await room.queue.cancel(job.id, ANNA)
        await forget_jobs(room)
        room.clock.forward(30 * DAY_S)
    else:
        await room.quotas.grant(ANNA, 5000)
    await roll(room)
    assert (await room.quotas.quota(ANNA)).limit_ms == room.rules.quota.limit_ms + 5000


async def test_the_standing_of_accounts_that_virtual_time_has_passed_goes(room):
    for user in "abcdef":
        await finish_some(room, 1, user)
    await room.submit("g")
    async with room.database.transaction() as connection:
        await connection.execute(text("UPDATE sched SET vtime = vtime + 10000"))
        while await rolling_up.drop_idle_flows(connection, 2):
            pass
    assert await count(room, "flow") == 1
    assert await room.start()


async def test_the_newest_runs_of_each_kind_are_kept(room):
    async with room.database.transaction() as connection:
        for number in range(30):
            mode = "t2v" if number % 3 else "i2v"
            await connection.execute(
                text("""INSERT INTO run (job_id, attempt, recorded_at_ms, device, profile, pin,
                    mode, preset, width, height, frames, fps, estimate_ms, p95_ms, gpu_ms, wait_ms)
                    VALUES (:id, 1, :at, 'cpu', 'low', '', :mode, 'fast',
                    64, 64, 9, 24, 1, 1, 1, 1)"""),
                {"id": str(number), "at": number, "mode": mode},
            )
            await connection.execute(
                text("INSERT INTO run_part VALUES (:id, 1, 'stage1', 1, 1, 1, 1, 1, 1)"),
                {"id": str(number)},
            )
        while await rolling_up.thin_runs(connection, 4, kept=5):
            pass
        kept = await connection.execute(text("SELECT CAST(job_id AS INTEGER) FROM run"))
        assert sorted(kept.scalars()) == [15, 18, 21, 23, 24, 25, 26, 27, 28, 29]
    assert await count(room, "run_part") == 10


async def test_old_notes_of_operators_and_to_people_go(room):
    async with room.database.transaction() as connection:
        for at in range(10):
            await connection.execute(
                text(
                    "INSERT INTO audit (at, actor, verb, target, detail) VALUES (:at,'','','','')"
                ),
                {"at": at},
            )
            await connection.execute(
                text("INSERT INTO notice (user_key, code, data, created_at) VALUES ('','','',:at)"),
                {"at": at},
            )
        while await rolling_up.drop_old_notes(connection, 7, 4, 3):
            pass
    assert (await count(room, "audit"), await count(room, "notice")) == (3, 6)


@pytest.mark.parametrize("size", [1, 2, 100])
async def test_slices_find_what_the_whole_check_finds(room, size):
    await finish_some(room, 3)
    await room.submit("anna")
    await room.start()
    with pytest.raises(Undo):
        await compare(room, size)


async def compare(room, size):
    async with room.database.transaction() as connection:
        for statement in (
            "UPDATE account SET used = used + 1",
            "UPDATE flow SET held = held + 1",
            "DELETE FROM artifact WHERE job_id = (SELECT id FROM job ORDER BY seq LIMIT 1)",
            "DELETE FROM outbox WHERE job_id = (SELECT id FROM job ORDER BY seq LIMIT 1)",
        ):
            await connection.execute(text(statement))
        whole = await check(connection)
        found = []
        for source in SOURCES:
            after = None
            while True:
                after, some = await check_slice(connection, source, after, size)
                found += some
                if after is None:
                    break
        newest = await check_newest(connection, 1000)
        assert len(whole) == 4
        assert set(found) == set(newest) == set(whole)
        raise Undo


async def test_the_check_at_a_start_looks_at_the_newest_rows_only(room):
    await finish_some(room, 5)
    with pytest.raises(Undo):
        await look_at_newest(room)


async def look_at_newest(room):
    async with room.database.transaction() as connection:
        await connection.execute(
            text("DELETE FROM artifact WHERE job_id = (SELECT id FROM job ORDER BY seq LIMIT 1)")
        )
        assert await check_newest(connection, 3) == []
        assert len(await check_newest(connection, 5)) == 1
        raise Undo


async def test_the_ledger_of_a_kept_job_cannot_be_changed(room):
    await finish_some(room, 1)
    for statement in ("DELETE FROM ledger", "UPDATE ledger SET amount = 0"):
        with pytest.raises(Exception, match="append-only"):
            async with room.database.transaction() as connection:
                await connection.execute(text(statement))
