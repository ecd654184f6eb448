"""Rows that a test adds to the table of options, as somebody who adds an option would."""

import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import field, make_dataclass
from typing import Any

import pytest

from core.domain import options, requests
from core.domain.limits import RequestLimits
from core.domain.modes import Mode
from core.domain.options import BY_TYPED_NAME, OPTIONS, Option, OptionKind
from core.i18n.messages import languages, sentences

# one of each kind, one only for some modes
NEW_ROWS = (
    Option("lighting", OptionKind.TEXT, kept=True),
    Option("weather", OptionKind.CHOICE, ("sun", "rain"), default="sun", kept=True),
    Option(
        "strength",
        OptionKind.NUMBER,
        bounds=lambda _: (0, 2),
        modes=frozenset({Mode.T2V, Mode.STYLE}),
        kept=True,
    ),
    Option("takes", OptionKind.COUNT, bounds=lambda _: (1, 9), unit="px", kept=True),
)


@contextmanager
def added_rows(rows: Sequence[Option] = NEW_ROWS) -> Generator[None]:
    """Add ``rows`` to the table, to what is typed, to the request and to the words, for a while.

    Every module that names one of these is given the new one. What reads the table where it is
    imported has to be imported before.
    """
    typed = [(row.name, Any, field(default=row.blank)) for row in rows]
    kept = [(row.name, Any, field(default=row.default or row.blank)) for row in rows if row.kept]
    swaps: list[tuple[object, object]] = [
        (old, make_dataclass(old.__name__, more, bases=(old,), frozen=True, slots=True))
        for old, more in ((options.Options, typed), (requests.Sampling, kept))
    ]
    swaps.append((options.KEPT, (*options.KEPT, *(row for row in rows if row.kept))))
    with pytest.MonkeyPatch.context() as patch:
        for row in rows:
            patch.setitem(OPTIONS, row.name, row)
            patch.setitem(BY_TYPED_NAME, row.name, row)
            for language in languages():
                words: Any = sentences(language)
                patch.setitem(words, f"option.{row.name}.name", f"{row.name} of {language}")
                patch.setitem(words, f"option.{row.name}.hint", f"Hint on {row.name}")
        for old, new in swaps:
            _swap(old, new)
        try:
            yield
        finally:  # also in what was imported meanwhile
            for old, new in swaps:
                _swap(new, old)


def _swap(old: object, new: object) -> None:
    for module in list(sys.modules.values()):
        for name, value in list(vars(module).items()):
            if value is old:
                setattr(module, name, new)


def sample(option: Option, limits: RequestLimits) -> Any:  # of the option's kind
    """Return a value of ``option`` that differs from what is chosen for people."""
    if option.name == "times":
        return "0, 1.5"
    match option.kind:
        case OptionKind.TEXT:
            return f"some {option.name} of a person"
        case OptionKind.CHOICE:
            return str([choice for choice in option.choices if choice != option.default][-1])
        case OptionKind.SEED:
            return 2**60 + 1
        case OptionKind.NUMBER | OptionKind.COUNT:
            low, high = option.range_in(limits)
            value = (low + 2 * high) / 3
            return value if option.kind is OptionKind.NUMBER else int(value)
