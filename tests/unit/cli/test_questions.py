"""Yes and no, in the words of who is asked."""

from collections.abc import Generator

import pytest
import typer
from typer.testing import CliRunner

from core.cli.exit_codes import explained_exit
from core.cli.questions import confirmed
from core.i18n.messages import say, speak_in_terminal, speaking


@pytest.fixture(autouse=True)
def english_again() -> Generator[None]:
    yield
    speak_in_terminal(None)


def asked(typed: str, *, usual: bool = False, locale: str | None = None) -> tuple[bool | None, int]:
    """Answer one question with lines, and return what was understood, and the status."""
    app, understood = typer.Typer(), []

    @app.command()
    def command() -> None:
        with explained_exit():
            understood.append(confirmed("Sure?", usual=usual))

    speak_in_terminal(locale)
    done = CliRunner().invoke(app, input=typed)
    return (understood[0] if understood else None), done.exit_code


@pytest.mark.parametrize(
    ("typed", "locale", "meant"),
    [
        ("y\n", None, True), ("Yes\n", None, True), ("no\n", None, False), ("j\nn\n", None, False),
        ("J\n", "de", True), ("nein\n", "de_AT", False), ("yes\n", "de", True),
        ("tak\n", "pl", True), ("n\n", "pl_PL", False), ("ja\nt\n", "pl", True),
        ("oui\nno\n", "fr", False),
    ],
)  # fmt: skip
def test_an_answer_counts_in_the_language_of_the_terminal_and_in_english(
    typed: str, locale: str | None, meant: bool
) -> None:
    assert asked(typed, locale=locale) == (meant, 0)


@pytest.mark.parametrize("usual", [True, False])
def test_enter_is_what_is_usual(usual: bool) -> None:
    assert asked("\n", usual=usual) == (usual, 0)


def test_no_answer_is_neither(capsys: pytest.CaptureFixture[str]) -> None:
    assert asked("") == (None, 2)


def test_a_reader_who_is_named_hears_their_own_language() -> None:
    speak_in_terminal("de")

    assert say("stopped") != say("stopped", locale="en")
    with speaking("pl"):
        assert say("stopped") == say("stopped", locale="pl")
    speak_in_terminal(None)
    assert say("stopped") == say("stopped", locale="en")
