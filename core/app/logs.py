"""Logging for people and machines, without secrets.

Every line passes :class:`Redaction` last, as finished text, so a token in a message, an argument or
a traceback is gone whatever library wrote it.
"""

import logging
import os
import sys
import threading
from collections.abc import Iterable
from copy import copy
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import TYPE_CHECKING

import structlog
from pydantic import SecretStr

from core.app.log_lines import as_json_line, on_one_line, plain_traceback
from core.app.log_place import prepare_log_place
from core.app.redaction import Redaction
from core.app.repeated_errors import ANSWER, RepeatedErrors
from core.control.logs import RecentLines
from core.domain.limits import MEGABYTE
from core.errors.setup import BadConfiguration
from core.runtime.paths import readable
from core.settings import Settings

if TYPE_CHECKING:
    from structlog.typing import EventDict, Processor

RECENT = RecentLines()  # of this process
# at their finer levels they write whole payloads, and prompts are among them
QUIET = (
    "httpx",
    "httpx2",  # the hub's client has its own
    "httpcore",
    "httpcore2",
    "aiosqlite",
    "asyncio",
    "PIL",
    "libav",
    "multipart",
    "urllib3",
    "discord",
    "procrastinate",  # every token
)


class _Redacted(structlog.stdlib.ProcessorFormatter):
    redaction = Redaction()

    def format(self, record: logging.LogRecord) -> str:
        try:
            _ = record.getMessage() if record.args else ""
        except (TypeError, ValueError, LookupError, AttributeError):  # of a library's own making
            record = copy(record)
            record.msg, record.args = f"{record.msg!r} % {record.args!r}", ()
        return self.redaction(super().format(record))


class _PrivateLog(RotatingFileHandler):
    """A log file for its owner only, whatever the umask; at a size it begins anew."""

    def _open(self) -> TextIOWrapper:
        opened = os.open(self.baseFilename, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.fchmod(opened, 0o600)
        return os.fdopen(opened, "a", encoding="utf-8", errors="backslashreplace")


def log_file(path: Path, megabytes: float, kept: int) -> logging.Handler:
    """Return what writes into the file ``path``.

    Args:
        path: of the newest file; older ones are ``path.1``, ``path.2`` …
        megabytes: decimal, at which a new file begins.
        kept: how many older files stay.

    Raises:
        BadConfiguration: nothing can be written there.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return _PrivateLog(path, maxBytes=round(megabytes * MEGABYTE), backupCount=kept)
    except OSError as error:
        reason = f"{readable(path)}: {error.strerror or type(error).__name__}"
        raise BadConfiguration("CLAPPER_LOG_FILE", reason) from None


def log_as(settings: Settings) -> None:
    """Log as ``settings`` say, and hide every secret that they hold, for as long as we run.

    Warnings of libraries and errors that nobody caught are logged too: secrets may stand in them.

    Raises:
        BadConfiguration: nothing can be written to the log file.
        SetupProblem: it is to lie in the data directory, which cannot be ours.
    """
    log = settings.log
    prepare_log_place(settings)
    file = log_file(log.file, log.file_megabytes, log.files) if log.file else None
    set_up_logging(log.level, as_json=log.format == "json", secrets=secrets_of(settings), also=file)
    _take_over()


def set_up_logging(
    level: str = "info",
    *,
    as_json: bool = False,
    secrets: Iterable[str] = (),
    also: logging.Handler | None = None,
) -> None:
    """Send all logging of the process to standard error, ours and every library's.

    Args:
        level: ``debug``, ``info``, ``warning`` or ``error``.
        as_json: one JSON object a line, for machines.
        secrets: values that never appear, beside everything that looks like a token.
        also: gets the same lines, without colours.
    """
    shared = _shared()
    redaction = Redaction(secrets)
    repeated = RepeatedErrors()
    streams = [logging.StreamHandler(sys.stderr), *([also] if also else [])]
    for handler in streams:
        colours = handler is not also and sys.stderr is not None and sys.stderr.isatty()  # pyright: ignore[reportUnnecessaryComparison]  # None where it was closed before the start
        handler.setFormatter(_formatter(shared, redaction, as_json=as_json, colours=colours))
        handler.addFilter(repeated)
    root = logging.getLogger()
    RECENT.setFormatter(_formatter(shared, redaction, as_json=as_json, colours=False))
    root.handlers[:] = [*streams, RECENT]
    root.setLevel(level.upper())
    for name in QUIET:
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )


def _shared() -> list["Processor"]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        _without_answer,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]


def _without_answer(_: object, __: str, event: "EventDict") -> "EventDict":
    """Leave out what a filter noted on the record of a library."""
    event.pop(ANSWER, None)
    return event


def _formatter(
    shared: list["Processor"], redaction: Redaction, *, as_json: bool, colours: bool
) -> logging.Formatter:
    last: list[Processor] = [structlog.stdlib.ProcessorFormatter.remove_processors_meta]
    if as_json:
        written = structlog.processors.JSONRenderer(as_json_line)
        last += [structlog.processors.format_exc_info, written]
    else:
        shown = structlog.dev.ConsoleRenderer(colors=colours, exception_formatter=plain_traceback)
        last += [on_one_line, shown]
    formatter = _Redacted(foreign_pre_chain=shared, processors=last)
    formatter.redaction = redaction
    return formatter


def _take_over() -> None:
    """Let every line that libraries and Python itself would write past us go through us."""
    logging.captureWarnings(capture=True)
    for logger in list(logging.root.manager.loggerDict.values()):
        if isinstance(logger, logging.Logger) and logger.handlers:
            logger.handlers[:] = []
            logger.propagate = True
    threading.excepthook = lambda broke: _uncaught(broke.exc_value)
    sys.unraisablehook = lambda broke: _uncaught(broke.exc_value)
    sys.excepthook = lambda _kind, error, _where: _uncaught(error)


def _uncaught(error: BaseException | None) -> None:
    logging.getLogger("python").error("nobody_caught_this", exc_info=error)


def secrets_of(settings: Settings) -> list[str]:
    """Return the plain text of every secret in ``settings``."""
    values = settings.values().values()
    return [value.get_secret_value() for value in values if isinstance(value, SecretStr)]
