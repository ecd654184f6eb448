"""The parts of this package that fronts use, made together."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

from core.accounts.access import AccessList, AccessRules
from core.accounts.audit_log import AuditLog
from core.accounts.front_state import FrontState
from core.accounts.limits import QuotaRules
from core.accounts.linked_accounts import LinkedAccounts
from core.accounts.moderation import Moderation
from core.accounts.notices import Notices
from core.accounts.program_tokens import ProgramTokens
from core.accounts.styles import StyleBook
from core.domain.access import AccessEntry
from core.domain.people import Requester
from core.storage.database import Database


@dataclass(frozen=True, slots=True)
class Community:
    """One of each, on the same database."""

    accounts: LinkedAccounts
    notices: Notices
    moderation: Moderation
    audit: AuditLog
    state: FrontState
    access: AccessList
    styles: StyleBook
    tokens: ProgramTokens

    async def forget(self, person: Requester) -> None:
        """Drop what is kept of somebody besides jobs and files: notices, forms, styles."""
        await self.notices.forget(person)
        await self.access.forget(person)
        await self.state.forget(person)
        await self.styles.forget(person)

    async def move_place(self, old: str, new: str) -> None:
        """Let everything that is known of a place follow it to a new name."""
        await self.moderation.move_place(old, new)
        await self.access.move_place(old, new)
        await self.styles.move_place(old, new)

    @classmethod
    def on(
        cls,
        database: Database,
        now: Callable[[], int],
        operators: frozenset[str],
        quota: QuotaRules | None = None,
        allowed: tuple[AccessEntry, ...] = (),
    ) -> Self:
        """Make all parts.

        Args:
            database: where everything lies.
            now: epoch milliseconds.
            operators: requester keys, from the settings.
            quota: what the limits allow; what was spent is carried until its window ends.
            allowed: who may use the bots, from the settings.
        """
        notices, rules = Notices(database, now), quota or QuotaRules()
        return cls(
            accounts=LinkedAccounts(database, now, rules, notices),
            notices=notices,
            moderation=Moderation(database, now, operators, rules),
            audit=AuditLog(database, now),
            state=FrontState(database, now),
            access=AccessList(database, now, AccessRules(allowed, operators), notices),
            styles=StyleBook(database, now),
            tokens=ProgramTokens(database, now),
        )
