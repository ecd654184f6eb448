"""Health and refusals while another program holds the database."""

import asyncio
import sqlite3
import time
from collections.abc import Generator
from contextlib import closing

import pytest

from core.app.core import Core
from core.domain.jobs import ReplyTo
from core.domain.people import Requester
from core.errors.storage import DatabaseLocked, StorageUnavailable
from core.i18n.messages import explain, languages
from core.settings import Settings
from core.testing.doubles import t2v
from core.testing.jobs import submit_request

ANN = Requester("discord", "ann")


@pytest.fixture
def held(core: Core, settings: Settings) -> Generator[sqlite3.Connection]:
    file = settings.data_dir / "clapper.sqlite"
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield other


@pytest.mark.sqlite
async def test_health_answers_quickly_while_another_program_holds_the_database(
    core: Core, held: sqlite3.Connection
) -> None:
    began = time.monotonic()
    answers = await asyncio.gather(*(core.health.read() for _ in range(5)), return_exceptions=True)
    took = time.monotonic() - began
    held.execute("ROLLBACK")

    assert [type(answer) for answer in answers] == [StorageUnavailable] * 5
    assert took < 4.5
    assert (await core.health.read()).intake == "open"


@pytest.mark.sqlite
async def test_a_submit_that_was_refused_by_a_lock_can_be_sent_again(
    core: Core, held: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(StorageUnavailable) as refused:
        await submit_request(core, t2v(), ANN, ReplyTo("test"), "key")
    held.execute("ROLLBACK")
    ticket = await submit_request(core, t2v(), ANN, ReplyTo("test"), "key")
    again = await submit_request(core, t2v(), ANN, ReplyTo("test"), "key")

    assert isinstance(refused.value.__cause__, DatabaseLocked)
    assert ticket.job_id == again.job_id
    for language in languages():
        assert str(core.settings.data_dir) not in explain(refused.value, language)
