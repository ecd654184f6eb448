"""The language of whoever sits at the terminal, as POSIX and GNU programs are told it."""

import os

_NONE = frozenset({"", "C", "POSIX"})


def terminal_locale() -> str | None:
    """Return the locale for messages, e.g. ``de_AT``; None where none is set."""
    names = ("LC_ALL", "LC_MESSAGES", "LANG")  # the first that is set decides
    found = next((value for name in names if (value := os.environ.get(name))), "")
    locale = _without_encoding(found)
    if locale in _NONE:
        return None
    wanted = os.environ.get("LANGUAGE", "").partition(":")[0]
    return _without_encoding(wanted) or locale


def _without_encoding(name: str) -> str:
    """Return ``de_AT`` of ``de_AT.UTF-8@euro``."""
    return name.partition("@")[0].partition(".")[0]
