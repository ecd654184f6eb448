"""Who belongs together: joins with their codes, and what joined people answer for together.

A person is all keys of an account. What keeps one key from making videos reaches all of them, and
what one of them spent counts for all: at a join, and for each of them after they part.
"""

import hashlib
import re
import secrets
from collections.abc import Callable

from core.accounts.limit_ledger import LimitLedger
from core.accounts.limits import QuotaRules
from core.accounts.notices import Notices
from core.domain.people import Requester
from core.domain.time_units import HOUR_MS
from core.errors import LinkCodeOwn, LinkCodeUnknown, LinkTriesUsed
from core.storage import accounts as rows
from core.storage import moderation
from core.storage.database import Connection, Database

CODE_LIFE_MS = 10 * 60 * 1000
CODE_ALPHABET = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"  # without look-alikes
CODE_LENGTH = 8  # 31⁸ ≈ 8.5·10¹¹ codes; with the tries below one guess in 4·10⁹ hours fits
TRIES = 5  # codes of one account that did not fit, in the time below
TRIES_OF_ALL = 200  # of everybody together
TRIES_MS = HOUR_MS
JOINED = "joined_notice"  # the code of what the owner of a code is told
CORE = "clapper"  # the actor of what follows from an operator's word


class LinkedAccounts:
    """Accounts of several platforms that belong to one person."""

    def __init__(
        self, database: Database, now: Callable[[], int], quota: QuotaRules, notices: Notices
    ) -> None:
        """Take the rules of the quota, in whose windows what was spent is carried.

        ``notices`` hand out what the owner of a code is told.
        """
        self._database = database
        self._now = now
        self._quota = quota
        self._notices = notices

    async def account(self, person: Requester) -> Requester:
        """Find who owns the jobs and the quota of ``person``: itself unless joined."""
        async with self._database.snapshot() as connection:
            return Requester.from_key(await rows.account_of(connection, person.key))

    async def keys(self, person: Requester) -> list[Requester]:
        """List every requester whose jobs ``person`` may see: the account and its joins."""
        async with self._database.snapshot() as connection:
            found = await rows.keys_of(connection, person.key)
        return [Requester.from_key(key) for key in found]

    async def link_code(self, person: Requester) -> str:
        """Make a one-time code with which the same person joins another platform's account.

        Earlier codes of all their keys end.
        """
        code = "".join(secrets.choice(CODE_ALPHABET) for _ in range(CODE_LENGTH))
        expires_at = self._now() + CODE_LIFE_MS
        async with self._database.transaction() as connection:
            await rows.drop_codes(connection, await rows.keys_of(connection, person.key))
            await rows.add_code(connection, _digest(code), person.key, expires_at)
        return code

    async def burn(self, code: str) -> None:
        """End a code that others may have seen."""
        async with self._database.transaction() as connection:
            await rows.take_code(connection, _digest(code), self._now())

    async def link(self, person: Requester, code: str, name: str = "") -> Requester:
        """Join ``person`` to the account whose code it is, and return that account.

        The owner of the code is owed a notice about it.

        Args:
            person: who typed the code.
            code: as it was typed.
            name: how the platform calls this person, for the owner of the code.

        Raises:
            LinkCodeOwn: the code is of the same account; it goes on to be valid.
            LinkCodeUnknown: the code is wrong, used or too old.
            LinkTriesUsed: too many codes did not fit lately.
        """
        async with self._database.transaction() as connection:
            now = self._now()
            await self._refuse_guesses(connection, person, now)
            owner = await rows.take_code(connection, _digest(code), now)
            if owner is None:
                await rows.add_try(connection, person.key, now)
                account = None
            else:
                account = await self._join(connection, person, owner, name, now)
        if account is None:  # raised here, or the try would be rolled back
            raise LinkCodeUnknown
        self._notices.wake()
        return Requester.from_key(account)

    async def _join(
        self, connection: Connection, person: Requester, owner: str, name: str, now: int
    ) -> str:
        account = await rows.account_of(connection, owner)
        own = await rows.account_of(connection, person.key)
        if own == account:
            raise LinkCodeOwn
        await rows.join(connection, own, account, now)
        keys = await rows.keys_of(connection, account)
        found = await rows.block_of(connection, keys)
        if found is not None:
            await rows.block(connection, keys, found.origin, found.reason, now)
            for key in keys:
                await moderation.note(connection, now, CORE, "block", key, f"joined {found.origin}")
        await rows.level_flows(connection, keys, now)
        await rows.drop_codes(connection, keys)
        data = {"who": name or person.key, "key": person.key}
        await rows.add_notice(connection, owner, JOINED, data, now)
        return account

    async def _refuse_guesses(self, connection: Connection, person: Requester, now: int) -> None:
        """Stop who tries code after code.

        Raises:
            LinkTriesUsed: too many did not fit lately.
        """
        own, everybody = await rows.tries(connection, person.key, now - TRIES_MS)
        if own >= TRIES or everybody >= TRIES_OF_ALL:
            raise LinkTriesUsed(TRIES)

    async def unlink(self, person: Requester, other: Requester) -> bool:
        """Take ``other`` out of the account of ``person``; False where it does not belong to it.

        Both keep the jobs made under their own key, any block, and what was spent together.
        """
        async with self._database.transaction() as connection:
            keys = await rows.keys_of(connection, person.key)
            if other.key not in keys or len(keys) == 1:
                return False
            await self._part(connection, keys, [other.key])
        return True

    async def leave(self, person: Requester) -> None:
        """Dissolve every join of ``person``'s account."""
        async with self._database.transaction() as connection:
            keys = await rows.keys_of(connection, person.key)
            await self._part(connection, keys, keys[1:])
            await rows.drop_notices(connection, keys)

    async def _part(self, connection: Connection, keys: list[str], going: list[str]) -> None:
        """Take keys out of an account; what reached the account goes on reaching each of them."""
        now = self._now()
        await LimitLedger(connection, self._quota, now).share_out(keys)
        await rows.level_flows(connection, keys, now)
        await rows.drop_codes(connection, keys)
        for key in going:
            await rows.leave(connection, key)


def _digest(code: str) -> str:
    letters = re.sub(r"[\W_]", "", code).upper()  # people copy full stops and spaces with it
    return hashlib.sha256(letters.encode()).hexdigest()
