"""What the web server writes: to our log, and not what is no trouble."""

import asyncio
import logging

_OF_SERVER = ("uvicorn", "uvicorn.access")
_CUT_OFF = "timeout graceful shutdown exceeded"


def join_server_log() -> None:
    """Let the server write to our log, where secrets are hidden and the format is the asked one.

    Its own configuration, which Gradio leaves as it is, writes past it.
    """
    for name in _OF_SERVER:
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
    logging.getLogger("uvicorn.error").addFilter(_is_trouble)


def _is_trouble(record: logging.LogRecord) -> bool:
    """Tell whether somebody should know; that a stop ends a download or an open page is no news."""
    error = record.exc_info[1] if record.exc_info else None
    cut_off = isinstance(error, asyncio.CancelledError) and _CUT_OFF in str(error)
    return not cut_off and not (error is None and _CUT_OFF in str(record.msg))
