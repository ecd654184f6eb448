"""The table of limits: what each counts, for whom, in which window, and how much there is.

Every limit is a row of :data:`LIMITS`. All that apply to a job are asked and reserved in by
:class:`core.accounts.limit_ledger.LimitLedger`; nothing else lists them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from core.domain.people import Payer
from core.domain.quota import GUESTS_LIMIT, NETWORK_LIMIT, Unit
from core.domain.time_units import DAY_MS, MINUTE_MS


@dataclass(frozen=True, slots=True)
class QuotaRules:
    """What the limits allow, by the settings; None: there is no such limit."""

    limit_ms: int = 20 * MINUTE_MS
    guests_ms: int = 20 * MINUTE_MS  # of all guests together
    network_ms: int = 5 * MINUTE_MS  # of it, of the guests of one network
    place_ms: int | None = None  # of everybody in one place on a day
    roles_ms: Mapping[str, int] = field(default_factory=dict[str, int])  # by role:id, instead
    places_ms: Mapping[str, int] = field(default_factory=dict[str, int])  # by place, instead
    window_ms: int = DAY_MS
    charge_percent: int = 125  # of the estimate; a job never costs more
    table: "tuple[Limit, ...]" = field(default_factory=lambda: LIMITS)

    def limit_of(self, payer: Payer) -> int:
        """Return the allowance of a person: one of its own never exceeds the usual one.

        A role that has one counts instead, of several the most generous. What somebody else lends
        them is not ours to bound, and what an operator gave to one account is meant for it.
        """
        if (payer.tier or payer.raised) and payer.limit_ms is not None:
            return payer.limit_ms
        by_role = [self.roles_ms[f"role:{role}"] for role in payer.roles
                   if f"role:{role}" in self.roles_ms]  # fmt: skip
        if by_role:
            return max(by_role)
        return self.limit_ms if payer.limit_ms is None else min(self.limit_ms, payer.limit_ms)

    def place_limit_of(self, payer: Payer) -> int | None:
        """Return what everybody in a place has together; None: there is no such limit."""
        return self.places_ms.get(payer.place, self.place_ms)

    def network_limit_of(self, payer: Payer) -> int:
        """Return the allowance of a guest's network; a lender counts by address, so it is one's."""
        return self.limit_of(payer) if payer.tier else self.network_ms


@dataclass(frozen=True, slots=True)
class Window:
    """How long an amount lasts: from its first use on, or by the calendar (UTC)."""

    length_ms: int
    by_calendar: bool = False


DAY = Window(DAY_MS, by_calendar=True)


def of_person(payer: Payer) -> str | None:
    """Return the key of who pays; guests are nobody in particular. Joined keys count together."""
    return None if payer.shared else payer.key


def of_guests(payer: Payer) -> str | None:
    """Return the one account of all guests."""
    return payer.key if payer.shared else None


def of_network(payer: Payer) -> str | None:
    """Return the network of a guest: a keyed hash, forgotten when its window is over."""
    return payer.network or None


def of_place(payer: Payer) -> str | None:
    """Return the server, group or chat, ``platform:id``.

    The Studio is none: what its guests do must not use up what others in it may do.
    """
    return payer.place if ":" in payer.place else None


def of_everybody(payer: Payer) -> str | None:
    """Return the one account of all who use this installation."""
    del payer
    return "everybody"


@dataclass(frozen=True, slots=True)
class Limit:
    """One rule: an account may spend so much in a window."""

    name: str  # in the ledger, in refusals, and in the words under ``names``; never changed
    account: Callable[[Payer], str | None]  # whose it is; None: it does not apply to this job
    amount: Callable[[QuotaRules, Payer], int | None]  # None: there is no such limit
    window: Callable[[QuotaRules], Window]
    unit: Unit = Unit.GPU_MS
    within: str = ""  # an earlier limit of the table, in whose windows this one counts

    @property
    def joined(self) -> bool:
        """Tell whether what was spent under all keys of a person counts together."""
        return self.account is of_person

    @property
    def moved(self) -> bool:
        """Tell whether what was spent follows a place to its new name."""
        return self.account is of_place

    @property
    def forgotten(self) -> bool:
        """Tell whether the ledger may name its accounts by a pseudonym only."""
        return self.account is of_network


def _usual(rules: QuotaRules) -> Window:
    return Window(rules.window_ms)


def _day(_: QuotaRules) -> Window:
    return DAY


LIMITS = (  # whoever pays is named by one of the first two, so that every job has a reservation
    Limit("own", of_person, lambda rules, payer: rules.limit_of(payer), _usual),
    Limit(GUESTS_LIMIT, of_guests, lambda rules, _: rules.guests_ms, _usual),
    Limit(NETWORK_LIMIT, of_network, QuotaRules.network_limit_of, _usual, within="guests"),
    Limit("place", of_place, QuotaRules.place_limit_of, _day),
)
