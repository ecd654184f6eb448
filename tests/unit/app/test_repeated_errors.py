"""The same error again and again is written once and counted: it must not fill the disk."""

import io
import logging
from collections.abc import Iterator
from itertools import product
from uuid import uuid4

import pytest
import structlog

from core.app.logs import set_up_logging
from core.app.repeated_errors import RepeatedErrors

log = structlog.get_logger("queue")


@pytest.fixture
def now() -> list[float]:
    return [0.0]


@pytest.fixture
def written(now: list[float]) -> Iterator[io.StringIO]:
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    set_up_logging()
    handler = root.handlers[0]  # of standard error; the other one keeps the newest lines
    assert any(isinstance(one, RepeatedErrors) for one in handler.filters)
    handler.filters[:] = [RepeatedErrors(600, lambda: now[0])]
    assert isinstance(handler, logging.StreamHandler)
    handler.setStream(io.StringIO())
    yield handler.stream
    root.handlers[:] = before
    root.setLevel(level)
    structlog.reset_defaults()


def fail(event: str = "claim_failed", error: str = "database or disk is full") -> None:
    try:
        raise OSError(28, error)  # noqa: TRY301  # as it comes
    except OSError as caught:
        log.error(event, exc_info=caught)  # noqa: TRY400  # as we write them


def test_an_error_that_comes_again_is_counted_not_written(
    written: io.StringIO, now: list[float]
) -> None:
    for _ in range(1000):
        fail()
        now[0] += 0.5
    text = written.getvalue()
    assert text.count("Traceback") == 1
    assert len(text) < 3000

    now[0] += 600
    log.info("something else")
    text = written.getvalue()
    assert text.count("claim_failed came 999 times more") == 1
    assert "disk is full" in text.splitlines()[-2]

    fail()
    assert written.getvalue().count("Traceback") == 2


def test_another_error_and_another_place_are_written(written: io.StringIO) -> None:
    fail()
    fail(error="input/output error")
    fail(event="outcome_not_written")
    assert written.getvalue().count("Traceback") == 3


def test_what_libraries_log_is_counted_too(written: io.StringIO) -> None:
    for _ in range(50):
        try:
            raise OSError(28, "no space left")  # noqa: TRY301
        except OSError:
            logging.getLogger("library").exception("cannot write")
            log.exception("nor we")
    assert written.getvalue().count("Traceback") == 2


def test_what_is_no_error_is_always_written(written: io.StringIO) -> None:
    for _ in range(5):
        log.info("outcome", kind="same")
        log.error("invariant_broken", violation="same")
    assert written.getvalue().count("outcome") == 5
    assert written.getvalue().count("invariant_broken") == 5


def test_many_different_errors_are_bounded_in_memory(
    written: io.StringIO, now: list[float]
) -> None:
    letters = "abcdefghij"
    for first, second, third in product(letters, repeat=3):
        fail(error=f"broken {first}{second}{third}x")
    found = [one for handler in logging.getLogger().handlers for one in handler.filters]
    [repeated] = [one for one in found if isinstance(one, RepeatedErrors)]
    assert 0 < len(repeated._counts) <= 200


def test_an_error_about_another_job_is_the_same_error(written: io.StringIO) -> None:
    for number in range(100):
        fail(error=f"disk full at job {uuid4().hex}, page {number}")
    assert written.getvalue().count("Traceback") == 1
