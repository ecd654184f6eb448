"""What people may spend, asked and changed from outside a job.

Jobs reserve and settle through :class:`core.accounts.limit_ledger.LimitLedger`.
"""

from core.accounts.limit_ledger import LimitLedger
from core.accounts.limits import QuotaRules
from core.domain.people import Payer, Requester
from core.domain.quota import QuotaView
from core.runtime.clock import Clock, now_ms
from core.storage.database import Database

__all__ = ["QuotaRules", "Quotas"]


class Quotas:
    """What people may spend, asked and changed from outside a job."""

    def __init__(self, database: Database, rules: QuotaRules, clock: Clock = now_ms) -> None:
        """Take the database and the limits."""
        self._database = database
        self._rules = rules
        self._clock = clock

    async def quota(self, requester: Requester, payer: Payer | None = None) -> QuotaView:
        """Read what ``requester`` may still spend from the account of ``payer``."""
        pays = payer or Payer.of(requester)
        async with self._database.snapshot() as connection:
            return await LimitLedger(connection, self._rules, self._clock()).view(pays)

    async def grant(self, requester: Requester, amount_ms: int) -> None:
        """Give ``requester`` more GPU-milliseconds in its window, or less where below 0.

        What is given to a guest is given to all of them: they have one account.
        """
        async with self._database.transaction() as connection:
            limits = LimitLedger(connection, self._rules, self._clock())
            await limits.grant(Payer.of(requester), amount_ms)
