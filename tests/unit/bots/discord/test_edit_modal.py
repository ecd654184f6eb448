"""Every option of every mode, through the Edit form: shown as its row says, never lost."""

from dataclasses import replace
from typing import Any

import pytest

from bots.discord.edit_modal import FORM_ID, edit_form, edited
from core.domain.followups import options_of
from core.domain.jobs import Job, JobState, ReplyTo
from core.domain.modes import MODES, Mode
from core.domain.options import OPTIONS, Option, options_in
from core.domain.people import Requester
from core.domain.request_builder import compose
from core.domain.requests import Request
from core.i18n.messages import languages
from core.i18n.option_words import option_hint, option_label
from tests.support.option_values import (
    LIMITS,
    OF_A_JOB,
    case_name,
    files_of,
    request_of,
    something,
)
from tests.support.platforms.discord.rules import check_modal


def job(request: Request) -> Job:
    return Job(
        "0" * 32, Requester("discord", "1"), request, ReplyTo("t", {}), JobState.SUCCEEDED, 1, 1,
        None, 1,
    )  # fmt: skip


def fields(request: Request, locale: str | None = None) -> dict[str, dict[str, Any]]:
    """The labelled fields of the Edit form, by option."""
    form = edit_form(job(request), LIMITS, locale).to_dict()
    check_modal(form)
    assert len(form["custom_id"]) <= 100
    labels: list[dict[str, Any]] = form["components"]
    return {label["component"]["custom_id"]: label for label in labels}


def shown(label: dict[str, Any]) -> str | None:
    """What stands in a field when the form opens; None where a choice is not made."""
    field = label["component"]
    if "options" in field:
        return next((o["value"] for o in field["options"] if o.get("default")), None)
    return field.get("value") or ""


def untouched(request: Request) -> dict[str, str]:
    """What Discord sends for a form that nobody changed."""
    values = {option: shown(label) for option, label in fields(request).items()}
    return {option: value for option, value in values.items() if value is not None}


@pytest.mark.parametrize("language", languages())
@pytest.mark.parametrize("mode", MODES)
def test_the_form_asks_for_what_the_rows_say_with_label_and_hint(mode: Mode, language: str) -> None:
    found = fields(request_of(mode), language)

    assert list(found) == [option.name for option in options_in(mode) if option.in_edit]
    for option, label in found.items():
        assert label["label"] == option_label(OPTIONS[option], language)
        assert label["description"] == option_hint(OPTIONS[option], LIMITS, language)


@pytest.mark.parametrize(("mode", "option"), OF_A_JOB, ids=case_name)
def test_an_edit_of_nothing_keeps_every_option(mode: Mode, option: Option) -> None:
    request = request_of(mode, **{option.name: something(option)})

    options = edited(request, untouched(request), LIMITS)

    assert replace(options, seed=None) == replace(options_of(request), seed=None)
    again = compose(mode, replace(options, seed=request.sampling.seed), files_of(mode), LIMITS)
    assert again.request == request


@pytest.mark.parametrize(("mode", "option"), OF_A_JOB, ids=case_name)
def test_any_option_may_be_asked_for_in_the_form(
    monkeypatch: pytest.MonkeyPatch, mode: Mode, option: Option
) -> None:
    monkeypatch.setitem(OPTIONS, option.name, replace(option, in_edit=True))
    old, new = request_of(mode), something(option)

    assert option.name in fields(old)
    options = edited(old, untouched(old) | {option.name: str(new)}, LIMITS)

    assert getattr(options, option.name) == new
    filled = fields(request_of(mode, **{option.name: new}))[option.name]
    if option.name != "aspect":  # became a size
        assert shown(filled) == str(getattr(options, option.name)).removesuffix(".0")


def test_another_preset_keeps_the_shape_and_all_else() -> None:
    old = request_of(Mode.T2V, aspect="1:1", preset="fast", camera="jib_up", negative_prompt="rain")

    options = edited(old, untouched(old) | {"preset": "balanced"}, LIMITS)

    new = compose(Mode.T2V, options, {}, LIMITS).request
    assert new.sampling.preset == "balanced"
    assert new.sampling.size.ratio == 1
    assert (new.sampling.camera, new.sampling.negative_prompt) == ("jib_up", "rain")


def test_what_is_emptied_in_the_form_is_chosen_anew_and_what_is_missing_stays() -> None:
    old = request_of(Mode.I2V, seconds=3.0)

    emptied = edited(old, {"prompt": "", "seconds": " "}, LIMITS)

    assert (emptied.prompt, emptied.seconds) == ("", None)
    assert edited(old, {}, LIMITS).prompt == "a kite"
    assert edited(old, {"preset": "fast", "other": "x"}, LIMITS).seconds == pytest.approx(3.0)


def test_a_text_that_no_form_can_hold_stays_as_it_was() -> None:
    request = replace(request_of(Mode.T2V), prompt="x" * 4001)

    assert "prompt" not in fields(request)
    assert edited(request, untouched(request), LIMITS).prompt == request.prompt


def test_the_id_of_the_form_leads_back_to_its_job() -> None:
    form = edit_form(job(request_of(Mode.T2V)), LIMITS, None)

    assert FORM_ID.fullmatch(form.custom_id)
