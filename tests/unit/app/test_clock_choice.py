"""The clock of a core goes by the server with the rows, wherever there is one."""

import pytest
from sqlalchemy import event

from core.app.clock_choice import clock_of, correct
from core.runtime.clock import DatabaseClock, SteadyClock, boot_ms, now_ms
from core.storage.database import Database


@pytest.fixture
async def database(settings):
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    opened = Database(settings.database)
    yield opened
    await opened.close()


async def test_rows_on_a_server_have_its_time_and_a_file_that_of_the_machine(settings, database):
    async with clock_of(settings, database) as clock:
        assert isinstance(clock, DatabaseClock if database.file is None else SteadyClock)
        assert abs(clock() - now_ms()) < 1000  # here they are one machine


async def test_a_clock_that_is_far_off_is_put_right_by_new_connections(database):
    opened = []
    event.listen(database.engine.sync_engine, "connect", lambda *_: opened.append(1))
    clock = DatabaseClock()
    clock.follow(now_ms() - boot_ms() - 3_600_000)
    await database.time_ms()

    await correct(database, clock)

    assert abs(clock() - now_ms()) < 1000
    assert len(opened) == 2
    await correct(database, clock)
    assert len(opened) == 2
