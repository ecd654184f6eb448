"""The rules of a place (a guild, a group, a chat), or of all places: what operators allow there.

Pure: a policy and a request in, nothing or a refusal out. Where policies are kept and who may
change them is in :mod:`core.accounts.moderation`.
"""

import math
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields, replace
from typing import Any, Self, cast

from core.domain.decoding import UndecodableError, decode
from core.domain.modes import Mode
from core.domain.options import KEPT, OptionKind
from core.domain.people import Asker
from core.domain.place_ids import known_ids, read_ids
from core.domain.presets import Captions, Enhance, Remixing
from core.domain.requests import Request
from core.domain.word_rules import forbidden, read_rules
from core.errors import NotAChoice, NotANumber, OutOfRange, PolicyForbids

EVERYWHERE = "*"  # the place whose rules hold in all places, above their own
CLEARED = frozenset({"", "none"})  # what an operator types to have no rule
LANGUAGE_CODE = 8  # characters; whether there are words in it is asked where it is set
MEGAPIXELS_BELOW = 1000  # a smaller number of pixels is none of a frame: it means megapixels
_IDS = frozenset({"channels", "roles"})
_WORDS = frozenset({"words", "nsfw_words"})
_CHOICES = {"enhance": tuple(Enhance), "captions": tuple(Captions), "remix": tuple(Remixing)}
_ROUNDED_S = 1 / 3  # by which whole steps of 8 frames at 24 a second may exceed what was asked
_UNITS = re.compile(r"(?i)\s*(s|sec|seconds|mpx|mp|px)$")


@dataclass(frozen=True, slots=True)
class Policy:
    """Empty tuples and zeros mean "no rule"."""

    channels: tuple[str, ...] = ()  # only in these
    roles: tuple[str, ...] = ()  # only people with one of these
    modes: tuple[str, ...] = ()  # only these
    max_seconds: float = 0.0
    max_pixels: int = 0  # of one frame
    words: tuple[str, ...] = ()  # texts with one of these words or phrases are refused
    nsfw_words: tuple[str, ...] = ()  # the same, but age-gated channels take them
    enhance: str = ""  # whether prompts are enhanced where nobody says: a member of Enhance
    language: str = ""  # of what everybody in the place reads; empty: as the platform says
    captions: str = ""  # whether all read the prompts of clips: a member of Captions
    remix: str = ""  # what others may make of a clip that all see: a member of Remixing
    # what is stored of rules that this version cannot read: nothing is allowed until set anew
    unreadable: tuple[tuple[str, Any], ...] = ()  # name and value

    def check(self, request: Request, asker: Asker) -> None:
        """Refuse ``request`` if a rule of the place forbids it.

        Raises:
            PolicyForbids: naming the rule and what it allows.
        """
        if self.unreadable:
            raise PolicyForbids("rule_unreadable", ", ".join(name for name, _ in self.unreadable))
        if self.channels and not {asker.channel, asker.parent} & set(self.channels):
            raise PolicyForbids("rule_channel")
        if self.roles and not asker.roles & set(self.roles):
            raise PolicyForbids("rule_role")
        if self.modes and request.mode not in self.modes:
            raise PolicyForbids("rule_mode", ", ".join(self.modes))
        if self.max_seconds and request.sampling.seconds > self.max_seconds + _ROUNDED_S:
            raise PolicyForbids("rule_seconds", f"{self.max_seconds:g} s")
        if self.max_pixels and request.sampling.size.pixels > self.max_pixels:
            raise PolicyForbids("rule_pixels", f"{self.max_pixels / 1e6:.1f} Mpx")
        self.check_words(texts_of(request), age_gated=asker.age_gated)

    def check_words(self, texts: Iterable[str], *, age_gated: bool = False) -> None:
        """Refuse what somebody wrote if it has a word that the rules forbid.

        Raises:
            PolicyForbids: naming the rule, never the word.
        """
        found = self.found_words(texts, age_gated=age_gated)
        if found is not None:
            raise PolicyForbids(f"rule_{found[0]}")

    def found_words(self, texts: Iterable[str], *, age_gated: bool) -> tuple[str, str] | None:
        """Return the rule and the word that forbid one of ``texts``; None where nothing does."""
        written = list(texts)
        for rule in ("words",) if age_gated else ("words", "nsfw_words"):
            word = forbidden(written, getattr(self, rule))
            if word is not None:
                return rule, word
        return None

    @property
    def word_rules(self) -> tuple[str, ...]:
        """Return every word that is forbidden, or forbidden where a channel is not age-gated."""
        return (*self.words, *self.nsfw_words)

    def changed(self, rule: str, value: str) -> Self:
        """Return this policy with ``rule`` set from what an operator typed.

        Nothing, or ``none``, clears it.

        Raises:
            NotAChoice: no such rule, or no such mode.
            NotAnId: a channel or role that is neither a number nor a mention nor a link.
            OutOfRange: a number that is not one, or negative.
        """
        if rule not in RULES:
            raise NotAChoice("rule", rule[:40], ", ".join(sorted(RULES)))
        value = "" if value.strip().lower() in CLEARED else value
        parsed = _READERS[rule](rule, value)
        others = tuple(kept for kept in self.unreadable if kept[0] != rule)
        return replace(self, unreadable=others, **{rule: parsed})

    def to_json(self) -> dict[str, Any]:
        """Return the rules as plain data, those that cannot be read as they were found."""
        return {name: getattr(self, name) for name in RULES} | dict(self.unreadable)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """Read the policy that :meth:`to_json` described.

        Of a list, the values that fit nothing are left out. A rule of which nothing can be read is
        kept as it is, and forbids: to take it for none would let in whom an operator kept out.
        """
        read: dict[str, Any] = {}
        unreadable: list[tuple[str, Any]] = []
        for name in (name for name in RULES if data.get(name)):
            try:
                value = _known(name, getattr(decode(cls, {name: data[name]}), name))
            except UndecodableError:
                value = None
            if value:
                read[name] = value
            else:
                unreadable.append((name, data[name]))
        return cls(**read, unreadable=tuple(unreadable))

    def shown(self, channel: str = "{}") -> str:
        """Return the rules that are set, as a list for people; ``channel`` writes a channel."""
        lines = [f"{name}: ?" for name, _ in self.unreadable]
        for name in RULES:
            value: Any = getattr(self, name)
            if isinstance(value, tuple):
                form = channel if name == "channels" else "“{}”" if name in _WORDS else "{}"
                text = " ".join(form.format(one) for one in cast("tuple[str, ...]", value))
            else:
                text = f"{value:g}" if name == "max_seconds" else str(value)
            lines += [f"{name}: {text}"] if value else []
        return ", ".join(lines)


RULES = tuple(item.name for item in fields(Policy) if item.name != "unreadable")


def _known(name: str, value: Any) -> Any:  # noqa: ANN401  # of one of the rules
    """Return of a list what this version knows; any other value as it is."""
    if name in _IDS:
        return known_ids(name, value)
    if name in _CHOICES:
        return value if value in _CHOICES[name] else ""
    return tuple(mode for mode in value if mode in set(Mode)) if name == "modes" else value


def _choice(rule: str, value: str) -> str:
    """Read one of the choices of a rule; empty where nothing is said.

    Raises:
        NotAChoice: it is none of them.
    """
    typed = value.strip().lower()
    if typed and typed not in _CHOICES[rule]:
        raise NotAChoice(rule, typed[:40], ", ".join(_CHOICES[rule]))
    return typed


def _language(_: str, value: str) -> str:
    return value.strip().lower()[:LANGUAGE_CODE]


def _modes(_: str, value: str) -> tuple[str, ...]:
    """Read modes.

    Raises:
        NotAChoice: one is none.
    """
    typed = tuple(part for part in re.split(r"[,\s]+", value.strip().lower()) if part)
    for mode in typed:
        if mode not in set(Mode):
            raise NotAChoice("mode", mode[:40], ", ".join(Mode))
    return typed


def _number(rule: str, value: str) -> float:
    try:
        number = float(_UNITS.sub("", value.strip()).replace(",", ".") or 0)
    except ValueError:
        number = math.nan
    if math.isnan(number):
        raise NotANumber(rule, value[:40], 0, 1e12)
    if not 0 <= number < 1e12:
        raise OutOfRange(rule, number, 0, 1e12)
    return number


def _pixels(number: float) -> int:
    return round(number * 1e6 if number < MEGAPIXELS_BELOW else number)


def texts_of(request: Request) -> list[str]:
    """Return what word rules look at: all that a person wrote, and the words that were made of it.

    Words that a style says should not be seen are not among them: they lead away from something.
    """
    kept = [option.name for option in KEPT if option.kind is OptionKind.TEXT]
    written = [request.prompt, *(str(getattr(request.sampling, name)) for name in kept)]
    made = (request.wording, replace(request, style=None).wording)
    return list(dict.fromkeys([*written, made[0].prompt, made[1].negative]))


_READERS: dict[str, Callable[[str, str], Any]] = {
    "modes": _modes,
    "max_seconds": _number,
    "max_pixels": lambda rule, value: _pixels(_number(rule, value)),
    "language": _language,
    **dict.fromkeys(_CHOICES, _choice),
    **dict.fromkeys(_IDS, read_ids),
    **{rule: lambda _, value: read_rules(value) for rule in _WORDS},
}
