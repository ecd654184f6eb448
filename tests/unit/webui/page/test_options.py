"""Every option of every mode through the page: the form, the request, and a clip dropped again.

The tests read the table, with a few rows added; what the page leaves out fails by its name.
"""

import json
from collections.abc import Generator, Mapping
from typing import Any

import pytest

import webui.application  # pyright: ignore[reportUnusedImport]  # before rows are added  # noqa: F401
from core.domain.limits import RequestLimits
from core.domain.media import MediaFile, MediaKind
from core.domain.modes import MODES, Mode
from core.domain.options import OPTIONS, Option, OptionKind, Options
from core.domain.request_builder import compose
from core.domain.requests import Request, from_json, to_json
from core.errors import OutOfRange, PromptTooLong
from core.service.clip_settings import ClipSettings
from tests.support.options import NEW_ROWS, added_rows, sample
from webui.page.form_values import form_of
from webui.page.reload import changes_in, describe
from webui.page.sent_form import read_sent
from webui.views.errors import fix_for

LIMITS = RequestLimits()
ROWS = {**OPTIONS, **{row.name: row for row in NEW_ROWS}}
CASES = [(mode, row) for mode in MODES for row in ROWS.values() if row.offered_in(mode)]
BY_ITS_WORDS = "style"  # a clip tells the words of a style, since its name is a place's own
CHOSEN = {"prompt": "a kite", "seed": "7", "lock": True, "follow": True}
FILES = {
    MediaKind.IMAGE: MediaFile("a" * 64, ".png", MediaKind.IMAGE, 10, 1280, 704),
    MediaKind.AUDIO: MediaFile("b" * 64, ".flac", MediaKind.AUDIO, 10, seconds=18.0),
    MediaKind.VIDEO: MediaFile("c" * 64, ".mp4", MediaKind.VIDEO, 10, 1280, 704, 18.0, 24.0),
}


def case_name(value: object) -> str:
    return value.name if isinstance(value, Option) else str(value)


@pytest.fixture(autouse=True)
def with_new_rows() -> Generator[None]:
    with added_rows():
        yield


def media_of(mode: Mode) -> dict[str, MediaFile]:
    return {slot.role: FILES[slot.kind] for slot in MODES[mode].slots}


def asked(mode: Mode, fields: Mapping[str, Any]) -> Request:
    """The request for what stands in the fields, sent as a browser sends it."""
    sent = read_sent(mode, json.loads(json.dumps({**CHOSEN, **fields})), LIMITS)
    return compose(mode, sent.options(), media_of(mode), LIMITS).request


def reloaded(request: Request) -> dict[str, Any]:
    """What the panel fills in for a clip of ``request`` that holds its words."""
    clip = ClipSettings(request.mode, request.sampling, request.prompt)
    changes, _ = changes_in(clip, LIMITS, guided=True)
    return {name: value for fields in changes.values() for name, value in fields.items()}


@pytest.mark.parametrize(("mode", "option"), CASES, ids=case_name)
def test_a_value_of_the_form_comes_back_from_row_and_clip(mode: Mode, option: Option) -> None:
    values = option.choices if option.kind is OptionKind.CHOICE else [sample(option, LIMITS)]
    for value in values:
        request = asked(mode, form_of(option, mode, value))
        read = from_json(json.loads(json.dumps(to_json(request))))
        told = Options.of({"prompt": "a kite", "seed": 7, option.name: value})

        assert request == compose(mode, told, media_of(mode), LIMITS).request, option.name
        if option.name != BY_ITS_WORDS:
            assert asked(mode, reloaded(read)) == request, option.name
    assert asked(mode, form_of(option, mode, values[-1])) != asked(mode, {}), option.name


@pytest.mark.parametrize("guided", [True, False])
def test_a_dropped_clip_has_one_tick_for_each_row_that_the_page_has(*, guided: bool) -> None:
    words = {
        row.name: sample(row, LIMITS)
        for row in ROWS.values()
        if row.kind is OptionKind.TEXT and row.offered_in(Mode.T2V)
    }
    request = asked(Mode.T2V, {**words, "prompt": "a kite"})
    clip = ClipSettings(request.mode, request.sampling, request.prompt)

    shown = describe(clip, LIMITS, guided=guided)
    ticks = {tick for _, tick in shown["ticks"]}

    offered = [row for row in ROWS.values() if row.offered_in(Mode.T2V) and not row.several]
    wanted = {row.name for row in offered if guided or not row.guided_only}
    assert ticks == wanted - {"aspect", "width", "height", BY_ITS_WORDS} | {"pixels"}
    assert set(shown["changes"]["pixels"]) == {"width", "height"}
    assert dict.fromkeys(ticks) == dict.fromkeys(shown["changes"])


def test_a_text_that_a_clip_does_not_hold_empties_no_field() -> None:
    request = asked(Mode.T2V, {})
    clip = ClipSettings(Mode.T2V, request.sampling, "")
    changes, _ = changes_in(clip, LIMITS, guided=True)

    texts = {row.name for row in ROWS.values() if row.kind is OptionKind.TEXT}
    assert not texts & changes.keys()
    assert changes["takes"] == {"takes": ""}  # none was chosen: that is a setting too


@pytest.mark.parametrize("name", [n for n, row in ROWS.items() if row.kind is OptionKind.TEXT])
def test_a_text_that_is_too_long_is_shortened_and_no_other(name: str) -> None:
    options = Options.of({"prompt": "a kite", name: "x" * 3000})

    fix = fix_for(PromptTooLong(3000, 2000), options, LIMITS)

    assert fix is not None
    assert fix.changes == {name: "x" * 2000}


@pytest.mark.parametrize("name", [n for n, row in ROWS.items() if row.bounds and n != "seed"])
def test_a_number_outside_its_range_is_mended_to_the_end_of_it(name: str) -> None:
    low, high = ROWS[name].range_in(LIMITS)

    fix = fix_for(OutOfRange(name, high + 5, low, high), Options(), LIMITS)

    assert fix is not None
    assert fix.changes == {name: high}


def test_a_draft_is_reloaded_at_the_size_that_was_typed() -> None:
    fields = {"preset": "draft", "width": 1280, "height": 768}
    request = asked(Mode.T2V, fields)

    assert (request.sampling.width, request.sampling.height) == (640, 384)
    assert asked(Mode.T2V, reloaded(request)) == request
