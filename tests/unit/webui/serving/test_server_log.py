"""What the web server writes comes to our log, and a stop is no trouble."""

import asyncio
import logging
from collections.abc import Iterator

import pytest

from webui.serving.server_log import join_server_log

NAMES = ("uvicorn", "uvicorn.error", "uvicorn.access")
CUT_OFF = "timeout graceful shutdown exceeded"


@pytest.fixture(autouse=True)
def _as_it_was() -> Iterator[None]:
    loggers = [logging.getLogger(name) for name in NAMES]
    before = [(one.handlers[:], one.propagate, one.filters[:]) for one in loggers]
    yield
    for one, (handlers, propagate, filters) in zip(loggers, before, strict=True):
        one.handlers[:], one.propagate, one.filters[:] = handlers, propagate, filters


def test_lines_of_the_server_pass_through_our_log(caplog: pytest.LogCaptureFixture) -> None:
    for name in NAMES:  # as the server's own configuration leaves them
        logging.getLogger(name).addHandler(logging.NullHandler())
        logging.getLogger(name).propagate = name == "uvicorn.error"
    join_server_log()

    logging.getLogger("uvicorn.error").warning("Invalid HTTP request received.")

    assert [record.getMessage() for record in caplog.records] == ["Invalid HTTP request received."]
    assert not [name for name in ("uvicorn", "uvicorn.access") if logging.getLogger(name).handlers]


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (asyncio.CancelledError(f"Task cancelled, {CUT_OFF}"), 0),
        (asyncio.CancelledError("somebody else"), 1),
        (RuntimeError(CUT_OFF), 1),
    ],
)
def test_only_what_a_stop_cut_off_is_left_out(
    caplog: pytest.LogCaptureFixture, error: BaseException, told: int
) -> None:
    join_server_log()
    log = logging.getLogger("uvicorn.error")

    log.error("Exception in ASGI application\n", exc_info=error)
    log.error("Cancel %s running task(s), " + CUT_OFF, 2)  # noqa: G003  # as uvicorn writes it

    assert len(caplog.records) == told
