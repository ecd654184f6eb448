"""Every code has a sentence in every language, with fields that its error really has."""

import inspect
import tomllib
from dataclasses import fields
from string import Formatter

import pytest

import core.errors
import core.errors.setup
from core.domain.modes import MODES
from core.domain.progress import Stage
from core.errors import ClapperError
from core.i18n.messages import DEFAULT_LANGUAGE, WORDS, languages, sentences

ERRORS = sorted(
    {
        kind
        for module in (core.errors, core.errors.setup)
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
def test_modes_roles_and_stages_have_names(language: str) -> None:
    identifiers = {*MODES, *Stage, *(slot.role for spec in MODES.values() for slot in spec.slots)}

    assert not {name for name in identifiers if f"names.{name}" not in sentences(language)}


@pytest.mark.parametrize("language", languages())
def test_no_sentence_stands_in_two_files_of_a_language(language: str) -> None:
    seen: dict[str, str] = {}
    for file in sorted((WORDS / language).glob("*.toml")):
        for code, text in tomllib.loads(file.read_text("utf-8")).items():
            if isinstance(text, str):
                assert code not in seen, f"{code}: {seen[code]} and {file.name}"
                seen[code] = file.name
