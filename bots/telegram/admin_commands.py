"""Run ``/admin`` for operators: the same verbs and rules as on Discord."""

from collections.abc import Awaitable, Callable
from typing import Literal

from telegram import Message, User

from bots.telegram.address import PLATFORM, person_of
from bots.telegram.context import TelegramContext
from bots.telegram.messages import reply
from bots.telegram.private_chat import is_private, refer_to_private_chat
from bots.telegram.rendering import texts_for
from core.domain.people import Requester
from core.domain.policy import Policy
from core.errors import NotAChoice, OutOfRange
from core.service.user_api import find_job

ADMIN_LINK = "admin_"  # what a deep link to an operator's listing begins with
SHOWN = 15  # lines of a listing


class AdminCommand:
    """One ``/admin`` message of an operator, and how it is answered."""

    def __init__(
        self, context: TelegramContext, user: User, message: Message, words: list[str]
    ) -> None:
        self.context = context
        self.desk = context.desk
        self.message = message
        self.words = words
        self.person = person_of(user, message)
        self.texts = texts_for(user.language_code)

    async def say(self, text: str) -> None:
        """Answer with ``text``."""
        await reply(self.context, self.message, text)

    async def done(self, verb: str, target: str, detail: str = "") -> None:
        """Write what was done to the audit log, and confirm it."""
        await self.desk.community.note(self.person.requester, verb, target, detail)
        await self.confirm(f"{verb} {target} {detail}".strip())

    async def confirm(self, what: str) -> None:
        """Confirm what was done."""
        await self.say(self.texts.say("admin_done", what=what))

    def word(self, index: int) -> str:
        """Take the word at ``index``.

        Raises:
            NotAChoice: fewer words were typed.
        """
        if index >= len(self.words):
            raise NotAChoice("command", " ".join(self.words)[:40], self.texts.say("t_admin_usage"))
        return self.words[index]

    def someone(self, index: int) -> Requester:
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


async def run_admin(context: TelegramContext, user: User, message: Message, rest: str) -> None:
    """Run what an operator typed after ``/admin``.

    Raises:
        ClapperError: a word is missing or wrong.
    """
    admin = AdminCommand(context, user, message, rest.split())
    if not context.desk.is_operator(admin.person):
        await admin.say(admin.texts.say("admin_only"))
        return
    verb = _VERBS.get(admin.words[0].lower()) if admin.words else None
    if verb is None:
        await admin.say(admin.texts.say("t_admin_usage"))
        return
    if verb in _ABOUT_PEOPLE and not is_private(message):
        await refer_to_private_chat(context, user, message, ADMIN_LINK + admin.words[0].lower())
        return
    await verb(admin)


async def _status(admin: AdminCommand) -> None:
    health = await admin.desk.service.health()
    await admin.say(admin.texts.admin_status(health))


def _intake(
    state: Literal["open", "paused", "draining"],
) -> Callable[[AdminCommand], Awaitable[None]]:
    async def change(admin: AdminCommand) -> None:
        await admin.desk.service.set_intake(state)
        await admin.done("intake", state)

    return change


async def _jobs(admin: AdminCommand) -> None:
    jobs = await admin.desk.service.all_live()
    await admin.say(admin.texts.admin_jobs(jobs[:SHOWN]))


async def _cancel(admin: AdminCommand) -> None:
    chosen = find_job(await admin.desk.service.all_live(), admin.word(1))
    await admin.desk.service.cancel(chosen.id, admin.person.requester, operator=True)
    await admin.done("cancel", chosen.id)


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
    account = await admin.desk.community.account(admin.someone(1))
    await admin.desk.service.grant(account, round(minutes * 60_000))
    await admin.done("grant", account.key, f"{minutes:g} min")


async def _block(admin: AdminCommand) -> None:
    person = admin.someone(1)
    reason = " ".join(admin.words[2:])[:200]
    await admin.desk.community.block(admin.person.requester, person, reason)
    await admin.confirm(f"block {person.key}")


async def _unblock(admin: AdminCommand) -> None:
    person = admin.someone(1)
    lifted = await admin.desk.community.unblock(admin.person.requester, person)
    if lifted:
        await admin.confirm(f"unblock {', '.join(who.key for who in lifted)}")
    else:
        await admin.say(admin.texts.say("admin_not_blocked", who=person.key))


async def _policy(admin: AdminCommand) -> None:
    place = admin.person.place
    if len(admin.words) > 1:
        value = " ".join(admin.words[2:])
        await admin.desk.community.set_rule(
            admin.person.requester, place, admin.words[1].lower(), value
        )
    policy = await admin.desk.community.policy(place)
    if policy == Policy():
        await admin.say(admin.texts.say("admin_no_policy", place=place))
        return
    rules = ", ".join(f"{name}: {value}" for name, value in policy.to_json().items() if value)
    await admin.say(admin.texts.say("admin_policy", place=place, rules=rules))


async def _audit(admin: AdminCommand) -> None:
    entries = await admin.desk.community.audit(SHOWN)
    await admin.say(admin.texts.admin_audit(entries))


_VERBS: dict[str, Callable[[AdminCommand], Awaitable[None]]] = {
    "status": _status,
    "pause": _intake("paused"),
    "drain": _intake("draining"),
    "resume": _intake("open"),
    "jobs": _jobs,
    "cancel": _cancel,
    "grant": _grant,
    "block": _block,
    "unblock": _unblock,
    "policy": _policy,
    "audit": _audit,
}
_ABOUT_PEOPLE = frozenset({_jobs, _audit})  # listings of what others did: in private only
