"""Who may make what, and where: operators, blocks, and the rules of places."""

import json
from collections.abc import Callable, Iterable

from core.accounts.limit_ledger import LimitLedger
from core.accounts.limits import QuotaRules
from core.domain.people import Asker, Requester
from core.domain.policy import EVERYWHERE, Policy
from core.domain.requests import Request
from core.errors import RequesterBlocked, RuleLocksOut
from core.storage import accounts
from core.storage import moderation as rows
from core.storage.database import Connection, Database

WITHOUT_ROLES = "telegram:"  # places of this platform: nobody there has a role


class Moderation:
    """What operators decide about people and places; each change is in the audit log with it."""

    def __init__(
        self,
        database: Database,
        now: Callable[[], int],
        operators: frozenset[str],
        quota: QuotaRules,
    ) -> None:
        """Take the requester keys of the operators from the settings, and what limits allow."""
        self._database = database
        self._now = now
        self._operators = operators
        self._quota = quota

    async def block(self, actor: Requester, person: Requester, reason: str) -> None:
        """Keep ``person``, with all their keys, from making videos on any platform."""
        async with self._database.transaction() as connection:
            await accounts.block_account(connection, person.key, reason, self._now())
            await rows.note(connection, self._now(), actor.key, "block", person.key, reason)

    async def unblock(self, actor: Requester, person: Requester) -> list[Requester]:
        """Lift the block of ``person`` for every key that it reached, and return those keys."""
        async with self._database.transaction() as connection:
            keys = await accounts.keys_of(connection, person.key)
            lifted = await accounts.unblock(connection, keys)
            detail = ", ".join(lifted)
            await rows.note(connection, self._now(), actor.key, "unblock", person.key, detail)
        return [Requester.from_key(key) for key in lifted]

    def is_operator(self, requester: Requester) -> bool:
        """Tell whether the settings name this person, by platform and numeric id."""
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
        async with self._database.snapshot() as connection:
            await refuse_blocked(connection, [who.key for who in (requester, *earlier)])
            found = await policies_of(connection, place)
        for policy in found:
            policy.check(request, asker)

    async def admit_text(self, text: str, place: str, asker: Asker) -> None:
        """Refuse to show ``text``, which a model wrote, where the rules of the place forbid it.

        Raises:
            PolicyForbids: a rule of the place.
        """
        for policy in await self.policies(place):
            policy.check_words([text], age_gated=asker.age_gated)

    async def policy(self, place: str) -> Policy:
        """Read the rules of ``place``; of all places together for :data:`EVERYWHERE`."""
        async with self._database.snapshot() as connection:
            return await _policy(connection, place)

    async def policies(self, place: str) -> tuple[Policy, Policy]:
        """Read what holds in ``place``: the rules of all places, and its own."""
        async with self._database.snapshot() as connection:
            return await policies_of(connection, place)

    async def set_rule(self, actor: Requester, place: str, rule: str, value: str) -> Policy:
        """Change one rule of ``place`` from what an operator typed.

        Raises:
            NotAChoice: no such rule or mode.
            NotANumber, OutOfRange: no such number.
            RuleLocksOut: nobody could do anything in this place.
        """
        before = await self.policy(place)
        policy = before.changed(rule, value)
        if rule == "roles" and policy.roles and place.startswith(WITHOUT_ROLES):
            raise RuleLocksOut(rule)
        old = before.to_json().get(rule)
        detail = f"{rule}={value}" + (f" (was {json.dumps(old)})" if old else "")
        async with self._database.transaction() as connection:
            await rows.save_rules(connection, place, policy.to_json(), self._now())
            await rows.note(connection, self._now(), actor.key, "policy", place, detail)
        return policy

    async def move_place(self, old: str, new: str) -> None:
        """Let a place's rules, unless it has some, and what it spent follow it to a new name."""
        async with self._database.transaction() as connection:
            await rows.move_rules(connection, old, new)
            await LimitLedger(connection, self._quota, self._now()).move_place(old, new)


async def _policy(connection: Connection, place: str) -> Policy:
    rules = await rows.load_rules(connection, place)
    return Policy() if rules is None else Policy.from_json(rules)


async def policies_of(connection: Connection, place: str) -> tuple[Policy, Policy]:
    """Read what holds in ``place``: the rules of all places, and its own."""
    return await _policy(connection, EVERYWHERE), await _policy(connection, place)


async def refuse_blocked(connection: Connection, user_keys: list[str]) -> None:
    """Refuse who is blocked under any key of theirs.

    Raises:
        RequesterBlocked: an operator blocked this person.
    """
    keys: list[str] = []
    for user_key in user_keys:
        keys += await accounts.keys_of(connection, user_key)
    found = await accounts.block_of(connection, keys)
    if found is not None:
        raise RequesterBlocked(found.reason)
