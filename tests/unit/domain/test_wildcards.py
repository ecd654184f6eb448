"""Wildcards: what is one, what is not, and that a seed always draws the same."""

import pytest

from core.domain.wildcards import DEEPEST, MOST, check_wildcards, drawn
from core.errors import WildcardsTooDeep, WildcardsTooMany

SEEDS = range(40)


def every(text: str) -> set[str]:
    return {drawn(text, seed) for seed in SEEDS}


@pytest.mark.parametrize(
    ("text", "drawable"),
    [
        ("a {red|blue} kite", {"a red kite", "a blue kite"}),
        ("{a|{b|c}d}", {"a", "bd", "cd"}),
        ("{Ü|日本}", {"Ü", "日本"}),
        ("a {|red} car", {"a car", "a red car"}),
        (r"{a\|b|c}", {"a|b", "c"}),
        (r"{\{a\}|b}", {"{a}", "b"}),
        ("{x {a|b}}", {"{x a}", "{x b}"}),
        ("{a|b}{a|b}", {"aa", "ab", "ba", "bb"}),
        ("{a|b\nc}", {"a", "b\nc"}),
    ],
)
def test_every_alternative_is_drawn_and_nothing_else(text: str, drawable: set[str]) -> None:
    assert every(text) == drawable


@pytest.mark.parametrize(
    "text",
    [
        "plain  text",
        "{abc}",
        '{"a": 1}',
        "a | b",
        "{a",
        "a}",
        "}{",
        "{a|b",
        "{{}}",
        "C:\\new",
        "{}",
    ],
)
def test_braces_that_are_no_wildcard_stay_as_they_are(text: str) -> None:
    assert every(text) == {text}


def test_an_escaped_sign_is_the_sign_alone() -> None:
    assert every(r"\{a|b\} \| c") == {"{a|b} | c"}


def test_the_same_seed_draws_the_same_in_every_version() -> None:
    assert [drawn("{a|b|c|d}", seed) for seed in range(6)] == ["b", "a", "a", "b", "a", "a"]
    assert drawn("{a|b|c|d} {a|b|c|d}", 2**63 - 1) == drawn("{a|b|c|d} {a|b|c|d}", 2**63 - 1)


def test_limits_are_named_and_nothing_is_drawn_beyond_them() -> None:
    many, deep = "{a|b}" * (MOST + 1), "{a|" * (DEEPEST + 1) + "b" + "}" * (DEEPEST + 1)
    check_wildcards("{a|b}" * MOST)
    check_wildcards("{a|" * DEEPEST + "b" + "}" * DEEPEST)

    with pytest.raises(WildcardsTooMany) as too_many:
        check_wildcards(many)
    with pytest.raises(WildcardsTooDeep) as too_deep:
        check_wildcards(deep)

    assert (too_many.value.count, too_many.value.limit) == (MOST + 1, MOST)
    assert too_deep.value.limit == DEEPEST
    assert (drawn(many, 1), drawn(deep, 1)) == (many, deep)


@pytest.mark.parametrize(
    "text", ["{" * 10_000, "}" * 10_000, "{|" * 5_000, "{" * 5_000 + "}" * 5_000]
)
def test_no_text_takes_long_or_breaks_the_reader(text: str) -> None:
    assert drawn(text, 1) == text
