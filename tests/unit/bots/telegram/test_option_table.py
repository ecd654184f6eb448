"""What the table of options says is what Telegram offers: typed, kept in a form, on buttons."""

import json
from dataclasses import replace

import pytest

from bots.telegram import option_parser, request_form
from bots.telegram.meant_mode import choices, guess_mode, guessed_files
from bots.telegram.option_parser import options_of
from bots.telegram.rendering import (
    check_buttons,
    job_keyboard,
    parse_callback_data,
    texts_for,
    value_label,
)
from bots.telegram.request_form import RequestForm, typed
from bots.telegram.submission import next_question
from core.domain.followups import Action, with_option
from core.domain.followups import options_of as options_of_request
from core.domain.jobs import Job, JobState, ReplyTo
from core.domain.media import MediaFile, MediaKind
from core.domain.modes import MODES, MediaSlot, Mode, ModeSpec
from core.domain.options import OPTIONS, Option, OptionKind, Options, options_in
from core.domain.people import Requester
from core.domain.request_builder import compose
from core.domain.requests import Request
from core.errors import NotAChoice
from core.i18n.messages import languages, name
from tests.support.option_rows import LIMITS, NEW_ROWS, add_rows, value_of

ROWS = [option for option in (*OPTIONS.values(), *NEW_ROWS) if option.name != "prompt"]
each_option = pytest.mark.parametrize("option", ROWS, ids=lambda option: option.name)


@pytest.fixture
def wider(monkeypatch: pytest.MonkeyPatch) -> None:
    add_rows(monkeypatch, option_parser, request_form)


def request_of(mode: Mode) -> Request:
    media = {
        slot.role: MediaFile(slot.kind[0] * 64, ".x", slot.kind, 1, 640, 480, seconds=30, fps=24)
        for slot in MODES[mode].slots
    }
    return compose(mode, Options(prompt="a kite"), media, LIMITS).request


@pytest.mark.usefixtures("wider")
@each_option
def test_every_option_is_typed_by_its_short_and_its_full_name(option: Option) -> None:
    value = value_of(option)
    for typed_name in (option.typed, option.name, option.name.replace("_", "-").upper()):
        for text in (f'a kite --{typed_name} "{value}"', f"a kite —{typed_name} {value}"):
            assert typed(options_of(text, LIMITS)) == {"prompt": "a kite", option.name: value}


@pytest.mark.usefixtures("wider")
@each_option
def test_every_option_stays_in_a_stored_form_until_it_is_typed_again(option: Option) -> None:
    value = value_of(option)
    form = RequestForm(mode=Mode.STYLE).with_options(
        options_of(f"--{option.typed} {value}", LIMITS)
    )

    form = RequestForm.from_json(json.loads(json.dumps(form.to_json())))
    form = form.with_options(options_of("a kite", LIMITS))

    assert typed(form.options) == {"prompt": "a kite", option.name: value}


@pytest.mark.usefixtures("wider")
@pytest.mark.parametrize("mode", [mode for mode in MODES if mode is not Mode.STYLE])
def test_a_refusal_names_what_can_be_typed_for_the_mode_and_nothing_else(mode: Mode) -> None:
    with pytest.raises(NotAChoice) as caught:
        options_of("a kite --extra_strength 2", LIMITS, mode)

    expected = [f"--{row.typed}" for row in options_in(mode) if row.name != "prompt"]
    assert caught.value.choices.split(", ") == [*expected, "--size"]


@pytest.mark.usefixtures("wider")
@each_option
@pytest.mark.parametrize("mode", MODES)
def test_an_option_of_other_modes_is_refused_before_anything_is_made(
    mode: Mode, option: Option
) -> None:
    text = f"a kite --{option.typed} {value_of(option)}"
    if option.offered_in(mode):
        assert option.name in typed(options_of(text, LIMITS, mode))
    else:
        with pytest.raises(NotAChoice):
            options_of(text, LIMITS, mode)


@pytest.mark.usefixtures("wider")
def test_the_options_that_were_typed_help_to_guess_the_mode() -> None:
    only = next(row for row in NEW_ROWS if row.modes)
    form = RequestForm().with_options(options_of(f"--{only.typed} 1", LIMITS))
    image = MediaFile("a" * 64, ".x", MediaKind.IMAGE, 1)

    assert choices(form) == [Mode.STYLE]
    assert choices(form.with_file(image)) == [Mode.STYLE]
    assert choices(form.with_file(replace(image, kind=MediaKind.AUDIO))) != []


def test_a_form_that_was_stored_with_another_table_is_read() -> None:
    data = RequestForm(options=Options(prompt="a kite")).to_json()
    data["options"]["gone_by_now"] = "x"

    assert RequestForm.from_json(data).options == Options(prompt="a kite")


def waiting(request: Request) -> Job:
    who, nobody = Requester("telegram", "1"), ReplyTo("telegram", {})
    return Job("f" * 32, who, request, nobody, JobState.QUEUED, 1, 0, None, 1)


def buttons_of(job: Job, locale: str = "en") -> dict[str, dict[str, str]]:
    """The labels of the buttons that change an option, by option and value."""
    found: dict[str, dict[str, str]] = {}
    for item in (item for row in job_keyboard(job, locale).inline_keyboard for item in row):
        data = parse_callback_data(str(item.callback_data))
        assert data is not None
        assert data.job_id == job.id
        assert len(str(item.callback_data).encode()) <= 64
        if data.action in OPTIONS:
            found.setdefault(data.action, {})[data.value] = item.text
    return found


@each_option
@pytest.mark.parametrize("mode", MODES)
def test_a_waiting_job_offers_what_the_row_says_in_the_modes_of_the_row(
    mode: Mode, option: Option, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = request_of(mode)
    monkeypatch.setitem(OPTIONS, option.name, option)
    if option in NEW_ROWS:
        known = options_of_request(request).values() | {option.name: None}
        monkeypatch.setattr(Options, "values", lambda _: known)

    shown = buttons_of(waiting(request)).get(option.name, {})

    assert tuple(shown) == (option.buttons if option.offered_in(mode) else ())


@pytest.mark.parametrize("option", OPTIONS.values(), ids=lambda option: option.name)
def test_the_button_that_was_pressed_is_marked(option: Option) -> None:
    for value in option.buttons:
        request = request_of(Mode.T2V)
        chosen = compose(Mode.T2V, with_option(request, option, value, LIMITS), {}, LIMITS)
        labels = buttons_of(waiting(chosen.request))[option.name]

        assert [item for item, text in labels.items() if text.startswith("• ")] == [value]


def test_a_button_with_a_number_says_its_unit_in_the_readers_way() -> None:
    strength = next(row for row in NEW_ROWS if row.unit)

    assert value_label(strength, "1.5", "en") == "1.5 x"
    assert value_label(strength, "1.5", "de") == "1,5 x"
    assert value_label(OPTIONS["seconds"], "10", "en") == "10 s"


@pytest.mark.parametrize(
    ("name", "value"),
    [("detail", "x" * 30), ("detail", "two words"), ("detail", "ä" * 14), (Action.EDIT, "yes")],
)
def test_a_row_whose_button_cannot_be_made_is_refused_by_name(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = Option(name, OptionKind.CHOICE, (value,), buttons=(value,))
    monkeypatch.setitem(OPTIONS, row.name, row)

    with pytest.raises(ValueError, match=name):
        check_buttons({Action.EDIT})


@pytest.mark.parametrize("locale", languages())
@pytest.mark.parametrize("mode", MODES)
def test_every_file_and_prompt_that_a_mode_needs_is_asked_for(mode: Mode, locale: str) -> None:
    form = RequestForm(mode=mode)
    texts = texts_for(locale)
    asked = [next_question(texts, form)]
    for file in request_of(mode).files:
        form = form.with_file(file)
        asked.append(next_question(texts, form))

    assert len(set(asked)) == len(MODES[mode].slots) + 1
    for slot, question in zip(MODES[mode].slots, asked, strict=False):
        assert slot.role == slot.kind or name(slot.role, locale) in question


@pytest.mark.parametrize("mode", MODES)
def test_the_files_of_a_mode_lead_to_it(mode: Mode) -> None:
    form = RequestForm()
    for file in request_of(mode).files:
        form = form.with_file(file)

    assert mode in choices(form)
    assert guess_mode(form) in {mode, None}
    assert len(form.unassigned) <= guessed_files()


def test_a_mode_with_the_same_files_as_another_is_asked_for_and_not_guessed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    form = RequestForm()
    for file in request_of(Mode.LIPSYNC).files:
        form = form.with_file(file)
    assert guess_mode(form) is Mode.LIPSYNC

    monkeypatch.setitem(MODES, Mode.T2V, ModeSpec(Mode.T2V, MODES[Mode.LIPSYNC].slots))

    assert guess_mode(form) is None
    assert choices(form) == [Mode.T2V, Mode.LIPSYNC]


def test_as_many_loose_files_are_kept_as_the_largest_mode_takes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert guessed_files() == len(MODES[Mode.KEYFRAME].every_slot)
    nine = tuple(MediaSlot(f"at_{number}", MediaKind.IMAGE) for number in range(9))
    monkeypatch.setitem(MODES, Mode.T2V, ModeSpec(Mode.T2V, nine))

    assert guessed_files() == 9
