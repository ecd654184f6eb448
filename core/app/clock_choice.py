"""Which clock the service goes by: this machine's, or that of the server with the rows."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import structlog

from core.runtime.clock import STEP_MS, Clock, DatabaseClock, SteadyClock, boot_ms
from core.runtime.tasks import outcome_of
from core.settings import Settings
from core.storage.addresses import is_postgres
from core.storage.database import Database

log = structlog.get_logger(__name__)

ASK_S = 60.0
SLOW_MS = 1_000  # an answer that took longer says too little


@asynccontextmanager
async def clock_of(settings: Settings, database: Database) -> AsyncGenerator[Clock]:
    """Give the clock of the rows, which is kept right inside the block.

    Raises:
        StorageUnavailable: the server does not tell its time.
    """
    if not is_postgres(settings.database):
        yield SteadyClock()
        return
    clock = DatabaseClock()
    clock.follow(await measured(database, clock))
    keeping = asyncio.create_task(_keep(database, clock))
    try:
        yield clock
    finally:
        keeping.cancel()
        await asyncio.wait({keeping})


async def measured(database: Database, clock: DatabaseClock) -> int:
    """Ask how far the server is ahead of ``clock``, in milliseconds; the quickest of a few answers.

    Raises:
        StorageUnavailable: it does not answer.
    """
    best_ms, away_ms = SLOW_MS * 60, 0
    for _ in range(3):
        asked = boot_ms()
        told = await database.time_ms()
        answered = boot_ms()
        if answered - asked < best_ms:
            best_ms, away_ms = answered - asked, clock.away_ms(told, asked, answered)
        if best_ms < SLOW_MS:
            break
    return away_ms


async def correct(database: Database, clock: DatabaseClock) -> None:
    """Let ``clock`` follow the server; after a step of it, by connections that are made anew.

    Raises:
        StorageUnavailable: it does not answer.
    """
    away_ms = await measured(database, clock)
    if abs(away_ms) > STEP_MS:
        await database.reconnect()  # it may be another server by now
        away_ms = await measured(database, clock)
        log.warning("database_clock_stepped", by_s=away_ms / 1000)
    clock.follow(away_ms)


async def _keep(database: Database, clock: DatabaseClock) -> None:
    while True:
        await asyncio.sleep(ASK_S)
        done = await outcome_of(correct(database, clock))
        if not done.ok:
            log.info("database_time_not_known", reason=type(done.error).__name__)
