"""All guests pay from one account, a network from a part of it; signed-in people do not notice."""

import asyncio
import sqlite3
from contextlib import closing
from dataclasses import replace

import pytest
from sqlalchemy import select, text

from core.accounts.quotas import QuotaRules
from core.domain.people import GUESTS, Payer, Requester
from core.domain.time_units import HOUR_MS
from core.errors import QuotaExceeded, TooManyQueued
from core.queue.job_queue import QueueRules
from core.queue.recovery import Recovery
from core.storage.database import open_database
from core.storage.invariants import check
from core.storage.migration_files import MIGRATIONS
from core.storage.migrations import migrate
from core.storage.pseudonyms import pseudonym

RULES = QuotaRules(limit_ms=100_000, guests_ms=10_000, network_ms=4_000)


def guest(room, name, estimate_ms=1000, network="home"):
    new = room.new(name, estimate_ms)
    requester = Requester("studio", f"guest-{name}")
    return replace(new, requester=requester, payer=Payer.guest(network))


async def networks(room):
    async with room.database.transaction() as connection:
        return list(await connection.scalars(select(pseudonym.c.subject)))


async def left(room, network):
    return (await room.quotas.quota(Requester("studio", "guest-x"), Payer.guest(network))).left_ms


async def test_twenty_five_keys_of_one_network_get_what_one_key_gets(room):
    room.limit(quota=RULES, max_queued=100)

    answers = await asyncio.gather(
        *(room.queue.submit(guest(room, f"key{number}")) for number in range(25)),
        return_exceptions=True,
    )

    refused = [answer for answer in answers if isinstance(answer, QuotaExceeded)]
    assert len(refused) == 21
    assert {(error.scope, error.limit_ms, error.left_ms) for error in refused} == {
        ("network", 4000, 0)
    }
    assert all(error.resets_at_ms is not None for error in refused)


async def test_guests_of_many_networks_share_one_budget(room):
    room.limit(quota=RULES, max_queued=100)

    answers = await asyncio.gather(
        *(room.queue.submit(guest(room, f"k{n}", network=f"net{n}")) for n in range(25)),
        return_exceptions=True,
    )

    refused = [answer for answer in answers if isinstance(answer, QuotaExceeded)]
    assert len(refused) == 15
    assert {error.scope for error in refused} == {"guests"}
    assert (await room.quotas.quota(Requester("discord", "anna"))).left_ms == RULES.limit_ms


async def test_more_keys_of_one_network_do_not_have_more_jobs_waiting(room):
    room.limit(quota=RULES, max_queued=2)
    await room.queue.submit(guest(room, "a", 1))
    await room.queue.submit(guest(room, "b", 1))

    with pytest.raises(TooManyQueued):
        await room.queue.submit(guest(room, "c", 1))
    await room.queue.submit(guest(room, "c", 1, network="elsewhere"))


async def test_a_new_key_does_not_go_before_what_others_wait_for(room):
    room.limit(quota=QuotaRules(), max_queued=100)
    await room.submit("zoe", 1000)
    await room.start()
    await room.queue.submit(guest(room, "first", 1000))
    anna = [await room.submit("anna", 1000) for _ in range(2)]
    for number in range(10):
        await room.queue.submit(guest(room, f"key{number}", 1000, network=f"net{number}"))

    order = [job.id for job in (await room.jobs.in_order())[1:]]

    assert order.index(anna[1].id) <= 3


async def test_jobs_and_history_stay_each_guests_own(room):
    room.limit(quota=RULES)
    mine = (await room.queue.submit(guest(room, "a"))).job
    await room.queue.submit(guest(room, "b"))

    assert [job.id for job in await room.jobs.jobs_of(mine.requester)] == [mine.id]


async def test_deleting_everything_gives_a_guest_nothing_back(room):
    room.limit(quota=RULES)
    made = (await room.queue.submit(guest(room, "a", 3000))).job
    await room.finish(await room.start())
    assert await left(room, "home") == 1000

    await room.queue.erase(made.id, made.requester)

    assert await left(room, "home") == 1000
    with pytest.raises(QuotaExceeded):
        await room.queue.submit(guest(room, "other", 1001))


async def test_a_cancelled_waiting_job_is_refunded_to_guests_and_network(room):
    room.limit(quota=RULES)
    made = (await room.queue.submit(guest(room, "a", 3000))).job

    await room.queue.cancel(made.id, made.requester)

    assert await left(room, "home") == 4000
    assert await networks(room) == []


async def test_a_replaced_guest_job_moves_its_reservation(room):
    room.limit(quota=RULES)
    old = (await room.queue.submit(guest(room, "a", 3000))).job
    new = guest(room, "a", 4000)

    made = await room.queue.replace(old.id, old.requester, new)

    assert await left(room, "home") == 0
    assert made.job.estimate_ms == 4000
    with pytest.raises(QuotaExceeded):
        await room.queue.replace(made.job.id, old.requester, guest(room, "a", 4001))


async def test_networks_are_forgotten_with_their_window(room):
    room.limit(quota=RULES)
    await room.queue.submit(guest(room, "a", 3000))
    await room.finish(await room.start())
    assert await networks(room) == ["home"]

    room.clock.forward(24 * HOUR_MS // 1000)
    await room.recovery.expire()

    assert await networks(room) == []
    assert await left(room, "home") == 4000


async def test_a_guest_whose_payer_was_left_out_pays_as_guests_do(room):
    room.limit(quota=RULES)
    await room.queue.submit(replace(guest(room, "a", 3000), payer=None))

    assert (await room.quotas.quota(Requester("studio", "guest-b"))).reserved_ms == 3000
    assert Payer.of(Requester("studio", "guest-b")).key == GUESTS
    assert Payer.of(Requester("studio", "user-b")).key == "studio:user-b"


async def test_a_database_of_before_goes_on_with_live_jobs_of_guests(tmp_path, clock):
    before = tmp_path / "before"
    before.mkdir()
    for path in MIGRATIONS.glob("*.sql"):
        if path.name < "0006":
            (before / path.name).write_text(path.read_text("utf-8"), "utf-8")
    migrate(tmp_path / "clapper.sqlite", clock, before)
    with closing(sqlite3.connect(tmp_path / "clapper.sqlite")) as connection:
        connection.executescript("""
            INSERT INTO account VALUES ('studio:guest-a', 1, 5, 0, 1000, 0);
            INSERT INTO ledger (job_id, kind, user_key, period, amount_ms, at_ms)
              VALUES ('j', 'reserve', 'studio:guest-a', 1, 1000, 5);
            INSERT INTO flow VALUES ('studio:guest-a', 0, 5, 100, 1, 0);
            INSERT INTO job (id, user_key, idem_key, state, request, reply_platform,
              reply_address, estimate_ms, spread_ms, cost, tag, rank, above_limit, attempt,
              created_at_ms)
              VALUES ('j', 'studio:guest-a', 'k', 'held', '{}', 'studio', '{}', 1000, 0, 1000,
                0, 1000, 0, 0, 5);
        """)
    url = f"sqlite+aiosqlite:///{tmp_path / 'clapper.sqlite'}"

    async with open_database(url, tmp_path, clock) as database:
        recovery = Recovery(database, QueueRules(), tmp_path / "clips", clock)
        clock.forward(100 * HOUR_MS // 1000)
        async with database.transaction() as connection:
            assert await check(connection) == []
            request = {"request": '{"mode": "broken"}'}
            await connection.execute(text("UPDATE job SET request = :request"), request)
        assert await recovery.expire() == ["j"]
        async with database.transaction() as connection:
            assert await check(connection) == []
