"""Read channels and roles as operators type them: numbers, mentions and links of the platforms."""

import re

from core.errors import NotAnId

_NUMBER = r"-?\d{1,20}"
_FORMS: dict[str, tuple[re.Pattern[str], ...]] = {
    "channels": (
        re.compile(rf"({_NUMBER})"),
        re.compile(r"<#(\d{1,20})>"),
        re.compile(  # guild, channel or thread, and perhaps a message
            r"(?:https?://)?(?:\w+\.)?discord(?:app)?\.com/channels/(?:\d+|@me)/(\d{1,20})(?:/\d+)?/?"
        ),
        re.compile(r"(?:https?://)?t\.me/c/\d+/(\d{1,20})/\d+/?"),  # a message in a topic
    ),
    "roles": (re.compile(rf"({_NUMBER})"), re.compile(r"<@&(\d{1,20})>")),
}
# a message in a private group of Telegram: the number of the group without its prefix
_GROUP = re.compile(r"(?:https?://)?t\.me/c/(\d{1,17})(?:/\d+)?/?")


def read_ids(rule: str, typed: str) -> tuple[str, ...]:
    """Read the ids of ``channels`` or ``roles`` from what was typed, each once.

    Args:
        rule: which of the two.
        typed: separated by spaces, commas, semicolons or nothing, where they are mentions.

    Raises:
        NotAnId: naming the first that is none, such as a name or the mention of a person.
    """
    return tuple(dict.fromkeys(_read(rule, word) for word in _words(typed)))


def known_ids(rule: str, stored: tuple[str, ...]) -> tuple[str, ...]:
    """Return the ids in a stored rule; what was stored before it was understood is left out."""
    found: list[str] = []
    for value in stored:
        for word in _words(value):
            try:
                found.append(_read(rule, word))
            except NotAnId:
                continue
    return tuple(dict.fromkeys(found))


def _words(typed: str) -> list[str]:
    return [word for word in re.split(r"[,;\s]+", typed.replace("><", "> <")) if word]


def _read(rule: str, word: str) -> str:
    for form in _FORMS[rule]:
        if found := form.fullmatch(word):
            return found[1]
    if rule == "channels" and (group := _GROUP.fullmatch(word)):
        return f"-100{group[1]}"
    raise NotAnId(rule, word[:40])
