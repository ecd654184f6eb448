"""Keep what people chose, such as a name, from turning or hiding the words around it.

A letter that is written from the right draws the numbers and marks beside it to its side, and a
character that nobody sees can turn the rest of a line around (UAX #9, "Trojan Source").
"""

import re
import unicodedata

_FIRST, _END = "\u2068", "\u2069"  # FSI and PDI: what is between them goes its own way
# overrides, embeddings, isolates with a direction, marks; and what has no width, joiners apart
_UNSEEN = re.compile("[\u202a-\u202e\u2066\u2067\u200e\u200f\u061c\u200b\u2060-\u2064\ufeff\u00ad]")
_ISOLATES = re.compile(f"[{_FIRST}{_END}]")
_FROM_THE_RIGHT = frozenset({"R", "AL", "AN"})


def isolated(text: str) -> str:
    """Return ``text`` so that it can stand in a sentence of any language, in one line of it."""
    if text.isascii():
        return text
    text = _UNSEEN.sub("", text)
    if not _closed(text):
        text = _ISOLATES.sub("", text)
    if any(unicodedata.bidirectional(character) in _FROM_THE_RIGHT for character in text):
        return f"{_FIRST}{text}{_END}"
    return text


def _closed(text: str) -> bool:
    """Tell whether every isolate in ``text`` ends there, and nothing else does."""
    depth = 0
    for character in _ISOLATES.findall(text):
        depth += 1 if character == _FIRST else -1
        if depth < 0:
            return False
    return depth == 0
