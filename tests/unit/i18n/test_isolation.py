"""Words of people in a sentence of ours turn and hide nothing of what stands around them."""

import pytest

from core.i18n.isolation import isolated
from core.i18n.messages import say, speaking

FSI, PDI = "\u2068", "\u2069"
ARABIC, HEBREW = "قارب", "סירה"


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("ada", "ada"),
        ("Zoë 雨", "Zoë 雨"),
        (ARABIC, f"{FSI}{ARABIC}{PDI}"),
        (f"a {HEBREW} 3", f"{FSI}a {HEBREW} 3{PDI}"),
        ("gpj.\u202efile", "gpj.file"),  # the override alone says another ending
        ("\u2067a\u2069", "a"),
        ("a\u2069\u2068b", "ab"),
        (f"\u2069{ARABIC}", f"{FSI}{ARABIC}{PDI}"),  # cannot leave what it is put into
        (f"{FSI}{ARABIC}{PDI} 2", f"{FSI}{FSI}{ARABIC}{PDI} 2{PDI}"),
        ("ad\u200bmin\ufeff", "admin"),
        ("👩\u200d🚀", "👩\u200d🚀"),  # joiners are part of letters and pictures
    ],
)
def test_a_name_is_shown_isolated_and_without_what_turns_a_line(name: str, shown: str) -> None:
    assert isolated(name) == shown


@pytest.mark.parametrize("locale", ["en", "de", "pl"])
def test_a_sentence_of_the_page_isolates_the_names_in_it(locale: str) -> None:
    with speaking(locale):
        text = say("studio_signed_in", {"name": f"\u202e{ARABIC} 7"})

    assert f"{FSI}{ARABIC} 7{PDI}" in text
    assert "\u202e" not in text


def test_a_sentence_of_a_chat_too_and_one_of_the_terminal_is_as_it_was() -> None:
    data = {"host": ARABIC}

    assert f"{FSI}{ARABIC}{PDI}" in say("unknown_host", data, "en")
    assert f"“{ARABIC}”" in say("unknown_host", data)  # the terminal spells such marks out itself
