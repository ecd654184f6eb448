"""The rules of a place (a guild, a group, a chat): what its operators allow there.

Pure: a policy and a request in, nothing or a refusal out. Where policies are kept and who may
change them is in :mod:`core.accounts.moderation`.
"""

import re
from contextlib import suppress
from dataclasses import dataclass, fields, replace
from typing import Any, Self, cast

from core.domain.decoding import UndecodableError, decode
from core.domain.modes import Mode
from core.domain.people import Asker
from core.domain.place_ids import known_ids, read_ids
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

    def check(self, request: Request, asker: Asker) -> None:
        """Refuse ``request`` if a rule of the place forbids it.

        Raises:
            PolicyForbids: naming the rule and what it allows.
        """
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
        if _contains_any(request.prompt, self.words):
            raise PolicyForbids("rule_words")
        if not asker.age_gated and _contains_any(request.prompt, self.nsfw_words):
            raise PolicyForbids("rule_nsfw_words")

    def changed(self, rule: str, value: str) -> Self:
        """Return this policy with ``rule`` set from what an operator typed; empty clears it.

        Raises:
            NotAChoice: no such rule, or no such mode.
            NotAnId: a channel or role that is neither a number nor a mention nor a link.
            OutOfRange: a number that is not one, or negative.
        """
        names = {item.name for item in fields(self)}
        if rule not in names:
            raise NotAChoice("rule", rule[:40], ", ".join(sorted(names)))
        parsed: tuple[str, ...] | float | int
        if rule in {"max_seconds", "max_pixels"}:
            number = _number(rule, value)
            parsed = number if rule == "max_seconds" else int(number)
        elif rule in _IDS:
            parsed = read_ids(rule, value)
        else:
            parsed = tuple(part for part in re.split(r"[,\s]+", value.strip().lower()) if part)
        if rule == "modes":
            for mode in value.replace(",", " ").lower().split():
                if mode not in set(Mode):
                    raise NotAChoice("mode", mode[:40], ", ".join(Mode))
        return replace(self, **{rule: parsed})

    def to_json(self) -> dict[str, Any]:
        """Return the rules as plain data."""
        return {item.name: getattr(self, item.name) for item in fields(self)}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """Read the policy that :meth:`to_json` described.

        A rule that is unknown, or cannot be read, is left out; the others hold. So is a value
        that fits nothing, as it would keep out everybody.
        """
        policy = cls()
        for item in fields(cls):
            with suppress(UndecodableError):
                read = decode(cls, {item.name: data[item.name]}) if item.name in data else policy
                value: Any = getattr(read, item.name)
                if item.name in _IDS:
                    value = known_ids(item.name, value)
                elif item.name == "modes":
                    value = tuple(mode for mode in value if mode in set(Mode))
                policy = replace(policy, **{item.name: value})
        return policy

    def shown(self, channel: str = "{}") -> str:
        """Return the rules that are set, as a list for people; ``channel`` writes a channel."""
        rules: dict[str, Any] = self.to_json()
        lines: list[str] = []
        for name, value in rules.items():
            if isinstance(value, tuple):
                form = channel if name == "channels" else "{}"
                text = " ".join(form.format(one) for one in cast("tuple[str, ...]", value))
            else:
                text = f"{value:g}" if name == "max_seconds" else str(value)
            lines += [f"{name}: {text}"] if value else []
        return ", ".join(lines)


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
