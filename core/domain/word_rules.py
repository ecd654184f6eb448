"""Find the words and phrases of a rule in what a person wrote, however they are spelt.

Rule and text are brought into one form first (:func:`plain`): compatibility forms of Unicode, lower
case, no invisible characters, letters of other alphabets that look like Latin ones as those
(Unicode's table of confusables). What can be read in several ways is compared in each: digits and
signs that stand for letters, signs between letters, letters that are repeated or spaced out.
Letters of an alphabet are told apart (“röd” is not “rod”), but people may leave accents out.
Whole words are compared, anywhere in scripts without spaces; a ``*`` at either end of a rule takes
what begins or ends with it.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from typing import cast

import confusable_homoglyphs.confusables as homoglyphs  # pyright: ignore[reportMissingTypeStubs]  # none

from core.domain.visible_text import is_unseen

# what people write for a letter within a word; source: common spellings in chats
_SIGNS = dict(zip("034578@$€£¥¢|∂", "oeastbaselycld", strict=True))
_SPELLINGS = tuple(str.maketrans({**_SIGNS, "1": one, "6": six}) for one, six in ("ig", "lb"))
# beside the confusables: of small letters
_DRAWN = dict(zip("βεσвьнктмпгиƅ", "beobbhktmnrub", strict=True))
_VOICED = frozenset("\u3099\u309a")  # marks that make other letters of kana
_BACKWARDS = re.compile("[\u202e\u2067](.*?)(?:[\u202c\u2069\n]|$)", re.DOTALL)
# three letters or more with the same short gap between them: b l o o d, b.l.o.o.d
_SPACED = re.compile(r"(?<!\w)\w(?:([\s._*+|/\\-]{1,3})\w)(?:\1\w)+(?!\w)")
_BETWEEN = re.compile(r"(?<=[^\W_])(?:[._*+|/\\()\[\]{}~=^<>]|[^\w\s!-~‐-―‘-‟…])+(?=[^\W_])")
_REPEATED = re.compile(r"([^\W\d_])\1{2,}")
_TALL = re.compile(r"(?<=[a-z])I|I(?=[a-z])")  # a capital i that is read as an l
_MASKED = re.compile(r"[^\W_]+[*#]+[^\W_]+")
_GAP = r"[\W_]+"
_LETTER = re.compile(  # of the names of characters
    r"(?:LETTER SMALL CAPITAL|(?:SQUARED|CIRCLED) LATIN CAPITAL LETTER|INDICATOR SYMBOL LETTER"
    r"|LATIN SMALL LETTER(?= [A-Z] WITH)) ([A-Z])(?: WITH .*)?$"
)
# letters with a mark that alphabets of Europe and Vietnam have; all others are drawn, not spelt
_ALPHABETS = re.compile("[À-ſƠơƯưȘ-ț\u1ea0-\u1ef9]")
# ideographs, kana and the scripts of South East Asia, which put no space between words
_UNSPACED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]")
SEPARATORS = re.compile(r"[,;\n、，；]+")
LEAST_MASKED = 3  # letters of a word of which some are hidden


def read_rules(typed: str) -> tuple[str, ...]:
    """Read the words and phrases that an operator typed, separated by commas; each once."""
    parts = (" ".join(part.split()).strip("\"'“”„«»").lower() for part in SEPARATORS.split(typed))
    return tuple(dict.fromkeys(part for part in parts if _words(part)))


def forbidden(texts: Iterable[str], rules: Iterable[str]) -> str | None:
    """Return the first of ``rules`` that one of ``texts`` contains, None where none does."""
    forms = [form for text in texts for form in _forms(text)]
    spaced = [_joined(run) for form in forms for run in _SPACED.finditer(form)]
    masked = [_unmasked(word) for form in forms for word in _MASKED.findall(form)]
    for rule in rules:
        pattern, joined = _matcher(rule)
        if not joined:
            continue
        if any(pattern.search(form) for form in forms) or any(joined in run for run in spaced):
            return rule
        if len(joined) >= LEAST_MASKED and any(word.fullmatch(joined) for word in masked):
            return rule
    return None


def adds_forbidden(text: str, typed: str, rules: Iterable[str]) -> bool:
    """Tell whether ``text``, which a model made of ``typed``, breaks a rule that that did not.

    What a person typed was allowed where they typed it, in an age-gated channel for one.
    """
    return (
        forbidden([text], [one for one in rules if forbidden([typed], [one]) is None]) is not None
    )


@cache
def _matcher(rule: str) -> tuple[re.Pattern[str], str]:
    """Return what a rule matches in a form of a text, and its letters."""
    words = _words(rule)
    bare = [_words(_without_accents(word)) for word in words]
    unspaced = _UNSPACED.search(rule) is not None
    begins = "" if unspaced or rule.startswith("*") else r"(?<![^\W_])"
    ends = "" if unspaced or rule.endswith("*") else r"(?![^\W_])"
    parts = [
        "|".join(re.escape(one) for one in dict.fromkeys((word, *plainer)))
        for word, plainer in zip(words, bare, strict=True)
    ]
    either = _GAP.join(f"(?:{part})" for part in parts)
    return re.compile(begins + either + ends), "".join(words)


def _without_accents(text: str) -> str:
    apart = unicodedata.normalize("NFKD", text)
    bare = "".join(one for one in apart if one in _VOICED or unicodedata.category(one) != "Mn")
    return "".join(_letter_of(one) for one in bare)


def _words(rule: str) -> list[str]:
    return [word for word in re.split(_GAP, plain(rule)) if word]


def _forms(text: str) -> list[str]:
    """List every way to read ``text``, each once."""
    forms = [plain(reading) for reading in _readings(text)]
    for ways in (_unsigned, _spelt, _unrepeated):
        forms = list(dict.fromkeys([*forms, *(found for form in forms for found in ways(form))]))
    return forms


def _readings(text: str) -> Iterator[str]:
    """Yield ``text``, and what its capitals, its direction and what has no width make of it."""
    yield text
    yield unicodedata.normalize("NFKC", text).translate(_look_alikes())  # by its capitals
    yield _TALL.sub("l", text)
    yield _BACKWARDS.sub(lambda found: found[1][::-1], text)
    yield "".join(" " if unicodedata.category(one) == "Cf" else one for one in text)


def _unsigned(form: str) -> Iterator[str]:
    """Yield words without the signs in them; hyphens, dashes and apostrophes are spelling."""
    yield _BETWEEN.sub("", form)


def _spelt(form: str) -> Iterator[str]:
    """Yield words that mix letters with digits or signs as if they had letters alone."""
    for spelling in _SPELLINGS:
        yield re.sub(r"[\w@$€£¥¢|∂]+", _by_letters(spelling), form)


def _by_letters(spelling: Mapping[int, str]) -> Callable[[re.Match[str]], str]:
    def letters(found: re.Match[str]) -> str:
        word = found[0]
        return word.translate(spelling) if re.search(r"[^\W\d_]", word) else word

    return letters


def _unrepeated(form: str) -> Iterator[str]:
    """Yield letters that stand three times or more twice, and once."""
    yield _REPEATED.sub(r"\1\1", form)
    yield _REPEATED.sub(r"\1", form)


def plain(text: str) -> str:
    """Return ``text`` in the one form in which rules and prompts are compared."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    seen = "".join(_as_letter(character) for character in folded if not is_unseen(character))
    return unicodedata.normalize("NFKC", seen.translate(_look_alikes())).casefold()


@cache
def _as_letter(character: str) -> str:
    """Return the letter that a symbol shows: small capitals, squares, flags, strokes and hooks."""
    if character.isascii() or _ALPHABETS.match(character):
        return character
    return _DRAWN.get(character) or _letter_of(character)


def _letter_of(character: str) -> str:
    found = _LETTER.search(unicodedata.name(character, ""))
    return found[1].lower() if found else character


def _joined(found: re.Match[str]) -> str:
    return re.sub(r"[\W_]+", "", found[0])


def _unmasked(word: str) -> re.Pattern[str]:
    """Return what a word may be of which some letters are hidden by signs."""
    return re.compile(re.sub(r"[*#]", r"\\w", word))


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
