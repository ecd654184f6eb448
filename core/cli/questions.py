"""Questions in a terminal, in the language of who sits there.

Ctrl-C and the end of the input leave as :class:`typer.Abort`, which the root of all commands
explains.
"""

import sys

import typer
from pydantic import SecretStr

from core.cli.terminal import err
from core.i18n.messages import DEFAULT_LANGUAGE, say


def secret(question: str) -> SecretStr | None:
    """Ask for what is not shown while it is typed; nothing typed is None."""
    hidden = sys.stdin.isatty()  # elsewhere nothing shows what is read
    text = str(typer.prompt(question, "", hide_input=hidden, show_default=False)).strip()
    return SecretStr(text) if text else None


def line(question: str, usual: str) -> str:
    """Ask for a line; ``usual`` where nothing is typed."""
    return str(typer.prompt(question, usual)).strip() or usual


def confirmed(question: str, *, usual: bool = False) -> bool:
    """Ask for yes or no, by a word or its first letter; ``usual`` where nothing is typed."""
    hint = say("cli_yes_usual" if usual else "cli_no_usual")
    yes, no = _words("cli_yes_words"), _words("cli_no_words")
    while True:
        typed = str(typer.prompt(f"{question} [{hint}]", "", show_default=False)).strip().casefold()
        if not typed:
            return usual
        if typed in yes | no:
            return typed in yes
        err().print(say("cli_yes_or_no"))


def _words(code: str) -> frozenset[str]:
    """Return what counts as an answer: in the reader's language, and in English."""
    words = (*say(code).split(), *say(code, locale=DEFAULT_LANGUAGE).split())
    return frozenset(found for word in words for found in (word, word[0]))
