"""Numbers as people type them and programs send them."""

import math
from typing import Any

import pytest

from core.domain.limits import RequestLimits
from core.domain.options import OPTIONS, Option, OptionKind
from core.domain.parsing import parse_number, parse_option, parse_seed
from core.domain.seeds import MAX_SEED
from core.errors import NotANumber, SeedNotANumber
from core.i18n.messages import explain

LIMITS = RequestLimits()


@pytest.mark.parametrize(
    ("given", "seed"),
    [("7", 7), (" 42 ", 42), (0, 0), (str(MAX_SEED), MAX_SEED), ("", None), (" ", None)],
)
def test_a_seed_keeps_all_its_digits_and_nothing_is_no_seed(given: Any, seed: int | None) -> None:
    assert parse_seed(given) == seed
    assert parse_seed(None) is None


@pytest.mark.parametrize(
    "given", ["abc", "-4", -4, 1.5, 7.0, True, str(MAX_SEED + 1), "9" * 5000, [1], "²", "1e3"]
)
def test_what_is_no_seed_is_told_with_the_range(given: Any) -> None:
    with pytest.raises(SeedNotANumber) as caught:
        parse_seed(given)

    sentence = explain(caught.value)
    assert str(MAX_SEED) in sentence
    assert len(sentence) < 200


@pytest.mark.parametrize(
    ("given", "number"), [("2,5", 2.5), (" 24 ", 24), (5, 5), (1e9, 1e9), ("-3", -3)]
)
def test_ranges_are_checked_where_all_fronts_meet(given: Any, number: float) -> None:
    assert parse_number("seconds", given, LIMITS) == number


@pytest.mark.parametrize("given", ["long", "", "inf", "nan", math.nan, True, None, [1], 10**400])
@pytest.mark.parametrize("field", ["seconds", "fps", "width", "height"])
def test_what_is_no_number_is_told_with_the_range(field: str, given: Any) -> None:
    with pytest.raises(NotANumber) as caught:
        parse_number(field, given, LIMITS)

    low, high = caught.value.low, caught.value.high
    assert f"choose between {low:g} and {high:g}" in explain(caught.value)


NEW = (
    Option("mood", OptionKind.TEXT),
    Option("light", OptionKind.CHOICE, ("Day", "night")),
    Option("strength", OptionKind.NUMBER, bounds=lambda _: (0, 2), unit="x"),
    Option("steps", OptionKind.COUNT, bounds=lambda _: (1, 50)),
    Option("grain", OptionKind.SEED, bounds=lambda _: (0, MAX_SEED)),
)


@pytest.mark.parametrize(
    ("option", "typed", "value"),
    [
        (NEW[0], "Warm, at Dusk", "Warm, at Dusk"),
        (NEW[1], "DAY", "Day"),
        (NEW[1], "Fog", "fog"),
        (NEW[2], "1,5x", 1.5),
        (NEW[3], "12", 12),
        (OPTIONS["width"], "1,280", 1280),
        (OPTIONS["width"], "1 280 px", 1280),
        (OPTIONS["seconds"], "1,280", 1.28),
        (OPTIONS["seconds"], "0:05", 5),
        (OPTIONS["seconds"], "1:30.5", 90.5),
        (OPTIONS["seconds"], "5 Sekunden", 5),
        (OPTIONS["seconds"], "7 sek", 7),
        (OPTIONS["fps"], "24 FPS", 24),
        (NEW[4], str(MAX_SEED), MAX_SEED),
    ],
    ids=lambda item: item.name if isinstance(item, Option) else str(item),
)
def test_an_option_is_parsed_as_its_kind_says(option: Option, typed: str, value: Any) -> None:
    assert parse_option(option, typed, LIMITS) == value


NUMBERS = [
    option
    for option in (*OPTIONS.values(), *NEW)
    if option.kind in {OptionKind.NUMBER, OptionKind.COUNT}
]


@pytest.mark.parametrize("option", NUMBERS, ids=lambda option: option.name)
def test_what_is_no_number_is_told_with_the_range_of_its_row(
    option: Option, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(OPTIONS, option.name, option)

    with pytest.raises(NotANumber) as caught:
        parse_option(option, "many", LIMITS)

    low, high = option.range_in(LIMITS)
    told = caught.value
    assert (told.field, told.low, told.high, told.unit) == (option.name, low, high, option.unit)


GIVEN = {
    OptionKind.TEXT: ("a kite", "a kite"),
    OptionKind.CHOICE: ("fast", "fast"),
    OptionKind.NUMBER: ("2,5", 2.5),
    OptionKind.COUNT: (" 24 ", 24),
    OptionKind.SEED: (str(2**53 + 1), 2**53 + 1),
}


@pytest.mark.parametrize("option", OPTIONS.values(), ids=lambda option: option.name)
def test_every_option_is_parsed_as_its_row_says(option: Option) -> None:
    given, value = GIVEN[option.kind]

    assert parse_option(option, given, LIMITS) == value
    assert parse_option(option, " ", LIMITS) == option.blank
    assert parse_option(option, None, LIMITS) == option.blank


def test_a_number_of_a_new_row_is_refused_with_its_own_range_and_unit() -> None:
    strength = Option("strength", OptionKind.NUMBER, bounds=lambda _: (0.5, 2), unit="x")

    with pytest.raises(NotANumber) as caught:
        parse_option(strength, "strong", LIMITS)

    assert caught.value.data() == {
        "field": "strength",
        "value": "strong",
        "low": 0.5,
        "high": 2,
        "unit": "x",
    }
