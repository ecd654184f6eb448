"""Rows of the table of options for tests: a value of each, and new rows of every kind."""

from dataclasses import make_dataclass
from types import ModuleType
from typing import Any

import pytest

from core.domain.limits import RequestLimits
from core.domain.modes import Mode
from core.domain.options import OPTIONS, Option, OptionKind, Options
from core.i18n.messages import languages, sentences

LIMITS = RequestLimits()
NEW_ROWS = (
    Option("extra_mood", OptionKind.TEXT, alias="feel"),
    Option("extra_light", OptionKind.CHOICE, ("dawn", "noon", "dusk"), buttons=("dawn", "dusk")),
    Option(
        "extra_strength",
        OptionKind.NUMBER,
        bounds=lambda _: (0.5, 2),
        unit="x",
        modes=frozenset({Mode.STYLE}),
        buttons=("0.5", "1.5"),
    ),
    Option("extra_steps", OptionKind.COUNT, bounds=lambda _: (1, 50), costs=True),
    Option("extra_grain", OptionKind.SEED, bounds=lambda _: (0, 2**63 - 1)),
)


def value_of(option: Option) -> Any:
    """A value of ``option`` that is not what one gets without typing any."""
    if option.name == "times":
        return "0, 1.5"
    match option.kind:
        case OptionKind.TEXT:
            return f"some {option.name}, low — and (quiet)"
        case OptionKind.CHOICE:
            return str(option.choices[-1])
        case OptionKind.NUMBER:
            low, high = option.range_in(LIMITS)
            return round(low + (high - low) / 4, 2)
        case OptionKind.COUNT:
            low, high = option.range_in(LIMITS)
            return round(low + (high - low) / 4)
        case OptionKind.SEED:
            return 2**62 + 1  # more digits than a float keeps


def add_rows(monkeypatch: pytest.MonkeyPatch, *modules: ModuleType) -> None:
    """Add :data:`NEW_ROWS` with words to the table, for ``modules`` that use ``Options``."""
    values: list[tuple[str, Any, Any]] = [(row.name, Any, row.blank) for row in NEW_ROWS]
    wider = make_dataclass("WiderOptions", values, bases=(Options,), frozen=True, slots=True)
    for module in modules:
        monkeypatch.setattr(module, "Options", wider)
    for row in NEW_ROWS:
        monkeypatch.setitem(OPTIONS, row.name, row)
        for language in languages():
            words: Any = sentences(language)
            monkeypatch.setitem(words, f"option.{row.name}.name", f"word for {row.name}")
            monkeypatch.setitem(words, f"option.{row.name}.hint", f"What {row.name} does")
