import pytest

from bots.telegram.option_parser import (
    TypedCommand,
    TypedText,
    called_by,
    command_of,
    options_of,
    read_text,
)
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
        ("\u200f/t2v a kite", TypedCommand("t2v", "a kite")),
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


def test_in_a_chat_with_the_bot_alone_every_command_is_meant_for_it() -> None:
    assert command_of("/t2v@old_name a kite", "bot", alone=True) == TypedCommand("t2v", "a kite")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("@Clapper_Bot, a kite", "a kite"),
        ("\u200f@clapper_bot: a kite", "a kite"),
        ("have you tried @clapper_bot?", None),
        ("ask @clapper_bot nicely", None),
        ("@clapper_bots a kite", None),
        ("me@clapper_bot", None),
    ],
)
def test_the_name_of_the_bot_calls_it_at_the_beginning(text: str, said: str | None) -> None:
    assert called_by([text], "clapper_bot") == said


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


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ("--ar 9:16 a kite rises --seed 4 over the hill", {"aspect": "9:16", "seed": 4}),
        ("--ar 9x16, a kite rises over the hill", {"aspect": "9:16"}),
        ("a kite rises --seconds 5 sec over the hill", {"seconds": 5.0}),
        ("a kite rises --duration 0:05 over the hill", {"seconds": 5.0}),
        ("a kite rises --camera Dolly in over the hill", {"camera": "dolly_in"}),
        ("a kite rises --size 1280 × 704 over the hill", {"width": 1280, "height": 704}),
        ("a kite rises --width 1,280 --height 704px over the hill", {"width": 1280, "height": 704}),
        ("a kite --no “rain, fog” rises over the hill", {"negative_prompt": "rain, fog"}),
        ("a kite --negative «rain» rises over the hill", {"negative_prompt": "rain"}),
        ("a kite --negative „fog“ rises over the hill", {"negative_prompt": "fog"}),
        ("a kite rises over the hill -seed=5 -fps 24", {"seed": 5, "fps": 24}),
        ("a kite rises over the hill -neg fog", {"negative_prompt": "fog"}),
        ("a kite rises over the hill ―seed 5", {"seed": 5}),
        ("a kite rises over the hill −−seed 5", {"seed": 5}),
        ("－－preset fast a kite rises over the hill", {"preset": "fast"}),
    ],
)  # fmt: skip
def test_a_value_ends_where_the_prompt_goes_on(text: str, options: dict[str, object]) -> None:
    assert options_of(text, LIMITS) == Options(prompt="a kite rises over the hill", **options)  # pyright: ignore[reportArgumentType]


def test_lines_of_a_prompt_after_its_options_stay_lines() -> None:
    prompt = "a man at the door:\n— Hola.\n— Adiós."
    assert options_of(f"--ar 9:16\n{prompt}", LIMITS) == Options(prompt=prompt, aspect="9:16")


@pytest.mark.parametrize(("typed", "veiled"), [("=yes", True), (":false", False), ("", True)])
def test_a_flag_may_say_that_it_is_not_set(typed: str, *, veiled: bool) -> None:
    found = read_text(f"a kite --spoiler{typed} rises", LIMITS)
    assert (found.options.prompt, found.spoiler) == ("a kite rises", veiled)


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
        "--No quiero irme-- dice ella",
        "— Нет, — сказал он. — Время!",
        "«—Preset—», disse",
        "rock-n-roll at -5 degrees",
    ],
)
def test_dashes_of_prose_stay_in_the_prompt(prose: str) -> None:
    assert read_text(prose, LIMITS) == TypedText(Options(prompt=prose))


def test_an_unknown_name_stays_in_the_prompt_and_is_named() -> None:
    found = read_text("a kite --wings 2 --seed 7", LIMITS)

    assert (found.options.prompt, found.options.seed) == ("a kite --wings 2", 7)
    assert found.unknown == ("--wings",)


@pytest.mark.parametrize(
    "prose",
    ["—seconds later he falls", "—style matters— he said", "a -private garden- at dawn"],
)
def test_a_known_name_in_prose_stays_there_and_is_named(prose: str) -> None:
    found = read_text(prose, LIMITS)
    assert found.options == Options(prompt=prose)
    assert len(found.unknown) == 1
    assert not found.private


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
