"""Every row of the table of options, through everything that core does with it.

The tests read the table: a new row that is left out somewhere fails here by its name.
"""

from dataclasses import fields, replace

import pytest

from core.domain.continuation import longer
from core.domain.followups import again, options_of, quality
from core.domain.media import MediaKind
from core.domain.modes import MODES, Mode
from core.domain.options import KEPT, OPTIONS, Option, OptionKind, Options, options_in
from core.domain.request_builder import compose
from core.domain.requests import Sampling, from_json, latents_name, to_json
from core.errors import NotAChoice
from core.media.output.provenance import Provenance
from tests.support.option_values import (
    CASES,
    FILES,
    LIMITS,
    case_name,
    files_of,
    request_of,
    something,
)

DERIVED = {
    "preset",
    "width",
    "height",
    "frames",
    "fps",
    "seed",
    "doubled",
}  # of Sampling, by the composition
KEPT_CASES = [(mode, option) for mode in MODES for option in KEPT if option.offered_in(mode)]


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
    request = request_of(mode, **{option.name: something(option)})

    assert from_json(to_json(request)) == request
    typed_again = options_of(from_json(to_json(request)))
    assert compose(mode, typed_again, files_of(mode), LIMITS).request == request


@pytest.mark.parametrize(("mode", "option"), CASES, ids=case_name)
def test_a_value_reaches_the_request(mode: Mode, option: Option) -> None:
    assert request_of(mode, **{option.name: something(option)}) != request_of(mode), option.name


@pytest.mark.parametrize(("mode", "option"), KEPT_CASES, ids=case_name)
def test_every_follow_up_keeps_what_was_chosen(mode: Mode, option: Option) -> None:
    request = request_of(mode, **{option.name: something(option)})
    chosen = getattr(request.sampling, option.name)
    made = [again(request), quality(request, LIMITS)]
    if option.offered_in(Mode.EXTEND) and option.name != "sound_from":  # the sound goes on
        made.append(longer(request, FILES[MediaKind.VIDEO], LIMITS).request)

    assert [getattr(one.sampling, option.name) for one in made] == [chosen] * len(made)


@pytest.mark.parametrize("mode", MODES)
def test_no_words_of_a_person_are_in_a_clip_unless_the_operator_allows_it(mode: Mode) -> None:
    private = {o.name: something(o) for o in options_in(mode) if o.is_private}
    request = request_of(mode, **private)

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
    plain = request_of(Mode.T2V)
    other = replace(plain, sampling=replace(plain.sampling, **{option.name: something(option)}))

    assert (latents_name(other) != latents_name(plain)) is option.shapes_draft


def test_a_row_of_an_older_or_newer_version_is_read() -> None:
    data = to_json(request_of(Mode.T2V))
    for option in KEPT:
        del data["sampling"][option.name]
    data["sampling"]["of_a_later_version"] = "x"

    assert from_json(data) == request_of(Mode.T2V)


def test_an_option_of_other_modes_is_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    only = replace(OPTIONS["camera"], modes=frozenset({Mode.T2V}))
    monkeypatch.setitem(OPTIONS, "camera", only)

    with pytest.raises(NotAChoice) as refused:
        request_of(Mode.I2V, camera="static")

    assert refused.value.value == "camera"
    assert "camera" not in refused.value.choices
    assert request_of(Mode.T2V, camera="static").sampling.camera == "static"
