"""The parts of this package that fronts use, made together."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

from core.accounts.audit_log import AuditLog
from core.accounts.front_state import FrontState
from core.accounts.linked_accounts import LinkedAccounts
from core.accounts.moderation import Moderation
from core.accounts.notices import Notices
from core.accounts.quotas import QuotaRules
from core.storage.database import Database


@dataclass(frozen=True, slots=True)
class Community:
    """One of each, on the same database."""

    accounts: LinkedAccounts
    notices: Notices
    moderation: Moderation
    audit: AuditLog
    state: FrontState

    @classmethod
    def on(
        cls,
        database: Database,
        now: Callable[[], int],
        operators: frozenset[str],
        quota: QuotaRules | None = None,
    ) -> Self:
        """Make all parts.

        Args:
            database: where everything lies.
            now: epoch milliseconds.
            operators: requester keys, from the settings.
            quota: the rules of the quota; what was spent is carried until its window ends.
        """
        notices = Notices(database, now)
        return cls(
            accounts=LinkedAccounts(database, now, quota or QuotaRules(), notices),
            notices=notices,
            moderation=Moderation(database, now, operators),
            audit=AuditLog(database, now),
            state=FrontState(database, now),
        )
