"""Each rule finds its own kind of broken row; the repair mends what is only a sum."""

import pytest
from sqlalchemy import text

from core.storage.invariants import check, repair

BREAK = {
    "a live job has exactly one open reservation": """
        INSERT INTO ledger (job_id, kind, limit_name, account_key, period, unit, amount, at_ms)
        SELECT id, 'refund', 'own', user_key, 1, 'gpu_ms', 1000, 0 FROM job WHERE state = 'held'""",
    "a terminal job has a reservation and exactly one settlement": """
        UPDATE job SET id = 'other' WHERE state = 'succeeded'""",
    "an open reservation belongs to a job": "DELETE FROM job WHERE state = 'held'",
    "a settlement ends a reservation of its account": """
        INSERT INTO ledger (job_id, kind, limit_name, account_key, period, unit, amount, at_ms)
        SELECT id, 'commit', 'place', 'discord:100', 1, 'gpu_ms', charged_ms, 0
        FROM job WHERE state = 'succeeded'""",
    "a job ends in the same way in every limit": """
        INSERT INTO ledger (job_id, kind, limit_name, account_key, period, unit, amount, at_ms)
        SELECT id, 'refund', 'place', 'discord:100', 1, 'gpu_ms', charged_ms, 0
        FROM job WHERE state = 'succeeded'""",
    "a pseudonym names an account": "INSERT INTO pseudonym VALUES ('network', 'home', 'x')",
    "what was charged is what the ledger says": """
        UPDATE job SET charged_ms = 7 WHERE state = 'succeeded'""",
    "an account is the sum of its ledger": "UPDATE account SET used = used + 1",
    "a terminal job owes or owed exactly one delivery to its destination": """
        DELETE FROM outbox""",
    "a live job owes no delivery": """
        INSERT INTO outbox (job_id, dest, state, nonce, attempts, ambiguous)
        SELECT id, 'discord', 'sent', 'n', 1, 0 FROM job WHERE state = 'held'""",
    "an account has at most its limit of jobs started while others waited": """
        UPDATE job SET above_limit = 0 WHERE state = 'running'""",
    "a running job is owned by a token with a lease": """
        UPDATE job SET lease_until_ms = 5 WHERE state = 'running'""",
    "a succeeded job, and no other, has a clip with a checksum": "DELETE FROM artifact",
    "an account's counters are its jobs": "UPDATE flow SET held = held + 1",
}


UNREFERENCED = {  # lets rows refer to what is not there
    "sqlite": "PRAGMA defer_foreign_keys=ON",
    "postgresql": "SET LOCAL session_replication_role = replica",
}


class Undo(Exception):
    """Leaves the rows as they were."""


@pytest.fixture
async def busy(room):
    await room.submit("anna")
    await room.finish(await room.start())
    await room.submit("ben")
    await room.submit("ben")
    await room.start()
    await room.start()
    await room.submit("anna")
    return room


async def broken(room, statement, *, mend=False):
    """Return which rules find something after ``statement``, which is undone."""
    found = set()

    async def look():
        async with room.database.transaction() as connection:
            await connection.exec_driver_sql(UNREFERENCED[connection.dialect.name])
            await connection.execute(text(statement))
            if mend:
                await repair(connection)
            found.update(one.rule for one in await check(connection, room.clock()))
            raise Undo

    with pytest.raises(Undo):
        await look()
    return found


@pytest.mark.parametrize("rule", BREAK)
async def test_each_rule_finds_what_breaks_it(busy, rule):
    assert await broken(busy, "SELECT 1") == set()
    assert rule in await broken(busy, BREAK[rule])


@pytest.mark.parametrize(
    "rule", ["an account is the sum of its ledger", "an account's counters are its jobs"]
)
async def test_repair_computes_sums_again(busy, rule):
    assert await broken(busy, BREAK[rule], mend=True) == set()


async def test_repair_does_not_hide_what_is_missing(busy):
    rule = "a terminal job owes or owed exactly one delivery to its destination"

    assert rule in await broken(busy, BREAK[rule], mend=True)
