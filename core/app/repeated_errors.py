"""Log the same error once with its traceback, then count it, so that a full disk is not filled."""

import logging
import re
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias, cast

PERIOD_S = 600.0
KEYS = 200  # different errors that are counted at a time; more are logged in full

ANSWER = "clapper_passes"  # an attribute of the record
_NUMBERS = re.compile(r"\b[0-9a-f]{8,}\b|\d+")  # of a job, a page, a time: the error is the same

_Key: TypeAlias = tuple[str, str, str]  # logger, what happened, the error


@dataclass
class _Count:
    since_s: float
    again: int = 0


class RepeatedErrors(logging.Filter):
    """Lets an error with a traceback pass once a period; what it held back is counted and told."""

    def __init__(
        self, period_s: float = PERIOD_S, now: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__()
        self._period_s = period_s
        self._now = now
        self._counts: dict[_Key, _Count] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether ``record`` is written; every handler that asks gets the same answer."""
        if not hasattr(record, ANSWER):
            setattr(record, ANSWER, self._passes(record))
        return bool(getattr(record, ANSWER))

    def _passes(self, record: logging.LogRecord) -> bool:
        self._tell_ended()
        key = _key_of(record)
        if key is None:
            return True
        count = self._counts.get(key)
        if count is not None:
            count.again += 1
            return False
        if len(self._counts) < KEYS:
            self._counts[key] = _Count(self._now())
        return True

    def _tell_ended(self) -> None:
        """Tell how often the errors came again whose period is over."""
        now = self._now()
        ended = [key for key, one in self._counts.items() if now - one.since_s >= self._period_s]
        told = [(key, self._counts.pop(key)) for key in ended]
        for (logger, event, error), count in told:
            if count.again:
                logging.getLogger(logger or None).error(
                    "%s came %d times more in %d s: %s",
                    event,
                    count.again,
                    now - count.since_s,
                    error,
                )


def _key_of(record: logging.LogRecord) -> _Key | None:
    """Return what makes ``record`` the same as another one; None where it is no error."""
    event, given = record.msg, record.exc_info
    if isinstance(event, dict):  # one of structlog's
        fields = cast("dict[str, Any]", event)
        event, given = fields.get("event"), fields.get("exc_info")
    error = _error_of(given)
    return (
        None if error is None else (record.name, str(event), _NUMBERS.sub("#", repr(error))[:500])
    )


def _error_of(given: object) -> BaseException | None:
    if given is True:
        return sys.exc_info()[1]
    if isinstance(given, tuple):
        return cast("tuple[object, BaseException | None, object]", given)[1]
    return given if isinstance(given, BaseException) else None
