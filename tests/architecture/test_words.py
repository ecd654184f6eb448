"""Every code has a sentence in every language, with fields that its error really has."""

import inspect
import re
import tomllib
from dataclasses import fields
from string import Formatter

import pytest

import core.errors
import core.errors.artefacts
import core.errors.setup
import core.errors.storage
from core.domain.limits import RequestLimits
from core.domain.modes import MODES
from core.domain.options import OPTIONS
from core.domain.progress import Stage
from core.errors import ClapperError
from core.i18n.formats import forms, is_choice, plurals_of
from core.i18n.messages import DEFAULT_LANGUAGE, WORDS, languages, sentences
from core.i18n.option_words import mode_summary, option_hint
from tests.architecture.said_words import is_said

ERRORS = sorted(
    {
        kind
        for module in (core.errors, core.errors.artefacts, core.errors.setup, core.errors.storage)
        for _, kind in inspect.getmembers(module, inspect.isclass)
        if issubclass(kind, ClapperError)
    },
    key=lambda kind: kind.code,
)


def placeholders(template: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(template) if name}


@pytest.mark.parametrize("language", languages())
@pytest.mark.parametrize("kind", ERRORS, ids=lambda kind: kind.code)
def test_every_error_has_a_sentence_with_its_own_fields(
    kind: type[ClapperError], language: str
) -> None:
    known = {item.name for item in fields(kind)} if kind is not ClapperError else set()

    assert placeholders(sentences(language)[kind.code]) <= known


@pytest.mark.parametrize("language", languages())
def test_every_language_has_the_same_codes_and_fields(language: str) -> None:
    default = sentences(DEFAULT_LANGUAGE)
    own = sentences(language)

    assert own.keys() == default.keys()
    for code, template in own.items():
        assert placeholders(template) == placeholders(default[code]), code


@pytest.mark.parametrize("language", languages())
def test_every_choice_names_all_plurals_of_its_language(language: str) -> None:
    for code, template in sentences(language).items():
        for _, name, spec, _ in Formatter().parse(template):
            if name and is_choice(spec or ""):
                assert forms(spec or "").keys() == plurals_of(language), code


def test_every_sentence_is_said_somewhere() -> None:
    assert [code for code in sentences(DEFAULT_LANGUAGE) if not is_said(code)] == []


# one word for one thing, and one way to speak to people: what was said otherwise before
NOT_SAID = {
    "de": {
        r"[Aa]uftr[aä]g": "Job",
        r"\bKommandos?\b": "Befehl",
        r"\bin der (?:Reihe|Schlange)\b": "in der Warteschlange",
        r"\b(?:Fest)?[Pp]latte\b": "Datenträger",
        r"\bKennwort": "Passwort",
        r"\bDatenordner": "Datenverzeichnis",
        r"\bFront(?:en|-Knoten)\b": "Zugänge",
        r"\bStrg-": "Strg+",
        r"[a-zß]en Sie\b": "du",
    },
    "pl": {
        r"(?<![.:] )(?<!^)\b(?:Ciebie|Cię|Twoje|Twój)\b": "ciebie, twój",
        r"\bklipy i dane\b": "klipy i pliki wejściowe",
        r"\bnie gra\b": "nie w porządku",
    },
}


@pytest.mark.parametrize(
    ("language", "pattern"),
    [(language, pattern) for language, patterns in NOT_SAID.items() for pattern in patterns],
)
def test_a_thing_has_one_word_in_a_language(language: str, pattern: str) -> None:
    found = [code for code, said in sentences(language).items() if re.search(pattern, said)]

    assert not found, f"say {NOT_SAID[language][pattern]}"


@pytest.mark.parametrize("language", languages())
def test_roles_and_stages_have_names(language: str) -> None:
    identifiers = {*Stage, *(slot.role for spec in MODES.values() for slot in spec.slots)}

    assert not {name for name in identifiers if f"names.{name}" not in sentences(language)}


@pytest.mark.parametrize("language", languages())
def test_no_sentence_stands_in_two_files_of_a_language(language: str) -> None:
    seen: dict[str, str] = {}
    for file in sorted((WORDS / language).glob("*.toml")):
        for code, text in tomllib.loads(file.read_text("utf-8")).items():
            if isinstance(text, str):
                assert code not in seen, f"{code}: {seen[code]} and {file.name}"
                seen[code] = file.name


@pytest.mark.parametrize("language", languages())
def test_every_mode_and_option_has_all_its_words(language: str) -> None:
    wanted = {
        f"mode.{mode}.{part}" for mode in MODES for part in ("name", "what", "hint", "example")
    }
    wanted |= {f"option.{option}.{part}" for option in OPTIONS for part in ("name", "hint")}
    found = {code for code in sentences(language) if code.startswith(("mode.", "option."))}

    assert found == wanted


@pytest.mark.parametrize("language", languages())
def test_what_a_chat_shows_of_a_mode_or_option_fits_there(language: str) -> None:
    """Discord takes descriptions of at most 100 characters."""
    texts = [mode_summary(mode, language) for mode in MODES]
    texts += [option_hint(option, RequestLimits(), language) for option in OPTIONS.values()]

    assert [text for text in texts if not 1 <= len(text) <= 100] == []


@pytest.mark.parametrize("language", languages())
def test_every_unit_of_an_option_is_a_word(language: str) -> None:
    units = {option.unit for option in OPTIONS.values() if option.unit}

    assert {unit for unit in units if f"unit.{unit}" not in sentences(language)} == set()
