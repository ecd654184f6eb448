"""Who may use the bots: the settings, what operators allowed in chat, and who asks them.

Closed unless a reason is found: the list of the settings, an operator's word, or that the place is
an operator's own. Only chat platforms are asked about; pages have their own sign-in.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from enum import StrEnum

from core.accounts.moderation import refuse_blocked
from core.accounts.notices import Notices
from core.domain.access import AccessEntry, AccessKind, is_open, read_entry
from core.domain.people import Caller, Requester
from core.domain.time_units import DAY_MS
from core.errors import AccessClosed, AccessNotAsked
from core.interfaces.directory import PeopleDirectory
from core.storage import access as rows
from core.storage import accounts, moderation
from core.storage.access import AccessRow, AccessState
from core.storage.database import Database

AGAIN_MS = 7 * DAY_MS  # how long somebody who was turned down waits before they may ask
MOST_ASKING = 50  # requests that wait for an operator; strangers must not flood their chat
NAME_LIMIT = 64  # characters of a name that operators are shown
ASKED, ALLOWED, DENIED = "access_asked", "access_allowed", "access_denied"  # codes of notices


class AccessDecision(StrEnum):
    """What an operator answers to somebody who asks."""

    ALLOW = "allow"
    DENY = "deny"
    BLOCK = "block"


@dataclass(frozen=True, slots=True)
class AccessRules:
    """What the settings say: who is in, and who decides."""

    entries: tuple[AccessEntry, ...]
    operators: frozenset[str]  # requester keys


class AccessList:
    """Tells whether a caller may use the bots, and keeps what operators decide."""

    def __init__(
        self, database: Database, now: Callable[[], int], rules: AccessRules, notices: Notices
    ) -> None:
        """Take the database, the time (epoch ms), the settings, and who hands notices out."""
        self._database = database
        self._now = now
        self._rules = rules
        self._notices = notices
        self._directories: dict[str, PeopleDirectory] = {}

    def register(self, directory: PeopleDirectory) -> None:
        """Ask ``directory`` about the people of its platform from now on."""
        self._directories[directory.platform] = directory

    def directory(self, platform: str) -> PeopleDirectory | None:
        """Return who knows the people of a platform, None where that is not connected here."""
        return self._directories.get(platform)

    async def check(self, caller: Caller) -> None:
        """Refuse who was not let in.

        Raises:
            AccessClosed: nothing lets the caller in.
        """
        if not await self.admits(caller):
            raise AccessClosed

    async def admits(self, caller: Caller) -> bool:
        """Tell whether the caller may use the bots where they ask."""
        if is_open(caller) or caller.has_operator_role:
            return True
        async with self._database.snapshot() as connection:
            keys = await accounts.keys_of(connection, caller.requester.key)
            own = [*_entries_of(caller), *_people(keys)]
            if self._rules.operators.intersection(keys):
                return True
            if await rows.any_allowed(connection, [entry.key for entry in own]):
                return True
            allowed = await rows.in_state(connection, AccessState.ALLOWED)
        listed = set(self._rules.entries)
        if listed & {*own, AccessEntry(caller.requester.platform, AccessKind.EVERYONE)}:
            return True
        told = [entry for row in allowed for entry in read_entry(row.entry)]
        return await self._asks_platform(caller, [*self._rules.entries, *told])

    async def _asks_platform(self, caller: Caller, entries: Iterable[AccessEntry]) -> bool:
        """Tell whether an entry lets the caller in about which the platform has to be asked."""
        who = caller.requester
        directory = self._directories.get(who.platform)
        if directory is None:
            return False
        for entry in dict.fromkeys(entry for entry in entries if entry.platform == who.platform):
            match entry.kind:
                case AccessKind.MEMBERS if await directory.is_member(who.user_id, entry.id):
                    return True
                case AccessKind.ROLE if await directory.has_role(who.user_id, entry.id):
                    return True
                case AccessKind.OWN if await self._is_own(directory, caller):
                    return True
                case _:
                    continue
        return False

    async def _is_own(self, directory: PeopleDirectory, caller: Caller) -> bool:
        operators = [Requester.from_key(key) for key in sorted(self._rules.operators)]
        people = [who.user_id for who in operators if who.platform == directory.platform]
        return await directory.is_run_by(caller.place.partition(":")[2], people)

    async def ask(self, caller: Caller, name: str) -> None:
        """Ask the operators to let the caller in; ``name`` is how the platform calls them.

        Raises:
            RequesterBlocked: an operator blocked this person.
            AccessNotAsked: they are in, wait already, were turned down lately, too many wait, or
                nobody could answer.
        """
        if await self.admits(caller):  # a button of before; asking would take away what they have
            raise AccessNotAsked("access_in_why")
        entry, now = AccessEntry.of_person(caller.requester), self._now()
        async with self._database.transaction() as connection:
            await refuse_blocked(connection, [caller.requester.key])
            known = await rows.load(connection, entry.key)
            waiting = await rows.count(connection, AccessState.ASKED)
            self._refuse_asking(known, waiting, now)
            shown = name[:NAME_LIMIT]
            row = AccessRow(entry.key, AccessState.ASKED, shown, caller.place, now)
            await rows.save(connection, row)
            data = {"entry": entry.key, "who": shown, "place": caller.place}
            for key in sorted(self._rules.operators):
                await accounts.add_notice(connection, key, ASKED, data, now)
        self._notices.wake()

    def _refuse_asking(self, known: AccessRow | None, waiting: int, now: int) -> None:
        if not self._rules.operators:
            raise AccessNotAsked("access_nobody_why")
        if known is not None and known.state is AccessState.ALLOWED:  # meanwhile
            raise AccessNotAsked("access_in_why")
        if known is not None and known.state is AccessState.ASKED:
            raise AccessNotAsked("access_waiting_why")
        if known is not None and known.state is AccessState.DENIED:
            if 0 <= now - known.at_ms < AGAIN_MS:
                raise AccessNotAsked("access_denied_why")
        elif waiting >= MOST_ASKING:
            raise AccessNotAsked("access_full_why")

    async def decide(
        self, actor: Requester, entry: AccessEntry, decision: AccessDecision
    ) -> AccessRow | None:
        """Answer somebody who asks.

        Returns:
            What was known before; None where nobody asks any more, and nothing was changed.
        """
        person, now = entry.person, self._now()
        async with self._database.transaction() as connection:
            known = await rows.load(connection, entry.key)
            if known is None or known.state is not AccessState.ASKED or person is None:
                return None
            allows = decision is AccessDecision.ALLOW
            state = AccessState.ALLOWED if allows else AccessState.DENIED
            await rows.save(
                connection, replace(known, state=state, at_ms=now, decided_by=actor.key)
            )
            await moderation.note(connection, now, actor.key, f"access_{decision}", entry.key, "")
            if decision is AccessDecision.BLOCK:
                await accounts.block_account(connection, person.key, "", now)
            else:
                code = ALLOWED if allows else DENIED
                await accounts.add_notice(connection, person.key, code, {}, now)
        self._notices.wake()
        return known

    async def allow(self, actor: Requester, entry: AccessEntry) -> None:
        """Let somebody, or everybody of something, in."""
        now = self._now()
        async with self._database.transaction() as connection:
            known = await rows.load(connection, entry.key) or AccessRow(
                entry.key, AccessState.ASKED
            )
            told = known.place and known.state is AccessState.ASKED and entry.person
            row = replace(known, state=AccessState.ALLOWED, at_ms=now, decided_by=actor.key)
            await rows.save(connection, row)
            await moderation.note(connection, now, actor.key, "allow", entry.key, "")
            if told:
                await accounts.add_notice(connection, told.key, ALLOWED, {}, now)
        if told:
            self._notices.wake()

    async def disallow(self, actor: Requester, entry: AccessEntry) -> bool:
        """Take back what was allowed in chat; False where nothing was."""
        async with self._database.transaction() as connection:
            known = await rows.load(connection, entry.key)
            if known is None or known.state is not AccessState.ALLOWED:
                return False
            await rows.remove(connection, entry.key)
            await moderation.note(connection, self._now(), actor.key, "disallow", entry.key, "")
        return True

    async def listed(self) -> list[AccessRow]:
        """List who asks, then who was allowed in chat."""
        async with self._database.snapshot() as connection:
            asked = await rows.in_state(connection, AccessState.ASKED)
            return [*asked, *await rows.in_state(connection, AccessState.ALLOWED)]

    async def forget(self, person: Requester) -> None:
        """Drop what somebody asked for, and their name where something was decided."""
        async with self._database.transaction() as connection:
            await rows.forget(connection, AccessEntry.of_person(person).key)

    async def move_place(self, old: str, new: str) -> None:
        """Let what was decided of a place follow it to its new name."""
        before, after = AccessEntry.of_place(old).key, AccessEntry.of_place(new).key
        async with self._database.transaction() as connection:
            await rows.rename(connection, before, after)


def _entries_of(caller: Caller) -> list[AccessEntry]:
    """Return what is known of the caller without asking anybody."""
    who, roles = caller.requester, sorted(caller.asker.roles)
    found = [AccessEntry.of_person(who), AccessEntry.of_place(caller.place)]
    return [*found, *(AccessEntry(who.platform, AccessKind.ROLE, role) for role in roles)]


def _people(keys: Iterable[str]) -> list[AccessEntry]:
    return [AccessEntry.of_person(Requester.from_key(key)) for key in keys]
