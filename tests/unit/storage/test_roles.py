"""What the roles of PostgreSQL may do: a worker's whole work, and nothing with people's tables."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest

from core.domain.jobs import Failure, Job, JobState, ReplyTo, RequeueReason
from core.domain.media import Clip
from core.domain.people import Payer, Requester
from core.domain.progress import Stage, Working
from core.queue.job_queue import JobQueue, NewJob, QueueRules
from core.service.estimator import RunBook, timings_of
from core.storage.addresses import postgres_address
from core.storage.database import Database
from core.storage.every_table import TABLES
from core.storage.invariants import check
from core.storage.job_queries import JobQueries
from core.storage.postgres_migrations import grant_roles
from core.storage.roles import FRONT, WORKER, WORKER_RIGHTS
from core.storage.runs import RecordedRun, RunPlace
from core.testing.doubles import t2v
from tests.support.postgres import PostgresServer

DENIED = psycopg.errors.InsufficientPrivilege
# every table that says something of people beyond the line of jobs: no right at all
OF_PEOPLE = {
    *("audit", "blocked", "carried", "file_hold", "identity", "job_media", "link_code"),
    *("access", "link_try", "memory", "notice", "gate_node", "policy", "program_token", "term"),
    *("shown_clip", "option_default", "star", "style"),
    *("feed_channel", "feed_post", "feed_report"),
}


@pytest.fixture(scope="module")
def server(postgres_server: PostgresServer) -> PostgresServer:
    """The server of the tests, with an account in each role."""
    grant_roles(postgres_address(postgres_server.url()))
    with postgres_server.connect() as connection:
        for role, account in ((WORKER, "gpu_1"), (FRONT, "front_1")):
            connection.execute(f"DROP ROLE IF EXISTS {account}")
            connection.execute(f"CREATE ROLE {account} LOGIN IN ROLE {role}")
    return postgres_server


@pytest.fixture(scope="module")
def worker(server: PostgresServer) -> Iterator[psycopg.Connection]:
    with psycopg.connect(
        host=str(server.folder), user="gpu_1", dbname="clapper", autocommit=True
    ) as connection:
        yield connection


@pytest.fixture
def empty(server: PostgresServer) -> None:
    """Remove the rows of tests before."""
    with server.connect() as connection:
        tables = ", ".join(table.name for table in TABLES if table.name != "sched")
        connection.execute(f"TRUNCATE {tables} RESTART IDENTITY CASCADE")


@asynccontextmanager
async def opened(server: PostgresServer, account: str) -> AsyncIterator[Database]:
    database = Database(server.url().replace("postgres@", f"{account}@"))
    try:
        yield database
    finally:
        await database.close()


def test_every_table_is_granted_or_refused_on_purpose() -> None:
    assert {table.name for table in TABLES} == (set(WORKER_RIGHTS) - {"migration"}) | OF_PEOPLE
    assert not set(WORKER_RIGHTS) & OF_PEOPLE


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_what_is_not_listed_is_refused(worker: psycopg.Connection, table) -> None:
    """By what the server says of each right, column by column."""
    rights = WORKER_RIGHTS.get(table.name)
    for column in table.columns:
        may = {
            right: worker.execute(
                "SELECT has_column_privilege(%s, %s, %s)", (table.name, column.name, right)
            ).fetchone()[0]
            for right in ("SELECT", "INSERT", "UPDATE", "REFERENCES")
        }
        read = rights is not None and (
            rights.read if isinstance(rights.read, bool) else column.name in rights.read
        )
        assert may == {
            "SELECT": read,
            "INSERT": rights is not None and rights.add,
            "UPDATE": rights is not None and column.name in rights.change,
            "REFERENCES": False,
        }, column.name
    for right in ("DELETE", "TRUNCATE", "TRIGGER"):
        allowed = rights is not None and rights.remove and right == "DELETE"
        found = worker.execute("SELECT has_table_privilege(%s, %s)", (table.name, right))
        assert found.fetchone() == (allowed,), right


@pytest.mark.parametrize("table", sorted(OF_PEOPLE))
def test_a_worker_cannot_touch_a_table_of_people(worker: psycopg.Connection, table: str) -> None:
    for statement in (
        f"SELECT 1 FROM {table}",
        f"SELECT count(*) FROM {table}",
        f"DELETE FROM {table}",
        f"INSERT INTO {table} DEFAULT VALUES",
        f"TRUNCATE {table}",
        f"COPY {table} TO STDOUT",
    ):
        with pytest.raises(DENIED):
            worker.execute(statement)


WRITES = {
    "a job of its own": "INSERT INTO job DEFAULT VALUES",
    "what was asked": "UPDATE job SET request = '{}'",
    "where a clip goes": "UPDATE job SET reply_address = '{}'",
    "whose a job is": "UPDATE job SET user_key = 'discord:me'",
    "a job that is over": "DELETE FROM job",
    "a delivery": "UPDATE outbox SET dest = 'telegram'",
    "whom it is for": "SELECT dest FROM outbox",
    "the ledger's past": "UPDATE ledger SET amount = 0",
    "the ledger's rows": "DELETE FROM ledger",
    "a present": "UPDATE account SET granted = 1000000",
    "a window": "DELETE FROM account",
    "a switch": "UPDATE setting SET value = 'paused'",
    "a new switch": "INSERT INTO setting VALUES ('intake', 'paused')",
    "the book of migrations": "UPDATE migration SET oldest = 1",
    "whose a network is": "SELECT subject FROM pseudonym",
    "a clip that is kept": "UPDATE artifact SET path = 'x'",
    "a table": "CREATE TABLE mine (x int)",
    "a function": "CREATE FUNCTION mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "another role": f"SET ROLE {FRONT}",
    "a right": f"GRANT SELECT ON policy TO {WORKER}",
    "a file": "COPY (SELECT 1) TO '/tmp/x'",
    "a program": "COPY (SELECT 1) TO PROGRAM 'true'",
    "a schema": "CREATE SCHEMA mine",
    "a trigger": "ALTER TABLE ledger DISABLE TRIGGER ALL",
    "its rules": "ALTER TABLE ledger DISABLE ROW LEVEL SECURITY",
}


@pytest.mark.parametrize("statement", WRITES.values(), ids=WRITES.keys())
def test_a_worker_cannot_change(worker: psycopg.Connection, statement: str) -> None:
    with pytest.raises((DENIED, psycopg.errors.InvalidGrantor)):
        worker.execute(statement)


@pytest.mark.usefixtures("empty")
async def test_a_whole_life_of_jobs_as_a_worker(server: PostgresServer, tmp_path: Path) -> None:
    """Claimed, begun, kept alive, put back, failed, settled and noted, by its own account."""
    rules, clips = QueueRules(), tmp_path / "clips"
    async with opened(server, "front_1") as front, opened(server, "gpu_1") as gpu:
        accepting, queue = JobQueue(front, rules, clips), JobQueue(gpu, rules, clips)
        jobs = [await accepting.submit(_new(name)) for name in ("ann", "ben", "cem", "dee")]
        assert len(jobs) == 4

        first = await queue.claim(lambda _: True, ahead=True)
        assert (await queue.next_up()) is not None
        assert await queue.begin(first.id, first.token) is not None
        assert await queue.beat(first.id, first.token, Working(Stage.STAGE1, 1, 8, 0.1))
        assert await queue.settle(first.id, first.token, _clip(clips, first.id), 1_000)
        assert await queue.settle(first.id, first.token, _clip(clips, first.id), 1_000)
        second = await queue.claim()
        assert await queue.requeue(second.id, second.token, RequeueReason.DEVICE)
        while (job := await queue.claim()) is not None:
            assert await queue.fail(job.id, job.token, Failure("out_of_memory"), 0, 0)
        runs = RunBook(gpu, RunPlace("draft", "draft", ""))
        await runs.open()
        await runs.record_run(_run(first, runs))
        await runs.refit()

        states = [await _state(front, clips, one.job.id) for one in jobs]
        assert sorted(states) == [JobState.FAILED] * 3 + [JobState.SUCCEEDED]
        async with front.snapshot() as connection:
            assert await check(connection) == []


@pytest.mark.usefixtures("empty")
async def test_a_worker_forgets_a_network_that_used_nothing_and_no_other(
    server: PostgresServer, worker: psycopg.Connection, tmp_path: Path
) -> None:
    rules, clips = QueueRules(), tmp_path / "clips"
    guest = Payer.guest("of a network")
    async with opened(server, "front_1") as front, opened(server, "gpu_1") as gpu:
        accepting, queue = JobQueue(front, rules, clips), JobQueue(gpu, rules, clips)
        await accepting.submit(_new("guest", guest))
        with server.connect() as owner:
            assert owner.execute("SELECT count(*) FROM pseudonym").fetchone() == (1,)
            assert worker.execute("DELETE FROM pseudonym").rowcount == 0
            job = await queue.claim()
            assert await queue.fail(job.id, job.token, Failure("out_of_memory"))
            assert owner.execute("SELECT count(*) FROM pseudonym").fetchone() == (0,)


@pytest.mark.usefixtures("empty")
async def test_a_worker_cannot_give_away_quota(
    server: PostgresServer, worker: psycopg.Connection, tmp_path: Path
) -> None:
    async with opened(server, "front_1") as front:
        await JobQueue(front, QueueRules(), tmp_path).submit(_new("ann"))
    gift = (
        "INSERT INTO ledger (job_id, kind, limit_name, account_key, period, unit, amount, at_ms)"
        " SELECT NULL, 'grant', limit_name, account_key, period, unit, 1, 1 FROM ledger LIMIT 1"
    )
    with pytest.raises(DENIED):
        worker.execute(gift)


def test_rights_may_be_granted_again(server: PostgresServer) -> None:
    with server.connect() as owner:
        owner.execute(f"GRANT SELECT ON policy TO {WORKER}")
    grant_roles(postgres_address(server.url()))
    with server.connect() as owner:
        found = owner.execute("SELECT has_table_privilege(%s, 'policy', 'SELECT')", (WORKER,))
        assert found.fetchone() == (False,)


def _new(name: str, payer: Payer | None = None) -> NewJob:
    job_id = uuid4().hex
    whose = Requester("discord", name)
    return NewJob(job_id, whose, t2v(), ReplyTo("discord", {}), 1000, job_id, payer=payer)


def _clip(folder: Path, name: str) -> Clip:
    return Clip(folder / f"{name}.mp4", folder / f"{name}.png", "5" * 64, 9, 64, 64, 9, 24.0, True)


def _run(job: Job, runs: RunBook) -> RecordedRun:
    return RecordedRun(
        *(job.id, job.attempt, 1, runs.place, "t2v", "fast", 64, 64, 9, 24, 1000, 2000, 900),
        timings=timings_of(job.request, runs.machine, {Stage.STAGE1: 1.0}),
    )


async def _state(database: Database, clips: Path, job_id: str) -> JobState:
    return (await JobQueries(database, clips).get(job_id)).state
