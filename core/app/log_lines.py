"""How an event of the log is written: JSON that every reader takes, or text that steers nothing."""

import json
from collections.abc import Callable, Mapping
from io import StringIO
from math import isfinite
from typing import TYPE_CHECKING, Any, TextIO, cast

import structlog

from core.runtime.terminal_text import printable

if TYPE_CHECKING:
    from structlog.typing import EventDict, ExcInfo

_DEEPEST = 20  # levels of what is logged; deeper, or in a circle, it is told by its name


def as_json_line(event: Any, default: Callable[[Any], Any], **_: object) -> str:  # noqa: ANN401  # structlog's
    """Write ``event`` as JSON, whatever a library put into it."""
    try:
        return json.dumps(event, default=default, allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        return json.dumps(_plain(event, 0))


def on_one_line(_: object, __: str, event: "EventDict") -> "EventDict":
    """Spell out what would begin a line of its own, or steer the terminal that shows it."""
    event["event"] = printable(str(event.get("event", ""))).replace("\n", "\\n")
    return event


def plain_traceback(stream: TextIO, exc_info: "ExcInfo") -> None:
    """Write a traceback without local variables: rich ones print them, and prompts are there."""
    written = StringIO()
    structlog.dev.plain_traceback(written, exc_info)
    stream.write(printable(written.getvalue()))


def _plain(value: object, depth: int) -> object:
    """Return what JSON can hold of ``value``."""
    if isinstance(value, float) and not isfinite(value):
        return str(value)
    if value is None or isinstance(value, str | int | float):
        return value
    if depth < _DEEPEST and isinstance(value, Mapping):
        held = cast("Mapping[object, object]", value)
        return {str(key): _plain(one, depth + 1) for key, one in held.items()}
    if depth < _DEEPEST and isinstance(value, list | tuple):
        return [_plain(one, depth + 1) for one in cast("list[object]", value)]
    return repr(value) if depth < _DEEPEST else type(value).__name__
