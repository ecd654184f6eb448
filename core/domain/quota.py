"""What a requester may still spend: one balance for each limit that applies."""

from dataclasses import dataclass
from enum import StrEnum

from core.errors import QuotaExceeded, Refused, TooManyJobs

GUESTS_LIMIT, NETWORK_LIMIT = "guests", "network"  # limits that fronts have words of their own for


class LentMs(int):
    """Milliseconds of a device that a lender counted: gone, whatever was expected of the job."""


class Unit(StrEnum):
    """What a limit counts."""

    GPU_MS = "gpu_ms"  # GPU-milliseconds
    JOBS = "jobs"

    def need(self, gpu_ms: int) -> int:
        """Return what a job that costs ``gpu_ms`` needs of a limit."""
        return gpu_ms if self is Unit.GPU_MS else 1


@dataclass(frozen=True, slots=True)
class LimitBalance:
    """Where an account stands in one limit; amounts in the unit of the limit."""

    name: str  # also names whose it is, in words
    limit: int
    used: int = 0
    reserved: int = 0
    resets_at_ms: int | None = None  # epoch; None while the window has not begun
    unit: Unit = Unit.GPU_MS

    @property
    def left(self) -> int:
        """Return what is left, whoever shares it."""
        return max(0, self.limit - self.used - self.reserved)

    def allows(self, gpu_ms: int) -> bool:
        """Return whether a job that costs ``gpu_ms`` keeps within the limit."""
        return self.unit.need(gpu_ms) <= self.left

    def refusal(self, gpu_ms: int) -> Refused:
        """Return why a job that costs ``gpu_ms`` does not: limit, rest, need and reset."""
        kind = QuotaExceeded if self.unit is Unit.GPU_MS else TooManyJobs
        need = self.unit.need(gpu_ms)
        return kind(need, self.left, self.limit, self.resets_at_ms, self.name)


@dataclass(frozen=True, slots=True)
class QuotaView:
    """What a requester may still spend; the first balance is that of the account that pays."""

    balances: tuple[LimitBalance, ...]
    tier: str = ""  # what they are to who lends the device; empty: it is ours

    @property
    def account(self) -> LimitBalance:
        """Return the balance of the account that pays, in GPU-milliseconds."""
        return self.balances[0]

    @property
    def others(self) -> tuple[LimitBalance, ...]:
        """Return the balances of what bounds the account further."""
        return self.balances[1:]

    @property
    def limit_ms(self) -> int:
        """Return the allowance of the account that pays, in GPU-milliseconds, as all below."""
        return self.account.limit

    @property
    def used_ms(self) -> int:
        """Return what the account used."""
        return self.account.used

    @property
    def reserved_ms(self) -> int:
        """Return what is set aside for its jobs."""
        return self.account.reserved

    @property
    def resets_at_ms(self) -> int | None:
        """Return when its window ends, epoch milliseconds; None while it has not begun."""
        return self.account.resets_at_ms

    @property
    def shared(self) -> bool:
        """Tell whether it is the account of all guests."""
        return self.account.name == GUESTS_LIMIT

    @property
    def account_left_ms(self) -> int:
        """Return what is left in the account, whoever shares it."""
        return self.account.left

    @property
    def left_ms(self) -> int:
        """Return what a new job may cost at most, after all limits."""
        if not all(one.left for one in self.balances if one.unit is Unit.JOBS):
            return 0
        return min(one.left for one in self.balances if one.unit is Unit.GPU_MS)

    def refusal(self, need_ms: int) -> Refused | None:
        """Return why ``need_ms`` cannot be spent; None if it can.

        Of several limits one that no smaller job keeps comes first, then what leaves least.
        """
        passed = [one for one in self.balances if not one.allows(need_ms)]
        if not passed:
            return None
        return min(passed, key=lambda one: (one.unit is Unit.GPU_MS, one.left)).refusal(need_ms)
