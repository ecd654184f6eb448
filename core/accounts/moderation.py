"""People and places: rules, blocks, operators, joined accounts, and what fronts remember."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from core.accounts.linked_accounts import Accounts, refuse_blocked
from core.accounts.quotas import QuotaRules
from core.domain.people import Asker, Requester
from core.domain.policy import Policy
from core.domain.requests import Request
from core.storage import moderation as rows
from core.storage.database import Database


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One thing an operator did; ``at_ms`` is epoch milliseconds."""

    at_ms: int
    actor: str
    verb: str
    target: str
    detail: str


class Community(Accounts):
    """The social half of the database."""

    def __init__(
        self,
        database: Database,
        now: Callable[[], int],
        operators: frozenset[str],
        quota: QuotaRules | None = None,
    ) -> None:
        """Take the requester keys of the operators and the quota from the settings."""
        super().__init__(database, now, quota or QuotaRules())
        self._operators = operators

    def is_operator(self, requester: Requester) -> bool:
        """Return whether the settings name this person, by platform and numeric id."""
        return requester.key in self._operators

    async def admit(
        self,
        request: Request,
        requester: Requester,
        place: str,
        asker: Asker,
        earlier: Iterable[Requester] = (),
    ) -> None:
        """Refuse what the rules of the place or a block forbid: to be made, and to be shown there.

        ``earlier`` are other keys of the same person that are joined to nothing.

        Raises:
            RequesterBlocked: an operator blocked this person.
            PolicyForbids: a rule of the place.
        """
        async with self._database.transaction() as connection:
            await refuse_blocked(connection, [who.key for who in (requester, *earlier)])
            rules = await rows.load_rules(connection, place)
        if rules is not None:
            Policy.from_json(rules).check(request, asker)

    async def policy(self, place: str) -> Policy:
        """Return the rules of ``place``."""
        async with self._database.transaction() as connection:
            rules = await rows.load_rules(connection, place)
        return Policy() if rules is None else Policy.from_json(rules)

    async def set_rule(self, actor: Requester, place: str, rule: str, value: str) -> Policy:
        """Change one rule of ``place`` from what an operator typed.

        Raises:
            NotAChoice: no such rule or mode.
            OutOfRange: not a number where one is needed.
        """
        policy = (await self.policy(place)).changed(rule, value)
        async with self._database.transaction() as connection:
            await rows.save_rules(connection, place, policy.to_json(), self._now())
            await rows.note(connection, self._now(), actor.key, "policy", place, f"{rule}={value}")
        return policy

    async def move_place(self, old: str, new: str) -> None:
        """Let the rules of a place follow it to its new name, unless that has rules already."""
        async with self._database.transaction() as connection:
            await rows.move_rules(connection, old, new)

    async def note(self, actor: Requester, verb: str, target: str = "", detail: str = "") -> None:
        """Write what an operator did into the audit log."""
        async with self._database.transaction() as connection:
            await rows.note(connection, self._now(), actor.key, verb, target, detail)

    async def audit(self, limit: int = 20) -> list[AuditEntry]:
        """Return the newest entries of the audit log, newest first."""
        async with self._database.transaction() as connection:
            found = await rows.notes(connection, limit)
        return [AuditEntry(r.at, r.actor, r.verb, r.target, r.detail) for r in found]

    async def remember(self, front: str, name: str, value: Any) -> None:  # noqa: ANN401  # plain JSON data
        """Keep plain JSON data for a front under a name; None forgets it."""
        async with self._database.transaction() as connection:
            await rows.remember(connection, front, name, value, self._now())

    async def recall(self, front: str, name: str) -> Any:  # noqa: ANN401  # plain JSON data
        """Return what a front kept under a name, None where nothing is."""
        async with self._database.transaction() as connection:
            return await rows.recall(connection, front, name)

    async def recall_all(self, front: str) -> dict[str, Any]:
        """Return everything that a front kept, by name, the oldest first."""
        async with self._database.transaction() as connection:
            return await rows.recall_all(connection, front)

    async def forget_older(self, front: str, age_ms: int) -> None:
        """Drop what a front kept and has not touched for ``age_ms``."""
        async with self._database.transaction() as connection:
            await rows.forget_older(connection, front, self._now() - age_ms)
