"""Turn a code and its data into words, which are in ``core/i18n/words/<language>/*.toml``.

A sentence uses named fields with our own formats, so that every language writes numbers its way::

    media_too_large = "The {role:name} has {size_bytes:bytes}; at most {limit_bytes:bytes} fit. …"

Formats: ``bytes`` (decimal), ``seconds``, ``gpu`` (milliseconds as minutes and seconds), ``clock``
(epoch milliseconds as date and time where the reader is, or else in UTC), ``number``, ``name`` (an
identifier as a word of the language, from its ``[names]`` table). A word that follows a number is
chosen by the language's own plurals, all of which a sentence names::

    models_ready = "{count} {count:one=file is|other=files are} ready."
"""

import json
import tomllib
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import tzinfo
from functools import cache
from pathlib import Path
from string import Formatter
from typing import Any

from core.domain.adjustments import Adjustment
from core.domain.jobs import Failure
from core.errors import ClapperError, Scalar
from core.i18n.formats import Amounts, is_choice, zone_of
from core.i18n.isolation import isolated

WORDS = Path(__file__).parent / "words"
DEFAULT_LANGUAGE = "en"
SHORT_ID = 8  # characters of a job's id that people see and type
_READER: ContextVar[str | None] = ContextVar("reader", default=None)  # where no locale is named
_ZONE: ContextVar[tzinfo | None] = ContextVar("zone", default=None)  # where the reader is


@dataclass(slots=True)
class _Terminal:
    locale: str | None = None


_terminal = _Terminal()  # whoever sits there reads all that names no reader, in every thread


@cache
def languages() -> tuple[str, ...]:
    """Return the languages that have words, the default first."""
    found = sorted(path.name for path in WORDS.iterdir() if path.is_dir())
    return (DEFAULT_LANGUAGE, *(name for name in found if name != DEFAULT_LANGUAGE))


@cache
def sentences(language: str) -> Mapping[str, str]:
    """Return every sentence of ``language`` by code; ``names.…`` are words for identifiers.

    Words of a thing are in a table of its own: ``mode.lipsync.what``, ``option.seconds.hint``.
    """
    found: dict[str, str] = {}
    for path in sorted((WORDS / language).glob("*.toml")):
        _flatten(tomllib.loads(path.read_text("utf-8")), "", found)
    return found


def _flatten(table: Mapping[str, Any], prefix: str, found: dict[str, str]) -> None:
    for key, value in table.items():
        if isinstance(value, str):
            found[prefix + key] = value
        else:
            _flatten(value, f"{prefix}{key}.", found)


def language_of(locale: str | None) -> str:
    """Choose the language for ``locale`` (``de``, ``de-AT``, ``en_GB``).

    None is the one of :func:`speaking`, else that of :func:`speak_in_terminal`, else the default.
    """
    found = locale or _READER.get() or _terminal.locale or ""
    short = found.replace("_", "-").split("-")[0].lower()
    return short if short in languages() else DEFAULT_LANGUAGE


def speak_in_terminal(locale: str | None) -> None:
    """Say from now on what names no locale in this one; None for the default.

    A process that serves people of all languages leaves it at the default.
    """
    _terminal.locale = locale


@contextmanager
def speaking(locale: str, zone: str = "") -> Generator[None]:
    """Let what is said inside the block be in the language of ``locale`` unless it names another.

    It holds for the tasks and calls that begin there, also on another loop.

    Args:
        locale: of the reader.
        zone: where the reader is, as ``Europe/Berlin``; moments are in UTC where nobody knows.
    """
    before, placed = _READER.set(locale), _ZONE.set(zone_of(zone))
    try:
        yield
    finally:
        _READER.reset(before)
        _ZONE.reset(placed)


def say(code: str, data: Mapping[str, object] | None = None, locale: str | None = None) -> str:
    """Say the sentence for ``code`` in the language of ``locale``.

    Args:
        code: a key of the word files.
        data: what fills its fields; unknown fields are a defect and raise KeyError.
        locale: the reader's, as the platform tells it; English where we have no words.

    Returns:
        Plain text without markup. Data is inserted literally; for who reads it elsewhere than in
        the terminal, words of people are isolated.
    """
    language, page = language_of(locale), bool(locale or _READER.get())
    template = sentences(language).get(code) or sentences(DEFAULT_LANGUAGE)[code]
    return _Words(language, isolate=page).vformat(template, (), data or {})


def explain(problem: ClapperError | Failure | Adjustment, locale: str | None = None) -> str:
    """Explain ``problem`` to a person: the limit, and what to do."""
    if not isinstance(problem, Failure):
        data = problem.data() if isinstance(problem, ClapperError) else problem.data
        return say(problem.code, data, locale)
    try:
        return say(problem.code, problem.data, locale)
    except (LookupError, ValueError, TypeError, OverflowError, OSError):
        # another version stored it: its sentence, or a field of ours, is not there
        return say("generation_failed", {}, locale)


def explain_end(failure: Failure, charged_ms: int | None, locale: str | None = None) -> str:
    """Explain why a job ended without a clip, and which device time it cost all the same."""
    code = f"lent.{failure.code}"
    if not charged_ms or code not in sentences(DEFAULT_LANGUAGE):
        return explain(failure, locale)
    data = {**failure.data, "charged_ms": charged_ms}
    try:
        return say(code, data, locale)
    except (LookupError, ValueError, TypeError, OverflowError, OSError):
        return say("lent.generation_failed", data, locale)


def say_each(listed: str, locale: str | None = None) -> list[str]:
    """Say each of several problems, which ``listed`` holds as JSON: pairs of code and fields."""
    return [say(code, data, locale) for code, data in json.loads(listed)]


def name(identifier: str, locale: str | None = None) -> str:
    """Return the word for a role, stage, state, mode or option."""
    words = sentences(language_of(locale))
    for code in (f"names.{identifier}", f"mode.{identifier}.name", f"option.{identifier}.name"):
        if code in words:
            return words[code]
    return identifier.replace("_", " ")


class _Words(Formatter):
    def __init__(self, language: str, *, isolate: bool) -> None:
        self.language = language
        self._isolate = isolate
        self._amounts = Amounts(language, sentences(language))

    def get_value(
        self, key: int | str, args: Sequence[Any], kwargs: Mapping[str, Any]
    ) -> Scalar | object:
        del args
        return kwargs[str(key)]

    def format_field(self, value: object, format_spec: str) -> str:
        amounts = self._amounts
        if self._isolate and isinstance(value, str) and format_spec in ("", "more"):
            value = isolated(value)
        if is_choice(format_spec):
            return amounts.plural(float(str(value)), format_spec)
        write = {
            "bytes": lambda: amounts.bytes(float(str(value))),
            "seconds": lambda: amounts.seconds(float(str(value))),
            "gpu": lambda: amounts.minutes(float(str(value)) / 1000),
            "wait": lambda: amounts.minutes(max(1.0, float(str(value)))),
            "clock": lambda: amounts.moment(value, _ZONE.get()),
            "number": lambda: amounts.number(value),
            "millions": lambda: amounts.number(float(str(value)) / 1e6),
            "unit": lambda: self._behind(str(value)),  # behind a number, where it has one
            "short": lambda: str(value)[:SHORT_ID],  # of an id, as people type it
            "more": lambda: f" {value}" if value else "",  # behind a word, where there is more
            "name": lambda: name(str(value), self.language),
            "problems": lambda: "\n".join(say_each(str(value), self.language)),
        }.get(format_spec)
        return write() if write else super().format_field(value, format_spec)

    def _behind(self, unit: str) -> str:
        return f" {sentences(self.language).get(f'unit.{unit}', unit)}" if unit else ""
