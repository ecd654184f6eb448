"""Find the words and phrases of a rule in what a person wrote, however they are spelt.

Rule and text are brought into one form first: compatibility forms of Unicode (NFKC), lower case,
no invisible characters, letters of other alphabets that look like Latin ones as those (Unicode's
table of confusables), and letters that somebody spaced out together again. Whole words are
compared; a ``*`` at either end of a rule takes what begins or ends with it.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import cast

import confusable_homoglyphs.confusables as homoglyphs  # pyright: ignore[reportMissingTypeStubs]  # none

# what people write for a letter within a word; source: common spellings in chats
_DIGITS = str.maketrans({"0": "o", "1": "i", "3": "e", "4": "a", "5": "s", "7": "t"})
_SIGNS = str.maketrans({"@": "a", "$": "s"})
_INVISIBLE = frozenset({"Cf", "Mn", "Me", "Cc"})  # Unicode categories; Mn: what NFKC left apart
# three letters or more with the same short gap between them: b l o o d, b.l.o.o.d
_SPACED = re.compile(r"(?<!\w)\w(?:([\s._*+|/\\-]{1,3})\w)(?:\1\w)+(?!\w)")
_GAP = r"[\W_]+"
_LETTER = re.compile(  # of the names of characters
    r"(?:LETTER SMALL CAPITAL|(?:SQUARED|CIRCLED) LATIN CAPITAL LETTER|INDICATOR SYMBOL LETTER)"
    r" ([A-Z])$"
)
SEPARATORS = re.compile(r"[,;\n、，；]+")


def read_rules(typed: str) -> tuple[str, ...]:
    """Read the words and phrases that an operator typed, separated by commas; each once."""
    parts = (" ".join(part.split()).strip("\"'“”„«»").lower() for part in SEPARATORS.split(typed))
    return tuple(dict.fromkeys(part for part in parts if _words(part)))


def forbidden(texts: Iterable[str], rules: Iterable[str]) -> str | None:
    """Return the first of ``rules`` that one of ``texts`` contains, None where none does."""
    forms = [form for text in texts for form in _forms(text)]
    spaced = [_joined(run) for form in forms for run in _SPACED.finditer(form)]
    for rule in rules:
        words = _words(rule)
        if any(re.search(_pattern(rule, words), form) for form in forms if words):
            return rule
        if any("".join(words) in run for run in spaced if words):
            return rule
    return None


def adds_forbidden(text: str, typed: str, rules: Iterable[str]) -> bool:
    """Tell whether ``text``, which a model made of ``typed``, breaks a rule that that did not.

    What a person typed was allowed where they typed it, in an age-gated channel for one.
    """
    return (
        forbidden([text], [one for one in rules if forbidden([typed], [one]) is None]) is not None
    )


def _pattern(rule: str, words: list[str]) -> str:
    """Return what a rule of these words matches in a form of a text."""
    begins = "" if rule.startswith("*") else r"(?<!\w)"
    ends = "" if rule.endswith("*") else r"(?!\w)"
    return begins + _GAP.join(re.escape(word) for word in words) + ends


def _words(rule: str) -> list[str]:
    return [word for word in re.split(_GAP, plain(rule)) if word]


def _forms(text: str) -> Iterator[str]:
    """Yield ``text`` as it is compared: as written, by its capitals, and digits as letters."""
    capitals = unicodedata.normalize("NFKC", text).translate(_look_alikes())
    for form in dict.fromkeys((plain(text), plain(capitals))):
        yield form
        yield re.sub(r"[\w@$]+", _spelt, form)


def plain(text: str) -> str:
    """Return ``text`` in the one form in which rules and prompts are compared."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    seen = "".join(
        _as_letter(character)
        for character in folded
        if character.isspace() or unicodedata.category(character) not in _INVISIBLE
    )
    return unicodedata.normalize("NFKC", seen.translate(_look_alikes())).casefold()


def _as_letter(character: str) -> str:
    """Return the letter that a symbol shows: small capitals, squares, flags."""
    if character.isascii():
        return character
    found = _LETTER.search(unicodedata.name(character, ""))
    return found[1].lower() if found else character


def _joined(found: re.Match[str]) -> str:
    return re.sub(r"[\W_]+", "", found[0])


def _spelt(found: re.Match[str]) -> str:
    """Return a word that mixes letters with digits or signs as if it had letters alone."""
    word = found[0]
    return word.translate(_DIGITS).translate(_SIGNS) if re.search(r"[^\W\d_]", word) else word


@cache
def _look_alikes() -> Mapping[int, str]:
    """Return the Latin letter for each letter outside ASCII that looks like one."""
    table = cast("dict[str, list[dict[str, str]]]", homoglyphs.confusables_data)
    found: dict[int, str] = {}
    for character, others in table.items():
        if len(character) != 1 or character.isascii() or not character.isalnum():
            continue
        latin = [other["c"] for other in others if other["c"].isascii() and other["c"].isalpha()]
        if latin:
            found[ord(character)] = min(latin, key=lambda one: (len(one), one.isupper())).lower()
    return found
