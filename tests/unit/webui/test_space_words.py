"""Every problem that a Space tells in its own way is one that there is, with fields that it has."""

from dataclasses import fields
from string import Formatter

import pytest

import core.comfy.install.errors
import core.errors.setup
import core.errors.storage
import core.models.errors
import webui.space.problems
from core.errors import ClapperError
from core.i18n.messages import DEFAULT_LANGUAGE, languages, sentences
from webui.space.problems import code_of

MODULES = (
    core.comfy.install.errors,
    core.errors.setup,
    core.errors.storage,
    core.models.errors,
    webui.space.problems,
)
KINDS = {
    kind.code: kind
    for module in MODULES
    for kind in vars(module).values()
    if isinstance(kind, type) and issubclass(kind, ClapperError)
}
OWN = sorted(
    code.removeprefix("space_")
    for code in sentences(DEFAULT_LANGUAGE)
    if code.removeprefix("space_") in KINDS and code.startswith("space_")
)
# what never happens on a Space: packages are installed by the platform, nobody runs commands there
NEVER = {"packages_offline", "packages_disk_full", "packages_failed", "installer_missing"}


@pytest.mark.parametrize("language", languages())
@pytest.mark.parametrize("code", OWN)
def test_a_sentence_has_the_fields_of_its_problem_and_no_command(code: str, language: str) -> None:
    sentence = sentences(language)[f"space_{code}"]
    names = {name for _, name, _, _ in Formatter().parse(sentence) if name}

    assert names <= {item.name for item in fields(KINDS[code])}  # pyright: ignore[reportArgumentType]
    assert "clapper " not in sentence


def test_every_problem_that_a_space_can_have_is_told_without_a_command() -> None:
    english = sentences(DEFAULT_LANGUAGE)
    commands = {
        code
        for code, kind in KINDS.items()
        if code not in NEVER and "“clapper " in english[code_of(kind.__new__(kind))]
    }

    assert commands <= {
        *("checkout_foreign", "archive_offline", "lora_refused"),
        "database_damaged",  # a backup is put back where there is a command line
        *("no_service_runs", "service_unreadable", "service_unreachable"),  # of commands themselves
    }
