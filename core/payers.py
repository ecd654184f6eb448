"""Who pays for a job: the account in ledger and fair order, which need not be the owner's.

Guests of the Studio choose the secret that names them, as many as they like. So all of them pay
from one account and have one share of the device together, while jobs and history stay each
guest's own; and what one network uses of that account is bounded too.
"""

from dataclasses import dataclass
from typing import Self

from core.jobs import Requester

GUESTS = "studio:guests"
_GUEST = "studio:guest-"  # what a guest's own key begins with


@dataclass(frozen=True, slots=True)
class Payer:
    """The account that pays, and what bounds it."""

    key: str
    limit_ms: int | None = None  # of a window; None: the usual allowance, or that of all guests
    network: str = ""  # keyed hash of where a guest asks from; empty: not bounded by it

    @classmethod
    def of(cls, requester: Requester) -> Self:
        """Return who pays for ``requester`` where nothing else is said: guests never for one."""
        return cls(GUESTS if requester.key.startswith(_GUEST) else requester.key)

    @classmethod
    def guest(cls, network: str) -> Self:
        """Return the account of all guests, for one who asks from ``network``."""
        return cls(GUESTS, network=network)

    @property
    def shared(self) -> bool:
        """Return whether it is the account of all guests."""
        return self.key == GUESTS
