"""Run ``/admin`` for operators: the same verbs and rules as on Discord."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal

from bots.telegram.address import PLATFORM
from bots.telegram.chat_event import ChatEvent
from bots.telegram.private_chat import is_private, refer_to_private_chat
from core.domain.people import Requester
from core.domain.policy import Policy
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
            NotAChoice: a name was typed; somebody else can take a name.
        """
        typed = self.word(index)
        if ":" in typed:
            return Requester.from_key(typed)
        if not typed.isdigit():
            raise NotAChoice("user", typed[:40], "123456789, discord:123456789")
        return Requester(PLATFORM, typed)


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
    jobs = await admin.operator.all_live()
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
    place = admin.event.caller.place
    if len(admin.words) > 1:
        value = " ".join(admin.words[2:])
        await admin.operator.set_rule(place, admin.words[1].lower(), value)
    policy = await admin.operator.policy(place)
    if policy == Policy():
        await admin.say("admin_no_policy", place=place)
        return
    await admin.say("admin_policy", place=place, rules=policy.shown())


async def _audit(admin: AdminCommand) -> None:
    entries = await admin.operator.audit(SHOWN)
    await admin.event.reply(admin.event.texts.admin_audit(entries))


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
}
_ABOUT_PEOPLE = frozenset({_jobs, _audit})  # listings of what others did: in private only
