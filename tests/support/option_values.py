"""Values of every option, and requests of every mode, made from the tables."""

from typing import Any

import pytest

from core.domain.limits import RequestLimits
from core.domain.media import MediaFile, MediaKind
from core.domain.modes import MODES, Mode
from core.domain.options import OPTIONS, Option, OptionKind, Options, options_in
from core.domain.request_builder import compose
from core.domain.requests import Request
from core.i18n.messages import languages, sentences

LIMITS = RequestLimits()
CASES = [(mode, option) for mode in MODES for option in options_in(mode)]
OF_A_JOB = [case for case in CASES if not case[1].several]
FILES = {
    MediaKind.IMAGE: MediaFile("a" * 64, ".png", MediaKind.IMAGE, 10, 1280, 704),
    MediaKind.AUDIO: MediaFile("b" * 64, ".flac", MediaKind.AUDIO, 10, seconds=9.0),
    MediaKind.VIDEO: MediaFile("c" * 64, ".mp4", MediaKind.VIDEO, 10, 1280, 704, 9.0, 24.0),
}


def case_name(value: object) -> str:
    """Name a test by the option or the mode that it is about."""
    return value.name if isinstance(value, Option) else str(value)


def something(option: Option) -> Any:
    """Return a value of ``option`` that differs from what is chosen for people."""
    if option.name == "times":
        return "0, 1.5"
    match option.kind:
        case OptionKind.TEXT:
            return f"some words for {option.name}".replace("_", " ")
        case OptionKind.CHOICE:
            return [choice for choice in option.choices if choice != option.default][-1]
        case OptionKind.SEED:
            return 2**60 + 1
        case _:
            low, high = option.range_in(LIMITS)
            return {"seconds": 3.0, "fps": 12}.get(option.name, int((low + high) / 2) // 64 * 64)


def files_of(mode: Mode) -> dict[str, MediaFile]:
    """Return a file for each slot of ``mode``."""
    return {slot.role: FILES[slot.kind] for slot in MODES[mode].slots}


def request_of(mode: Mode, **values: Any) -> Request:
    """Compose a request of ``mode`` with some options chosen."""
    options = Options.of({"prompt": "a kite", "seed": 7, **values})
    return compose(mode, options, files_of(mode), LIMITS).request


def add_row(monkeypatch: pytest.MonkeyPatch, option: Option, **words: str) -> None:
    """Add a row with its words to the table, for this test."""
    monkeypatch.setitem(OPTIONS, option.name, option)
    told = {"name": f"{option.name} name", "hint": f"What {option.name} does"} | words
    for language in languages():
        for part, text in told.items():
            code = f"option.{option.name}.{part}"
            monkeypatch.setitem(sentences(language), code, text)
