r"""Draw the wildcards of a text: ``{red|blue} kite`` is a red kite or a blue one, by the seed.

Alternatives may hold wildcards themselves, and may be empty. Braces without a ``|`` directly
inside them are no wildcard and stay as they are; ``\{``, ``\|`` and ``\}`` are the signs alone.
"""

import hashlib
from dataclasses import dataclass, field
from typing import TypeAlias

from core.errors import WildcardsTooDeep, WildcardsTooMany

MOST = 50  # wildcards in a text; each is a question that somebody reads in Details
DEEPEST = 8  # wildcards within each other
_SIGNS = "{|}"


@dataclass(slots=True)
class _Wildcard:
    """Alternatives of which one is drawn; those of a brace that is still open while reading."""

    alternatives: list["_Parts"] = field(default_factory=lambda: [[]])
    depth: int = 0  # of the wildcards in it

    def add(self, part: "str | _Wildcard") -> None:
        parts = self.alternatives[-1]
        if isinstance(part, str) and parts and isinstance(parts[-1], str):
            parts[-1] += part  # or a text of braces alone would be copied piece by piece
        else:
            parts.append(part)
        if isinstance(part, _Wildcard):
            self.depth = max(self.depth, part.depth + 1)

    def add_as_written(self, brace: "_Wildcard", end: str) -> None:
        """Add what stands in a brace that is none of a wildcard."""
        self.add("{")
        for number, parts in enumerate(brace.alternatives):
            for part in (["|"] if number else []) + parts:
                self.add(part)
        self.add(end)


_Parts: TypeAlias = list[str | _Wildcard]


def check_wildcards(text: str) -> None:
    """Refuse more wildcards than may be in a text.

    Raises:
        WildcardsTooMany: more than fifty.
        WildcardsTooDeep: too many within each other.
    """
    root, count = _read(text)
    if count > MOST:
        raise WildcardsTooMany(count, MOST)
    if root.depth > DEEPEST:
        raise WildcardsTooDeep(root.depth, DEEPEST)


def drawn(text: str, seed: int) -> str:
    """Return ``text`` with an alternative of each wildcard; the same seed draws the same ones.

    What :func:`check_wildcards` refuses is returned as it is written.
    """
    root, count = _read(text)
    if count > MOST or root.depth > DEEPEST:
        return text
    return _Draw(seed).text_of(root.alternatives[0])


@dataclass(slots=True)
class _Draw:
    """Draws one after the other; a hash, so that every version of Python draws the same."""

    seed: int
    number: int = 0

    def text_of(self, parts: _Parts) -> str:
        words, gap = "", False  # gap: nothing was drawn between two spaces
        for part in parts:
            text = part if isinstance(part, str) else self._alternative(part)
            words += text[1:] if gap and text.startswith(" ") else text
            gap = not isinstance(part, str) and not text and words.endswith(" ")
        return words

    def _alternative(self, wildcard: _Wildcard) -> str:
        found = hashlib.sha256(f"{self.seed}:{self.number}".encode()).digest()
        self.number += 1
        chosen = int.from_bytes(found[:8]) % len(wildcard.alternatives)
        return self.text_of(wildcard.alternatives[chosen])


def _read(text: str) -> tuple[_Wildcard, int]:
    """Return what ``text`` says, as the one alternative of a wildcard, and how many are in it."""
    count, start, place = 0, 0, 0
    within = [_Wildcard()]
    while place < len(text):
        sign = text[place]
        escaped = sign == "\\" and text[place + 1 : place + 2] in tuple(_SIGNS)
        if not escaped and (sign not in _SIGNS or (sign != "{" and len(within) == 1)):
            place += 1
            continue
        if place > start:
            within[-1].add(text[start:place])
        place += 2 if escaped else 1
        start = place
        if escaped:
            within[-1].add(text[place - 1])
        elif sign == "{":
            within.append(_Wildcard())
        elif sign == "|":
            within[-1].alternatives.append([])
        else:
            count += _close(within)
    within[-1].add(text[start:])
    while len(within) > 1:  # braces that nobody closed
        brace = within.pop()
        within[-1].add_as_written(brace, "")
    return within[0], count


def _close(within: list[_Wildcard]) -> int:
    """Add the innermost brace to what it stands in; return how many wildcards that are."""
    brace = within.pop()
    if len(brace.alternatives) > 1:
        within[-1].add(brace)
        return 1
    within[-1].add_as_written(brace, "}")
    return 0
