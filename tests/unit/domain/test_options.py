"""Every row of the table of options, through everything that core does with it.

The tests read the table: a new row that is left out somewhere fails here by its name.
"""

from dataclasses import fields, replace
from typing import Any

import pytest

from core.domain.followups import again, longer, options_of, quality
from core.domain.limits import RequestLimits
from core.domain.media import MediaFile, MediaKind
from core.domain.modes import MODES, Mode
from core.domain.options import KEPT, OPTIONS, Option, OptionKind, Options, options_in
from core.domain.request_builder import compose
from core.domain.requests import Request, Sampling, from_json, latents_name, to_json
from core.errors import NotAChoice
from core.media.output.provenance import Provenance

LIMITS = RequestLimits()
DERIVED = {"preset", "width", "height", "frames", "fps", "seed"}  # of Sampling, by the composition
CASES = [(mode, option) for mode in MODES for option in options_in(mode)]
KEPT_CASES = [(mode, option) for mode in MODES for option in KEPT if option.offered_in(mode)]


def case_name(value: object) -> str:
    return value.name if isinstance(value, Option) else str(value)


FILES = {
    MediaKind.IMAGE: MediaFile("a" * 64, ".png", MediaKind.IMAGE, 10, 1280, 704),
    MediaKind.AUDIO: MediaFile("b" * 64, ".flac", MediaKind.AUDIO, 10, seconds=9.0),
    MediaKind.VIDEO: MediaFile("c" * 64, ".mp4", MediaKind.VIDEO, 10, 1280, 704, 9.0, 24.0),
}


def media_of(mode: Mode) -> dict[str, MediaFile]:
    return {slot.role: FILES[slot.kind] for slot in MODES[mode].slots}


def something(option: Option) -> Any:
    """A value of ``option`` that differs from what is chosen for people."""
    match option.kind:
        case OptionKind.TEXT:
            return f"some {option.name} of a person"
        case OptionKind.CHOICE:
            return [choice for choice in option.choices if choice != option.default][-1]
        case OptionKind.SEED:
            return 2**60 + 1
        case _:
            low, high = option.range_in(LIMITS)
            return {"seconds": 3.0, "fps": 12}.get(option.name, int((low + high) / 2) // 64 * 64)


def asked(mode: Mode, **values: Any) -> Request:
    options = Options.of({"prompt": "a kite", "seed": 7, **values})
    return compose(mode, options, media_of(mode), LIMITS).request


def test_each_row_has_a_field_of_what_is_typed_and_no_field_is_without_a_row() -> None:
    assert {field.name for field in fields(Options)} == set(OPTIONS)


def test_each_kept_row_has_a_field_of_the_request_with_a_default() -> None:
    kept = {field.name for field in fields(Sampling)} - DERIVED

    assert kept == {option.name for option in KEPT}
    sampling = Sampling(OPTIONS["preset"].choice("fast"), 768, 512, 121, 24, 1)  # pyright: ignore[reportOptionalCall]
    for option in KEPT:
        assert getattr(sampling, option.name) == (option.default or option.blank), option.name


@pytest.mark.parametrize(("mode", "option"), CASES, ids=case_name)
def test_a_value_survives_the_row_of_the_database_and_the_edit_form(
    mode: Mode, option: Option
) -> None:
    request = asked(mode, **{option.name: something(option)})

    assert from_json(to_json(request)) == request
    typed_again = options_of(from_json(to_json(request)))
    assert compose(mode, typed_again, media_of(mode), LIMITS).request == request


@pytest.mark.parametrize(("mode", "option"), CASES, ids=case_name)
def test_a_value_reaches_the_request(mode: Mode, option: Option) -> None:
    assert asked(mode, **{option.name: something(option)}) != asked(mode), option.name


@pytest.mark.parametrize(("mode", "option"), KEPT_CASES, ids=case_name)
def test_every_follow_up_keeps_what_was_chosen(mode: Mode, option: Option) -> None:
    request = asked(mode, **{option.name: something(option)})
    frame = FILES[MediaKind.IMAGE]
    chosen = getattr(request.sampling, option.name)

    for made in (again(request), quality(request, LIMITS), longer(request, frame)):
        assert getattr(made.sampling, option.name) == chosen


@pytest.mark.parametrize("mode", MODES)
def test_no_words_of_a_person_are_in_a_clip_unless_the_operator_allows_it(mode: Mode) -> None:
    private = {o.name: something(o) for o in options_in(mode) if o.is_private}
    request = asked(mode, **private)

    silent = str(Provenance.of("j", request, with_prompt=False).tags())
    told = str(Provenance.of("j", request, with_prompt=True).tags())

    for name, words in private.items():
        assert words not in silent, name
        assert words in told, name


def test_text_is_private_unless_its_row_says_otherwise() -> None:
    assert Option("lighting", OptionKind.TEXT).is_private
    assert not Option("title", OptionKind.TEXT, private=False).is_private


@pytest.mark.parametrize("option", KEPT, ids=case_name)
def test_a_draft_is_finished_only_with_what_shaped_it(option: Option) -> None:
    plain = asked(Mode.T2V)
    other = replace(plain, sampling=replace(plain.sampling, **{option.name: something(option)}))

    assert (latents_name(other) != latents_name(plain)) is option.shapes_draft


def test_a_row_of_an_older_or_newer_version_is_read() -> None:
    data = to_json(asked(Mode.T2V))
    for option in KEPT:
        del data["sampling"][option.name]
    data["sampling"]["of_a_later_version"] = "x"

    assert from_json(data) == asked(Mode.T2V)


def test_an_option_of_other_modes_is_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    only = replace(OPTIONS["camera"], modes=frozenset({Mode.T2V}))
    monkeypatch.setitem(OPTIONS, "camera", only)

    with pytest.raises(NotAChoice) as refused:
        asked(Mode.I2V, camera="static")

    assert refused.value.value == "camera"
    assert "camera" not in refused.value.choices
    assert asked(Mode.T2V, camera="static").sampling.camera == "static"
