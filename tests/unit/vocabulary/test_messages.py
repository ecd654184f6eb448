import pytest

from core.compose import Adjustment
from core.errors import MediaTooLarge, OutOfRange, QuotaExceeded
from core.jobs import Failure
from core.messages import explain, language_of, name, say


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


def test_values_with_braces_stay_literal() -> None:
    text = say("not_a_choice", {"field": "preset", "value": "{0.__class__}", "choices": "fast"})

    assert "{0.__class__}" in text


def test_a_missing_field_is_a_defect_not_a_blank() -> None:
    with pytest.raises(KeyError):
        say("prompt_too_long", {})


@pytest.mark.parametrize(("locale", "language"), [("en-GB", "en"), ("xx", "en"), (None, "en")])
def test_unknown_locales_fall_back_to_english(locale: str | None, language: str) -> None:
    assert language_of(locale) == language


def test_unknown_identifiers_read_as_words() -> None:
    assert name("some_new_thing") == "some new thing"
