"""What people paste at a question, without what came along: quotes, a name, a mention's signs."""

import re

_QUOTES = "'\"`“”„‘’«»"
_NAMED = re.compile(r"(?:(?:export\s+)?[A-Z][A-Z0-9_]*\s*=|Bot\s)\s*")  # a line of a file, a header
_MENTION = re.compile(r"<@!?([0-9]{1,20})>")


def pasted_token(text: str) -> str:
    """Return the token in ``text``, which may stand in quotes or behind ``NAME=`` or ``Bot``."""
    return _NAMED.sub("", text.strip(_QUOTES + " \t\r\n"), count=1).strip(_QUOTES + " \t\r\n")


def pasted_account(text: str, platform: str) -> str:
    """Return the account that ``text`` names on ``platform``: a number, a mention or the whole."""
    typed = text.strip(_QUOTES + " ")
    mention = _MENTION.fullmatch(typed)
    if mention:
        typed = mention[1]
    return typed if ":" in typed else f"{platform}:{typed}"
