import pytest

from bots.telegram.option_parser import TypedCommand, TypedText, command_of, options_of, read_text
from bots.telegram.rendering import CAPTION_LIMIT, callback_data, clip_text, parse_callback_data
from core.domain.followups import Action
from core.domain.limits import RequestLimits
from core.domain.options import Options
from core.errors import NotAChoice, NotANumber, OptionMisspelt, SeedNotANumber

LIMITS = RequestLimits()


@pytest.mark.parametrize(
    ("text", "typed"),
    [
        ("/t2v a kite", TypedCommand("t2v", "a kite")),
        ("/T2V@Clapper_Bot a kite", TypedCommand("t2v", "a kite")),
        ("/t2v\na kite\nflies", TypedCommand("t2v", "a kite\nflies")),
        ("/help", TypedCommand("help", "")),
        ("/t2v@other_bot a kite", None),
        ("see /t2v", None),
        ("a/b", None),
        ("", None),
        (None, None),
    ],
)
def test_commands_are_found_at_the_beginning_and_only_ours(
    text: str | None, typed: TypedCommand | None
) -> None:
    assert command_of(text, "clapper_bot") == typed


def test_options_follow_the_prompt_in_any_order_and_spelling() -> None:
    options = options_of(
        'a kite, low — really low --size 1280X704 —seed=7 --preset Quality --negative "rain, fog"',
        LIMITS,
    )

    assert options.prompt == "a kite, low — really low"
    assert (options.width, options.height, options.seed) == (1280, 704, 7)
    assert (options.preset, options.negative_prompt) == ("quality", "rain, fog")


def test_lengths_may_have_a_comma_and_a_unit() -> None:
    assert options_of("--seconds 2,5s", LIMITS).seconds == 2.5


@pytest.mark.parametrize("typed", ["--size big", "--size 1280", "--camera", "--preset="])
def test_unknown_options_sizes_and_choices_that_are_none_name_the_choices(typed: str) -> None:
    with pytest.raises(NotAChoice):
        options_of(typed, LIMITS)


@pytest.mark.parametrize(
    "prose",
    [
        "un hombre dice: —Hola, amigo—",
        "a sailor –old and grey–",
        "elle dit —non, merci— et part",
        "ela diz: —No, obrigada.",
        "two dashes -- really -- in prose",
    ],
)
def test_dashes_of_prose_stay_in_the_prompt(prose: str) -> None:
    assert read_text(prose, LIMITS) == TypedText(Options(prompt=prose))


def test_an_unknown_name_stays_in_the_prompt_and_is_named() -> None:
    found = read_text("a kite --wings 2 --seed 7", LIMITS)

    assert (found.options.prompt, found.options.seed) == ("a kite --wings 2", 7)
    assert found.unknown == ("--wings",)


def test_habits_of_other_programs_are_understood() -> None:
    found = read_text("a kite --ar 9:16 --no rain, fog --spoiler", LIMITS)

    assert found.options == Options(prompt="a kite", aspect="9:16", negative_prompt="rain, fog")
    assert found.spoiler


@pytest.mark.parametrize("typed", ["--sead 7", "--secnds 3", "--presets fast", "--spoilr"])
def test_a_near_miss_gets_a_hint(typed: str) -> None:
    with pytest.raises(OptionMisspelt) as caught:
        read_text(f"a kite {typed}", LIMITS)

    assert caught.value.nearest in {"--seed", "--seconds", "--preset", "--spoiler"}


@pytest.mark.parametrize("typed", ["--seconds long", "--fps", "--width wide", "--height inf"])
def test_numbers_that_are_none_are_refused(typed: str) -> None:
    with pytest.raises(NotANumber):
        options_of(typed, LIMITS)


def test_a_seed_that_is_none_is_refused() -> None:
    with pytest.raises(SeedNotANumber):
        options_of("--seed 1.5", LIMITS)


def test_quotes_that_do_not_close_are_taken_as_they_are() -> None:
    assert options_of("--negative \"it's raining", LIMITS).negative_prompt == "it's raining"


@pytest.mark.parametrize("action", [*Action, "preset", "aspect", "seconds", "page"])
def test_buttons_say_back_what_was_put_in_and_fit(action: str) -> None:
    data = callback_data(action, "a" * 32, "16:9")

    assert len(data.encode()) <= 64
    found = parse_callback_data(data)
    assert found is not None
    assert (found.action, found.value, found.job_id) == (action, "16:9", "a" * 32)


@pytest.mark.parametrize("data", ["", None, "v0:cancel:abc", "v1:cancel", "v1::a", "job:cancel:1"])
def test_foreign_buttons_are_not_ours(data: str | None) -> None:
    assert parse_callback_data(data) is None


def test_long_texts_lose_their_markup_but_not_their_safety() -> None:
    text = f"<b>{'&lt;' * 2000}</b>"

    short = clip_text(text, CAPTION_LIMIT)

    assert len(short) <= 4 * CAPTION_LIMIT
    assert "<" not in short
