"""What became of a run on the executor's thread, for who waits for it and where nobody does."""

from typing import TYPE_CHECKING

import structlog

from core.domain.media import RawClip
from core.errors import Cancelled, ClapperError, InternalError

if TYPE_CHECKING:
    import asyncio

_log = structlog.get_logger(__name__)


def result_of(running: "asyncio.Future[RawClip]") -> RawClip:
    """Return what ``running`` made, or raise what it raised.

    Raises:
        InternalError: it was none of the exceptions that say what went wrong.
    """
    error = running.exception()
    if error is not None and not isinstance(error, Exception):
        raise InternalError from error
    return running.result()


def drop_outcome(running: "asyncio.Future[RawClip]") -> None:
    """Look at the outcome of a run that nobody waits for, so that asyncio does not complain."""
    if not running.cancelled():
        error = running.exception()
        if error is not None and not isinstance(error, ClapperError | Cancelled):
            _log.error("run_broke", exc_info=error)
