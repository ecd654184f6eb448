"""People and places: rules, blocks, operators, joined accounts, and what fronts remember."""

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from core.errors import LinkCodeUnknown, RequesterBlocked
from core.jobs import Requester
from core.policy import Asker, Policy
from core.requests import Request
from core.storage import community as rows
from core.storage.database import Database

CODE_LIFE_MS = 10 * 60 * 1000
CODE_ALPHABET = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"  # without look-alikes
CODE_LENGTH = 8  # 31⁸ ≈ 8.5·10¹¹ codes, each valid for ten minutes and one try that fits


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One thing an operator did; ``at_ms`` is epoch milliseconds."""

    at_ms: int
    actor: str
    verb: str
    target: str
    detail: str


class Community:
    """The social half of the database."""

    def __init__(
        self, database: Database, now: Callable[[], int], operators: frozenset[str]
    ) -> None:
        """Take the requester keys of the operators from the settings."""
        self._database = database
        self._now = now
        self._operators = operators

    def is_operator(self, requester: Requester) -> bool:
        """Return whether the settings name this person, by platform and numeric id."""
        return requester.key in self._operators

    async def admit(self, request: Request, requester: Requester, place: str, asker: Asker) -> None:
        """Refuse what the rules of the place or a block forbid, before anything is reserved.

        Raises:
            RequesterBlocked: an operator blocked this person.
            PolicyForbids: a rule of the place.
        """
        async with self._database.transaction() as connection:
            account = await rows.account_of(connection, requester.key)
            reason = await rows.block_reason(connection, account)
            rules = await rows.load_rules(connection, place)
        if reason is not None:
            raise RequesterBlocked(reason)
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

    async def block(self, actor: Requester, person: Requester, reason: str) -> None:
        """Keep ``person`` from making videos on any platform."""
        async with self._database.transaction() as connection:
            account = await rows.account_of(connection, person.key)
            await rows.block(connection, account, reason, self._now())
            await rows.note(connection, self._now(), actor.key, "block", person.key, reason)

    async def unblock(self, actor: Requester, person: Requester) -> bool:
        """Return whether ``person`` was blocked."""
        async with self._database.transaction() as connection:
            account = await rows.account_of(connection, person.key)
            await rows.note(connection, self._now(), actor.key, "unblock", person.key, "")
            return await rows.unblock(connection, account)

    async def note(self, actor: Requester, verb: str, target: str = "", detail: str = "") -> None:
        """Write what an operator did into the audit log."""
        async with self._database.transaction() as connection:
            await rows.note(connection, self._now(), actor.key, verb, target, detail)

    async def audit(self, limit: int = 20) -> list[AuditEntry]:
        """Return the newest entries of the audit log, newest first."""
        async with self._database.transaction() as connection:
            found = await rows.notes(connection, limit)
        return [AuditEntry(r.at, r.actor, r.verb, r.target, r.detail) for r in found]

    async def account(self, person: Requester) -> Requester:
        """Return who owns the jobs and the quota of ``person``: itself unless joined."""
        async with self._database.transaction() as connection:
            return Requester.from_key(await rows.account_of(connection, person.key))

    async def keys(self, person: Requester) -> list[Requester]:
        """Return every requester whose jobs ``person`` may see: the account and its joins."""
        async with self._database.transaction() as connection:
            account = await rows.account_of(connection, person.key)
            joined = await rows.joined_to(connection, account)
        return [Requester.from_key(key) for key in (account, *joined)]

    async def link_code(self, person: Requester) -> str:
        """Return a one-time code with which the same person joins another platform's account."""
        code = "".join(secrets.choice(CODE_ALPHABET) for _ in range(CODE_LENGTH))
        expires_at = self._now() + CODE_LIFE_MS
        async with self._database.transaction() as connection:
            await rows.add_code(connection, _digest(code), person.key, expires_at)
        return code

    async def link(self, person: Requester, code: str) -> Requester:
        """Join ``person`` to the account whose code it is, and return that account.

        Raises:
            LinkCodeUnknown: the code is wrong, used or too old.
        """
        async with self._database.transaction() as connection:
            owner = await rows.take_code(connection, _digest(code), self._now())
            if owner is None:
                raise LinkCodeUnknown
            account = await rows.account_of(connection, owner)
            own = await rows.account_of(connection, person.key)
            if own != account:
                await rows.join(connection, own, account, self._now())
        return Requester.from_key(account)

    async def leave(self, person: Requester) -> None:
        """Dissolve every join of ``person``'s account."""
        async with self._database.transaction() as connection:
            await rows.leave(connection, await rows.account_of(connection, person.key))

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


def _digest(code: str) -> str:
    return hashlib.sha256(code.strip().upper().encode()).hexdigest()
