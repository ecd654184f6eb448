"""Tell which characters of a text people see."""

import unicodedata

_INVISIBLE = frozenset({"Cf", "Mn", "Me", "Cc"})  # Unicode categories; Mn: accents
_BLANK = frozenset("\u115f\u1160\u3164\uffa0\u2800\u17b4\u17b5\u0640")  # and the Arabic stretch


def is_unseen(character: str) -> bool:
    """Tell whether a character shows nothing by itself; spaces are not meant."""
    if character.isspace():
        return False
    return character in _BLANK or unicodedata.category(character) in _INVISIBLE


def is_blank(text: str) -> bool:
    """Tell whether there is nothing to see in ``text``."""
    return all(character.isspace() or is_unseen(character) for character in text)
