"""Do what a front does every hour: drop what is too old."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import structlog

from core.runtime.tasks import outcome_of

log = structlog.get_logger(__name__)

EVERY_S = 3600.0


async def hourly(chore: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Do ``chore`` now and every hour, until cancelled; a failure is told and does not end it."""
    while True:
        done = await outcome_of(chore())
        if done.error is not None:
            log.error("clean_up_failed", exc_info=done.error)
        await asyncio.sleep(EVERY_S)
