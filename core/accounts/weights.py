"""How large a share of the device people get: weights by person, role, operator and platform."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

from core.domain.fairness import ORDINARY
from core.domain.people import Requester
from core.errors.setup import BadConfiguration

SETTING = "CLAPPER_SHARES"


@dataclass(frozen=True, slots=True)
class Shares:
    """Percent of an ordinary share, by ``platform:user``, ``role:<id>``, ``operators``, platform.

    The most personal entry counts; of several roles the largest.
    """

    weights: Mapping[str, int] = field(default_factory=dict[str, int])

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parse the shares in ``text``: ``operators=200, role:42=150, studio=50``.

        Raises:
            BadConfiguration: an entry is no name with a whole number from 1 to 10 000.
        """
        found: dict[str, int] = {}
        for entry in filter(None, (part.strip() for part in text.split(","))):
            name, _, percent = entry.partition("=")
            valid = percent.strip().isdecimal() and 1 <= int(percent) <= 10_000
            if not name.strip() or not valid:
                raise BadConfiguration(SETTING, f"“{entry}” is not NAME=PERCENT")
            found[name.strip()] = int(percent)
        return cls(found)

    def weight(self, requester: Requester, roles: frozenset[str], *, operator: bool) -> int:
        """Find the weight of a person, by default :data:`core.domain.fairness.ORDINARY`."""
        known = self.weights
        if requester.key in known:
            return known[requester.key]
        if operator and "operators" in known:
            return known["operators"]
        by_role = [known[f"role:{role}"] for role in roles if f"role:{role}" in known]
        return max(by_role, default=known.get(requester.platform, ORDINARY))
