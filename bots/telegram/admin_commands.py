"""Run ``/admin`` for operators: the same verbs and rules as on Discord."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal

from bots.shared.admin_texts import (
    access_text,
    policy_text,
    typed_entry,
    typed_person,
    word_text,
)
from bots.telegram.address import PLATFORM
from bots.telegram.chat_event import ChatEvent
from bots.telegram.feed_admin import run_feed, run_takedown
from bots.telegram.private_chat import is_private, refer_to_private_chat
from core.domain.access import AccessEntry
from core.domain.people import Requester
from core.domain.policy import EVERYWHERE, RULES
from core.errors import NotAChoice, OutOfRange
from core.service.operator_api import OperatorApi

ADMIN_LINK = "admin_"  # what a deep link to an operator's listing begins with
SHOWN = 15  # lines of a listing


@dataclass(frozen=True, slots=True)
class AdminCommand:
    """One ``/admin`` message of an operator, and how it is answered."""

    event: ChatEvent
    operator: OperatorApi
    words: list[str]

    async def say(self, code: str, **data: str) -> None:
        """Answer with the sentence ``code``."""
        await self.event.reply(self.event.texts.say(code, **data))

    async def confirm(self, what: str) -> None:
        """Confirm what was done."""
        await self.say("admin_done", what=what)

    def word(self, index: int) -> str:
        """Take the word at ``index``.

        Raises:
            NotAChoice: fewer words were typed.
        """
        if index >= len(self.words):
            usage = self.event.texts.say("t_admin_usage")
            raise NotAChoice("command", " ".join(self.words)[:40], usage)
        return self.words[index]

    def requester(self, index: int) -> Requester:
        """Parse the numeric id (or ``platform:id``) of a person.

        Raises:
            AccountUnknown: a name was typed, or a platform that there is not.
        """
        return typed_person(self.word(index), PLATFORM)

    def entries(self) -> list[AccessEntry]:
        """Parse who is let in; this chat where nothing was typed.

        Raises:
            EntryUnknown: it names nobody.
        """
        if len(self.words) < 2:
            return [AccessEntry.of_place(self.event.caller.place)]
        typed = self.words[1]
        person = typed.isascii() and typed.isdecimal()
        return typed_entry(f"{PLATFORM}:{typed}" if person else typed)


async def run_admin(event: ChatEvent, rest: str) -> None:
    """Run what an operator typed after ``/admin``.

    Raises:
        OperatorsOnly: the person is not an operator.
        ClapperError: a word is missing or wrong.
    """
    admin = AdminCommand(event, event.users.operator(event.caller), rest.split())
    verb = _VERBS.get(admin.words[0].lower()) if admin.words else None
    if verb is None:
        await admin.say("t_admin_usage")
        return
    if verb in _ABOUT_PEOPLE and not is_private(event.message):
        await refer_to_private_chat(event, ADMIN_LINK + admin.words[0].lower())
        return
    await verb(admin)


async def _status(admin: AdminCommand) -> None:
    health = await admin.operator.health()
    await admin.event.reply(admin.event.texts.admin_status(health))


def _set_intake(
    state: Literal["open", "paused", "draining"],
) -> Callable[[AdminCommand], Awaitable[None]]:
    async def change(admin: AdminCommand) -> None:
        await admin.operator.set_intake(state)
        await admin.confirm(f"intake {state}")

    return change


async def _jobs(admin: AdminCommand) -> None:
    jobs = await admin.operator.all_live(SHOWN)
    await admin.event.reply(admin.event.texts.admin_jobs(jobs[:SHOWN]))


async def _cancel(admin: AdminCommand) -> None:
    job = await admin.operator.find(admin.word(1))
    await admin.operator.cancel(job.id)
    await admin.confirm(f"cancel {job.id}")


async def _grant(admin: AdminCommand) -> None:
    """Give somebody more GPU time.

    Raises:
        OutOfRange: the minutes are not a positive number.
    """
    try:
        minutes = float(admin.word(2))
    except ValueError:
        minutes = -1.0
    if not 0 < minutes <= 10_000:
        raise OutOfRange("minutes", minutes, 0.1, 10_000, "min")
    account = await admin.operator.grant(admin.requester(1), minutes)
    await admin.confirm(f"grant {account.key} {minutes:g} min")


async def _block(admin: AdminCommand) -> None:
    requester = admin.requester(1)
    await admin.operator.block(requester, " ".join(admin.words[2:])[:200])
    await admin.confirm(f"block {requester.key}")


async def _unblock(admin: AdminCommand) -> None:
    requester = admin.requester(1)
    lifted = await admin.operator.unblock(requester)
    if lifted:
        await admin.confirm(f"unblock {', '.join(who.key for who in lifted)}")
    else:
        await admin.say("admin_not_blocked", who=requester.key)


async def _policy(admin: AdminCommand) -> None:
    """Show the rules of this chat, or of all places, after changing one if a value was typed.

    Raises:
        NotAChoice: there is no such rule.
    """
    words = admin.words[1:]
    place = admin.event.caller.place
    if words and words[0].lower() == "everywhere":
        place, words = EVERYWHERE, words[1:]
    if len(words) > 1:
        await admin.operator.set_rule(place, words[0].lower(), " ".join(words[1:]))
    elif words and words[0].lower() not in RULES:
        raise NotAChoice("rule", words[0][:40], ", ".join(sorted(RULES)))
    policy = await admin.operator.policy(place)
    await admin.event.reply(policy_text(admin.event.texts, policy, place))


async def _test(admin: AdminCommand) -> None:
    sentence = " ".join(admin.words[1:])
    found = await admin.operator.forbidden_word(admin.event.caller.place, sentence)
    await admin.event.reply(word_text(admin.event.texts, found))


async def _access(admin: AdminCommand) -> None:
    rows = await admin.operator.access()
    await admin.event.reply(access_text(admin.event.texts, rows))


async def _allow(admin: AdminCommand) -> None:
    for entry in admin.entries():
        await admin.operator.allow(entry)
        await admin.say("access_did_allow", entry=entry.key)


async def _disallow(admin: AdminCommand) -> None:
    for entry in admin.entries():
        done = await admin.operator.disallow(entry)
        await admin.say("access_removed" if done else "access_absent", entry=entry.key)


async def _audit(admin: AdminCommand) -> None:
    entries = await admin.operator.audit(SHOWN)
    await admin.event.reply(admin.event.texts.admin_audit(entries))


async def _feed(admin: AdminCommand) -> None:
    await run_feed(admin.event, admin.operator, admin.words[1:])


async def _takedown(admin: AdminCommand) -> None:
    admin.word(1)
    await run_takedown(admin.event, admin.operator, admin.words[1:])


_VERBS: dict[str, Callable[[AdminCommand], Awaitable[None]]] = {
    "status": _status,
    "pause": _set_intake("paused"),
    "drain": _set_intake("draining"),
    "resume": _set_intake("open"),
    "jobs": _jobs,
    "cancel": _cancel,
    "grant": _grant,
    "block": _block,
    "unblock": _unblock,
    "policy": _policy,
    "audit": _audit,
    "test": _test,
    "access": _access,
    "allow": _allow,
    "disallow": _disallow,
    "feed": _feed,
    "takedown": _takedown,
}
_ABOUT_PEOPLE = frozenset({_jobs, _audit, _access})  # listings of what others did: in private only
