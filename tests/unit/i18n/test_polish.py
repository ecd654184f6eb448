"""Polish has a plural for few, one for many, and one for parts of a thing."""

import pytest

from core.errors import MediaTooLong, QuotaExceeded
from core.i18n.formats import plurals_of
from core.i18n.messages import explain, language_of, say


@pytest.mark.parametrize(
    ("count", "words"),
    [
        (1, "1 klip "),
        (2, "2 klipy "),
        (5, "5 klipów "),
        (12, "12 klipów "),
        (22, "22 klipy "),
        (1.5, "1,5 klipu "),
    ],
)
def test_a_noun_takes_the_form_of_its_number(count: float, words: str) -> None:
    assert say("backup_absent", {"count": count}, "pl").startswith(words)


def test_polish_has_four_plurals() -> None:
    assert plurals_of("pl") == {"one", "few", "many", "other"}


def test_amounts_and_moments_are_written_the_polish_way() -> None:
    assert "12,5 s" in explain(MediaTooLong("audio", 12.5, 10.0), "pl-PL")
    quota = explain(QuotaExceeded(80_000, 30_000, 1_200_000, 1_700_000_000_000), "pl")
    assert "1 min 20 s" in quota
    assert "14.11.2023, 22:13 UTC" in quota


def test_a_polish_locale_leads_to_polish() -> None:
    assert [language_of(locale) for locale in ("pl", "pl-PL", "pl_PL")] == ["pl"] * 3
