"""Databases that earlier versions left, with rows as those wrote them, go on with today's code."""

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from bots.discord.address import DiscordAddress
from bots.telegram.address import TelegramAddress
from bots.telegram.request_form import RequestForm
from core.accounts.front_state import FrontState
from core.accounts.notices import Notices
from core.domain.jobs import JobState
from core.domain.people import Requester
from core.domain.policy import Policy
from core.queue.job_queue import JobQueue, QueueRules
from core.queue.recovery import Recovery
from core.storage import moderation
from core.storage.database import Database, open_database
from core.storage.invariants import check
from core.storage.job_queries import JobQueries
from core.storage.migration_files import MIGRATIONS, read_migrations
from core.storage.migrations import migrate
from core.storage.outbox import Outbox
from core.storage.runs import recent_runs
from core.testing.doubles import ManualClock

NOW = 1_700_000_000_000
NEWEST = read_migrations()[-1].number
SAMPLING = {
    "preset": "fast", "width": 768, "height": 512, "frames": 121, "fps": 24,
    "seed": 2**63 - 1, "camera": "dolly_in", "negative_prompt": "",
}  # fmt: skip
IMAGE = {
    "sha256": "a" * 64, "suffix": ".png", "kind": "image", "size_bytes": 10,
    "width": 640, "height": 480, "seconds": 0.0, "fps": 0.0, "sample_rate": 0,
}  # fmt: skip
REQUESTS = (
    {"mode": "t2v", "prompt": "a kite", "sampling": SAMPLING, "media": {}},
    {"mode": "i2v", "prompt": "", "sampling": SAMPLING, "media": {"image": IMAGE}},
)
DISCORD = {
    "channel": "1", "message": "2", "user": "3", "guild": "", "application": "5", "token": "t",
    "token_until": "6.5", "file_limit": "10000000", "private": "0", "spoiler": "0",
    "locale": "en-US",
}  # fmt: skip
TELEGRAM = {
    "chat": "-1", "message": "2", "asked": "3", "user": "4", "thread": "", "locale": "de",
    "silent": "0",
}  # fmt: skip
OPTIONS = dict.fromkeys(
    ("preset", "width", "height", "aspect", "seconds", "fps", "seed", "camera")
) | {"prompt": "a kite", "negative_prompt": ""}
FORM = {"mode": "i2v", "options": OPTIONS, "media": {"image": IMAGE}, "loose": []}


def add_jobs(db: sqlite3.Connection, version: int) -> None:
    """A waiting job of each mode and platform, and a finished one that is still owed."""
    share = ", share_key" if version >= 6 else ""
    whose = ", 'discord:anna'" if version >= 6 else ""
    for number, (platform, address) in enumerate((("discord", DISCORD), ("telegram", TELEGRAM))):
        values = (json.dumps(REQUESTS[number]), platform, json.dumps(address))
        db.execute(
            f"""INSERT INTO job (id, user_key, idem_key, state, request, reply_platform,
            reply_address, estimate_ms, spread_ms, cost, tag, rank, above_limit, attempt,
            created_at_ms{share}) VALUES ('live{number}', 'discord:anna', 'k{number}', 'held',
            ?, ?, ?, 1000, 0, 1000, {1000 * number}, {1000 * (number + 1)}, 0, 0, {NOW}{whose})""",
            values,
        )
        db.execute(
            f"""INSERT INTO job (id, user_key, idem_key, state, request, reply_platform,
            reply_address, estimate_ms, spread_ms, cost, tag, above_limit, attempt,
            created_at_ms, finished_at_ms, charged_ms, failure_code, failure_data{share})
            VALUES ('over{number}', 'discord:anna', 'o{number}', 'failed', ?, ?, ?, 1000, 0, 1000,
            0, 0, 1, {NOW}, {NOW}, 0, 'worker_lost', '{{"attempts": 3}}'{whose})""",
            values,
        )
        db.execute(
            """INSERT INTO outbox (job_id, dest, state, nonce, attempts, next_at_ms, ambiguous)
            VALUES (?, ?, 'pending', 'n', 0, 0, 0)""",
            (f"over{number}", platform),
        )
        db.execute("INSERT INTO job_event VALUES (NULL, ?, ?, 'held', '')", (f"live{number}", NOW))
    db.execute("INSERT INTO job_media VALUES (?, 'live1')", (f"{'a' * 64}.png",))
    db.execute("INSERT INTO flow VALUES ('discord:anna', 0, 5, 100, 2, 0)")
    limits = ("'own', ", "limit_name, account_key", "unit, amount", "'gpu_ms', ")
    limit, owner, amount, unit = limits if version >= 7 else ("", "user_key", "amount_ms", "")
    db.execute(f"INSERT INTO account VALUES ({limit}'discord:anna', 1, {NOW}, 0, 2000, 0)")
    kinds = [(f"live{n}", "reserve") for n in (0, 1)]
    kinds += [(f"over{n}", kind) for n in (0, 1) for kind in ("reserve", "refund")]
    for job_id, kind in kinds:
        db.execute(
            f"""INSERT INTO ledger (job_id, kind, {owner}, period, {amount}, at_ms)
            VALUES ('{job_id}', '{kind}', {limit}'discord:anna', 1, {unit}1000, {NOW})"""
        )


def add_others(db: sqlite3.Connection, version: int) -> None:
    if version >= 2:
        db.execute(
            f"""INSERT INTO run (job_id, attempt, recorded_at_ms, device, profile, pin, mode,
            preset, width, height, frames, fps, estimate_ms, p95_ms, gpu_ms, wait_ms)
            VALUES ('r', 1, {NOW}, 'cpu', 'bf16', 'p', 't2v', 'fast', 64, 64, 9, 24, 1, 1, 1, 0)"""
        )
        db.execute("INSERT INTO run_part VALUES ('r', 1, 'a part of then', 1.0, 1, 0, 1, 0, 1)")
    if version >= 3:
        memory = "INSERT INTO memory VALUES (?, ?, ?, ?)"
        db.execute(memory, ("telegram-draft", "7:4", json.dumps(FORM), NOW))
        db.execute(memory, ("telegram-file", "over0", '"file id"', NOW))
        rules = {"channels": ["1"], "modes": ["t2v"], "max_seconds": 5.0, "words": []}
        db.execute("INSERT INTO policy VALUES ('discord:1', ?, 1)", (json.dumps(rules),))
        db.execute(f"INSERT INTO audit VALUES (NULL, {NOW}, 'a:1', 'block', 'b:2', '')")
    if version >= 5:
        db.execute(f"INSERT INTO notice VALUES (NULL, 'discord:1', 'linked', '{{}}', {NOW})")


@pytest.fixture(params=range(1, NEWEST + 1))
def left_by_then(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    version: int = request.param
    files = tmp_path / "migrations"
    (files / "versions").mkdir(parents=True)
    shutil.copy(MIGRATIONS / "env.py", files)
    for path in (*MIGRATIONS.glob("*.sql"), *MIGRATIONS.glob("versions/*.py")):
        if int(path.name[:4]) <= version:
            shutil.copy(path, files / path.relative_to(MIGRATIONS))
    migrate(tmp_path / "clapper.sqlite", ManualClock(NOW), files)
    with closing(sqlite3.connect(tmp_path / "clapper.sqlite")) as db:
        add_jobs(db, version)
        add_others(db, version)
        db.commit()
    return tmp_path


async def test_every_row_of_every_version_is_read(left_by_then: Path):
    clock = ManualClock(NOW)
    url = f"sqlite+aiosqlite:///{left_by_then / 'clapper.sqlite'}"
    async with open_database(url, left_by_then, clock) as database:
        await Recovery(database, QueueRules(), left_by_then, clock).recover()
        jobs = JobQueries(database, left_by_then)
        queue = JobQueue(database, QueueRules(), left_by_then, clock)

        assert all(job.asked for job in await jobs.jobs_of(Requester("discord", "anna")))
        due = await Outbox(database, left_by_then, clock).due()
        addresses = {one.job.reply_to.platform: one.job.reply_to for one in due}
        assert DiscordAddress.of(addresses["discord"]).token == "t"
        assert not TelegramAddress.of(addresses["telegram"]).silent
        claimed = await queue.claim()
        assert claimed is not None
        assert claimed.state is JobState.RUNNING
        await _read_what_is_there(database, clock)
        async with database.transaction() as connection:
            assert await check(connection) == []


async def _read_what_is_there(database: Database, clock: ManualClock) -> None:
    for value in (await FrontState(database, clock).recall_all("telegram-draft")).values():
        form = RequestForm.from_json(value)
        assert (form.options.prompt, form.missing()) == ("a kite", [])
    await Notices(database, clock).owed("discord")
    async with database.transaction() as connection:
        rules = await moderation.load_rules(connection, "discord:1")
        await recent_runs(connection, 10)
        await moderation.notes(connection, 10)
    if rules is not None:
        assert Policy.from_json(rules).channels == ("1",)
