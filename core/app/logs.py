"""Logging for people and machines, without secrets.

Every line passes :class:`Redaction` last, as finished text, so a token in a message, an argument or
a traceback is gone whatever library wrote it.
"""

import logging
import re
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING

import structlog
from pydantic import SecretStr

from core.control.logs import RecentLines
from core.settings import Settings

if TYPE_CHECKING:
    from structlog.typing import Processor

HIDDEN = "[hidden]"
RECENT = RecentLines()  # of this process
# The Telegram token stands in every request's address, Discord's and the Hub's may stand in errors.
TOKENS = re.compile(
    r"\d{6,12}:[A-Za-z0-9_-]{30,}"
    r"|[A-Za-z0-9_-]{23,28}\.[A-Za-z0-9_-]{6,7}\.[A-Za-z0-9_-]{27,}"
    r"|hf_[A-Za-z0-9]{20,}"
    r"|(?i:bearer)\s+[A-Za-z0-9._-]{16,}"
    r"|aW50ZXJhY3Rpb2[A-Za-z0-9_-]{16,}"  # Discord's interactions: what may answer for us
)
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
)


class Redaction:
    """Replaces known secrets and whatever looks like a token."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        known = sorted({re.escape(secret) for secret in secrets if len(secret) >= 8}, reverse=True)
        self._known = re.compile("|".join(known)) if known else None

    def __call__(self, text: str) -> str:
        """Return ``text`` without secrets."""
        if self._known is not None:
            text = self._known.sub(HIDDEN, text)
        return TOKENS.sub(HIDDEN, text)


class _Redacted(structlog.stdlib.ProcessorFormatter):
    redaction = Redaction()

    def format(self, record: logging.LogRecord) -> str:
        return self.redaction(super().format(record))


def set_up_logging(
    level: str = "info", *, as_json: bool = False, secrets: Iterable[str] = ()
) -> None:
    """Send all logging of the process to standard error, ours and every library's.

    Args:
        level: ``debug``, ``info``, ``warning`` or ``error``.
        as_json: one JSON object a line, for machines.
        secrets: values that never appear, beside everything that looks like a token.
    """
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    last: list[Processor] = [structlog.stdlib.ProcessorFormatter.remove_processors_meta]
    if as_json:
        last += [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    else:  # plain tracebacks: rich ones print local variables, and prompts are among them
        plain = structlog.dev.plain_traceback
        last.append(
            structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=plain)
        )
    formatter = _Redacted(foreign_pre_chain=shared, processors=last)
    formatter.redaction = Redaction(secrets)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    RECENT.setFormatter(formatter)
    root.handlers[:] = [handler, RECENT]
    root.setLevel(level.upper())
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )


def secrets_of(settings: Settings) -> list[str]:
    """Return the plain text of every secret in ``settings``."""
    values = settings.values().values()
    return [value.get_secret_value() for value in values if isinstance(value, SecretStr)]
