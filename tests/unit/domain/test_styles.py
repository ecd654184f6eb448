"""Styles, defaults and wildcards in a request: who goes first, and what is kept and shown."""

from dataclasses import replace

import pytest

from core.domain.continuation import longer
from core.domain.followups import again, options_of, quality
from core.domain.media import MediaKind
from core.domain.modes import Mode
from core.domain.options import OPTIONS, Options
from core.domain.people import Asker
from core.domain.policy import Policy
from core.domain.request_builder import compose
from core.domain.requests import Request, from_json, latents_name, to_json
from core.domain.style_file import StyleSet, read_style, read_toml, write_toml
from core.domain.styles import Level, Style, fill, settable, style_named
from core.domain.words import StyleWords, joined
from core.errors import InvalidInput, PolicyForbids, PromptMissing, StyleRefused, WordsTooLong
from tests.support.option_values import FILES, LIMITS, files_of

NOIR = Style(
    StyleWords("noir", "film noir", "high contrast", "colour"), {"preset": "quality", "fps": 12}
)
LEVELS = [
    Level("channel", {"preset": "draft", "aspect": "1:1"}),
    Level("place", {"preset": "fast", "aspect": "9:16", "camera": "static", "seconds": 3.0}),
    Level("bot", {"enhance": "on", "camera": "dolly_in"}),
]


def made(
    typed: Options, style: Style | None = None, mode: Mode = Mode.T2V, levels: list[Level] = LEVELS
) -> Request:
    media = files_of(mode)
    filled = fill(mode, typed, media, levels, style)
    return compose(mode, typed, media, LIMITS, filled).request


def test_what_is_typed_goes_first_then_the_style_the_channel_the_place_and_the_bot() -> None:
    request = made(Options("a cat", style="Noir", fps=24, seed=1), NOIR)

    sampling = request.sampling
    assert (sampling.preset, sampling.fps, sampling.camera) == ("quality", 24, "static")
    assert sampling.enhance == "on"
    assert dict(request.chosen_by) == {
        "preset": "style",
        "aspect": "channel",
        "camera": "place",
        "seconds": "place",
        "enhance": "bot",
    }
    assert sampling.width == sampling.height


def test_a_style_of_the_place_comes_right_after_what_the_place_says() -> None:
    levels = [LEVELS[0], Level("place", {"style": "noir", "camera": "static"}), LEVELS[2]]

    request = made(Options("a cat", seed=1), NOIR, levels=levels)

    assert (request.sampling.preset, request.sampling.fps) == ("draft", 12)
    assert dict(request.chosen_by)["style"] == "place"
    assert dict(request.chosen_by)["fps"] == "style"
    assert style_named("none", levels) == ("", "")
    assert style_named("", levels) == ("noir", "place")


@pytest.mark.parametrize("typed", [{"aspect": "3:2"}, {"width": 512, "height": 768}])
def test_a_typed_shape_is_not_mixed_with_one_that_others_chose(typed: dict[str, object]) -> None:
    shaped = Style(NOIR.words, {"width": 1024, "height": 256})
    alone = made(Options.of({"prompt": "a cat", "seed": 1, **typed}), levels=[])

    request = made(
        Options.of({"prompt": "a cat", "seed": 1, "preset": "balanced", **typed}), shaped
    )

    assert request.sampling.size == alone.sampling.size
    assert not {"width", "height", "aspect"} & dict(request.chosen_by).keys()


def test_a_file_that_gives_shape_and_length_goes_before_what_others_chose() -> None:
    request = made(Options("a cat", seed=1), mode=Mode.LIPSYNC)

    assert request.sampling.width > request.sampling.height
    assert request.sampling.seconds > 8
    assert not {"aspect", "seconds"} & dict(request.chosen_by).keys()


def test_options_of_other_modes_are_left_alone() -> None:
    levels = [Level("place", {"sync": "strong"})]

    assert not made(Options("a cat"), levels=levels).chosen_by
    assert made(Options("a cat"), mode=Mode.LIPSYNC, levels=levels).sampling.sync == "strong"


def test_the_model_is_given_the_words_of_the_style_and_the_person_keeps_theirs() -> None:
    request = made(Options("a {red|blue} cat", style="noir", negative_prompt="rain", seed=3), NOIR)

    given = request.as_worded
    assert request.prompt == "a {red|blue} cat"
    assert given.prompt in {f"film noir, a {one} cat, high contrast" for one in ("red", "blue")}
    assert given.sampling.negative_prompt == "rain, colour"
    assert request.sampling.negative_prompt == "rain"
    assert from_json(to_json(request)) == request
    assert made(options_of(request), NOIR).wording == request.wording


def test_another_take_draws_anew_and_a_finished_or_longer_one_does_not() -> None:
    request = made(Options("a {a|b|c|d|e|f|g|h} cat", style="noir", seed=3, preset="draft"), NOIR)
    said = request.wording.prompt

    takes = {again(request).wording.prompt for _ in range(60)}
    finished = quality(request, LIMITS)
    more = longer(request, FILES[MediaKind.VIDEO], LIMITS, lambda: 99).request
    further = longer(more, FILES[MediaKind.VIDEO], LIMITS, lambda: 100).request

    assert len(takes) > 4
    assert all(one.style == request.style for one in (again(request), finished, more))
    assert [one.wording.prompt for one in (finished, more, further)] == [said] * 3
    assert again(more).words_seed is None
    assert latents_name(finished.as_worded) == latents_name(request.as_worded)
    assert from_json(to_json(further)) == further


def test_word_rules_see_the_composed_sentence() -> None:
    seed = next(
        n for n in range(99) if made(Options("a {wea|x}pon", seed=n)).wording.prompt == "a weapon"
    )
    rules, asker = Policy(words=("weapon", "noir")), Asker()

    for typed, style in (
        (Options("a {wea|x}pon", seed=seed), None),
        (Options("a cat", style="noir"), NOIR),
        (Options("a cat", negative_prompt="{weapon|weapon}"), None),
    ):
        with pytest.raises(PolicyForbids):
            rules.check(made(typed, style), asker)
    Policy(words=("colour",)).check(made(Options("a cat", style="noir"), NOIR), asker)


def test_words_that_become_too_long_or_none_are_refused_before_anything_is_made() -> None:
    long = Style(StyleWords("long", "x" * 500))

    with pytest.raises(WordsTooLong) as refused:
        made(Options("y" * 1_999, style="long"), long)
    assert (refused.value.length, refused.value.limit) == (2_501, 2_000)
    with pytest.raises(PromptMissing):
        made(Options("{|}", seed=1))


@pytest.mark.parametrize(
    ("parts", "whole"),
    [
        (("a", "b", ""), "a, b"),
        (("noir.", "a cat", ", dark"), "noir. a cat, dark"),
        (("", "a cat.", "dark"), "a cat. dark"),
        (("", "", ""), ""),
        (("by night:", "a cat", "!"), "by night: a cat!"),
    ],
)
def test_parts_of_a_sentence_are_joined_as_people_write(parts: tuple[str, ...], whole: str) -> None:
    assert joined(*parts) == whole


def test_a_file_of_styles_is_read_back_as_it_was_written() -> None:
    nasty = 'a "b" \\ {c|d} \x7f ü\n日本 # = ['.replace("\x7f", "")
    styles = StyleSet(
        (
            read_style(
                "Film noir", {"before": nasty, "preset": "QUALITY", "seconds": "3,5"}, LIMITS
            ),
        ),
        {"": {"style": "Film noir", "fps": 12}, "123": {"aspect": "16:9"}},
    )

    assert read_toml(write_toml(styles), LIMITS) == styles
    assert dict(styles.styles[0].options) == {"preset": "quality", "seconds": 3.5}


@pytest.mark.parametrize(
    "text",
    [
        "[style.x",
        "style = 3",
        "[style]\nx = 3",
        "[other]",
        '[style.x]\npreset = "best"',
        "[style.x]\nseconds = 900",
        "[style.x]\nseconds = true",
        "[style.x]\nseconds = [1]",
        '[style.x]\nprompt = "a"',
        "[style.x]\nseed = 3",
        '[style.x]\nstyle = "y"',
        "[style.x]\nbefore = 3",
        f'[style.x]\nbefore = "{"a" * 501}"',
        '[style.none]\nbefore = "a"',
        '[style."a/b"]',
        '[style."<b>"]',
        f"[style.{'x' * 33}]",
        '[style."a b"]\n[style."A  B"]',
        '[channel."../x"]\nfps = 12',
        f'[style.x]\nbefore = "{"{a|b}" * 51}"',
        "\n".join(f"[style.s{n}]" for n in range(101)),
        "x = " + "[" * 5_000,
    ],
)
def test_a_file_that_cannot_be_kept_is_refused_with_what_is_possible(text: str) -> None:
    with pytest.raises(InvalidInput):
        read_toml(text, LIMITS)


def test_a_refusal_names_the_style_the_field_and_what_may_stand_there() -> None:
    with pytest.raises(StyleRefused) as refused:
        read_toml('[style.x]\naspect = "16:10"', LIMITS)

    assert (refused.value.entry, refused.value.field) == ("style.x", "aspect")
    assert "16:9" in refused.value.possible


@pytest.mark.parametrize("name", sorted({option.name for option in settable()} - {"style"}))
def test_every_option_that_may_be_set_can_stand_in_a_style(name: str) -> None:
    option = OPTIONS[name]
    value = option.choices[-1] if option.choices else option.range_in(LIMITS)[0]

    style = read_style("x", {option.typed: value}, LIMITS)

    assert style.options == {name: value}
    assert read_toml(write_toml(StyleSet((style,))), LIMITS).styles == (style,)


def test_follow_ups_with_another_preset_do_not_say_that_others_chose_it() -> None:
    request = made(Options("a cat", seed=1))

    assert request.chosen_by
    assert not quality(request, LIMITS).chosen_by
    assert replace(request).chosen_by == again(request).chosen_by
