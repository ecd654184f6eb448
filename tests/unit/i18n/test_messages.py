import pytest

from core.domain.adjustments import Adjustment
from core.domain.jobs import Failure
from core.domain.seeds import MAX_SEED
from core.errors import MediaTooLarge, MediaTooLong, OutOfRange, QuotaExceeded
from core.i18n.formats import Amounts
from core.i18n.messages import explain, language_of, name, say


def test_a_size_change_is_explained_with_both_sizes() -> None:
    note = Adjustment("size_snapped", {"asked": "1280×720", "becomes": "1280×704"})

    assert explain(note).startswith("1280×720 becomes 1280×704")


def test_errors_and_stored_failures_read_the_same() -> None:
    error = OutOfRange("width", 99, 256, 1920, "px")

    assert explain(error) == explain(Failure.of(error))


def test_numbers_come_with_units_a_person_reads() -> None:
    text = explain(MediaTooLarge("image", 31_400_000, 20_000_000))

    assert "31.4 MB" in text
    assert "20.0 MB" in text


def test_quota_speaks_of_minutes_and_the_reset() -> None:
    text = explain(QuotaExceeded(80_000, 30_000, 1_200_000, resets_at_ms=1_700_000_000_000))

    assert "1 min 20 s" in text
    assert "30 s of 20 min 00 s" in text
    assert "2023-11-14 22:13 UTC" in text


def test_german_writes_amounts_with_a_comma() -> None:
    text = explain(MediaTooLarge("image", 31_400_000, 999), "de-AT")

    assert "31,4 MB" in text
    assert "999 Bytes" in text


def test_german_writes_lengths_and_limits_with_a_comma() -> None:
    assert "12,5 s" in explain(MediaTooLong("audio", 12.5, 10.0), "de")
    assert "0,25 bis 20 s" in explain(OutOfRange("seconds", 99, 0.25, 20.0, "s"), "de")


def test_german_quota_speaks_of_minutes_and_the_day_first() -> None:
    text = explain(QuotaExceeded(80_000, 30_000, 1_200_000, 1_700_000_000_000), "de")

    assert "1 Min. 20 s" in text
    assert "30 s von 20 Min. 00 s" in text
    assert "14.11.2023, 22:13 UTC" in text


def test_german_leaves_decimal_points_inside_a_persons_text_alone() -> None:
    text = say("not_a_choice", {"field": "aspect", "value": "1.85:1", "choices": "16:9"}, "de")

    assert text == "Seitenverhältnis: „1.85:1“ gibt es nicht. Zur Wahl stehen: 16:9."


def test_a_missing_moment_is_a_dash_in_every_language() -> None:
    assert "(wieder voll: –)" in explain(QuotaExceeded(1, 0, 1), "de")
    assert "(full again: –)" in explain(QuotaExceeded(1, 0, 1), "en")


@pytest.mark.parametrize("locale", ["en", "de"])
def test_the_largest_seed_keeps_all_its_digits(locale: str) -> None:
    assert str(MAX_SEED) in explain(OutOfRange("seed", -1, 0, MAX_SEED), locale)


@pytest.mark.parametrize("locale", ["en", "de", "pl"])
@pytest.mark.parametrize("value", [1e15, 1e27, -1e30, 1.7e308, 10**40, 2**70, 5e-324])
def test_whatever_number_is_typed_the_refusal_can_be_said(value: float, locale: str) -> None:
    assert "20" in explain(OutOfRange("seconds", value, 1, 20), locale)


@pytest.mark.parametrize("at_ms", [1e20, -1e20, 2**63, float("inf"), float("nan")])
def test_a_moment_that_no_year_has_is_a_dash(at_ms: float) -> None:
    assert "–" in Amounts("en", {"units.clock": "HH:mm"}).moment(at_ms)


def test_values_with_braces_stay_literal() -> None:
    text = say("not_a_choice", {"field": "preset", "value": "{0.__class__}", "choices": "fast"})

    assert "{0.__class__}" in text


def test_a_missing_field_is_a_defect_not_a_blank() -> None:
    with pytest.raises(KeyError):
        say("prompt_too_long", {})


@pytest.mark.parametrize(
    ("locale", "language"), [("en-GB", "en"), ("de-CH", "de"), ("xx", "en"), (None, "en")]
)
def test_a_locale_leads_to_its_language_or_to_english(locale: str | None, language: str) -> None:
    assert language_of(locale) == language


def test_unknown_identifiers_read_as_words() -> None:
    assert name("some_new_thing") == "some new thing"
