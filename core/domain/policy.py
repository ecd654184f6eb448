"""The rules of a place (a guild, a group, a chat): what its operators allow there.

Pure: a policy and a request in, nothing or a refusal out. Where policies are kept and who may
change them is in :mod:`core.accounts.moderation`.
"""

import re
from dataclasses import dataclass, fields, replace
from typing import Any, Self, cast

from core.domain.decoding import UndecodableError, decode
from core.domain.modes import Mode
from core.domain.people import Asker
from core.domain.place_ids import known_ids, read_ids
from core.domain.presets import Enhance
from core.domain.requests import Request
from core.errors import NotAChoice, OutOfRange, PolicyForbids

_IDS = frozenset({"channels", "roles"})


@dataclass(frozen=True, slots=True)
class Policy:
    """Empty tuples and zeros mean "no rule"."""

    channels: tuple[str, ...] = ()  # only in these
    roles: tuple[str, ...] = ()  # only people with one of these
    modes: tuple[str, ...] = ()  # only these
    max_seconds: float = 0.0
    max_pixels: int = 0  # of one frame
    words: tuple[str, ...] = ()  # prompts containing one of these are refused, case-insensitive
    nsfw_words: tuple[str, ...] = ()  # the same, but age-gated channels take them
    enhance: str = ""  # whether prompts are enhanced where nobody says: a member of Enhance
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
        if self.max_seconds and request.sampling.seconds > self.max_seconds + 1 / 3:
            raise PolicyForbids("rule_seconds", f"{self.max_seconds:g} s")
        if self.max_pixels and request.sampling.size.pixels > self.max_pixels:
            raise PolicyForbids("rule_pixels", f"{self.max_pixels / 1e6:.1f} Mpx")
        self._check_words(request.prompt, asker)

    def _check_words(self, prompt: str, asker: Asker) -> None:
        if _contains_any(prompt, self.words):
            raise PolicyForbids("rule_words")
        if not asker.age_gated and _contains_any(prompt, self.nsfw_words):
            raise PolicyForbids("rule_nsfw_words")

    def changed(self, rule: str, value: str) -> Self:
        """Return this policy with ``rule`` set from what an operator typed; empty clears it.

        Raises:
            NotAChoice: no such rule, or no such mode.
            NotAnId: a channel or role that is neither a number nor a mention nor a link.
            OutOfRange: a number that is not one, or negative.
        """
        if rule not in RULES:
            raise NotAChoice("rule", rule[:40], ", ".join(sorted(RULES)))
        parsed: tuple[str, ...] | float | int | str
        if rule in {"max_seconds", "max_pixels"}:
            number = _number(rule, value)
            parsed = number if rule == "max_seconds" else int(number)
        elif rule == "enhance":
            parsed = _enhance(value)
        elif rule in _IDS:
            parsed = read_ids(rule, value)
        else:
            parsed = tuple(part for part in re.split(r"[,\s]+", value.strip().lower()) if part)
        if rule == "modes":
            for mode in value.replace(",", " ").lower().split():
                if mode not in set(Mode):
                    raise NotAChoice("mode", mode[:40], ", ".join(Mode))
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
                form = channel if name == "channels" else "{}"
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
    if name == "enhance":
        return value if value in set(Enhance) else ""
    return tuple(mode for mode in value if mode in set(Mode)) if name == "modes" else value


def _enhance(value: str) -> str:
    """Read whether prompts are enhanced; empty where nothing is said.

    Raises:
        NotAChoice: it is neither.
    """
    typed = value.strip().lower()
    if typed and typed not in set(Enhance):
        raise NotAChoice("enhance", typed[:40], ", ".join(Enhance))
    return typed


def _number(rule: str, value: str) -> float:
    try:
        number = float(value or 0)
    except ValueError:
        number = -1.0
    if not 0 <= number < 1e12:
        raise OutOfRange(rule, number, 0, 1e12)
    return number


def _contains_any(prompt: str, words: tuple[str, ...]) -> bool:
    return any(_contains(prompt, word) for word in words)


def _contains(prompt: str, word: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(word)}(?!\w)", prompt, re.IGNORECASE) is not None
