"""``/admin`` for operators, by numeric id; the same verbs, rules and log as on Discord."""

from collections.abc import Awaitable, Callable
from typing import Literal

from telegram import Message, User

from bots.telegram.address import PLATFORM, person_of
from bots.telegram.private import is_private, point
from bots.telegram.rendering import texts_for
from bots.telegram.submission import Counter, reply
from core.domain.people import Requester
from core.domain.policy import Policy
from core.errors import NotAChoice, OutOfRange
from core.service.user_api import find_job

ADMIN_LINK = "admin_"  # what a deep link to an operator's listing begins with
SHOWN = 15  # lines of a listing


class _Admin:
    """One ``/admin`` message of an operator."""

    def __init__(self, counter: Counter, user: User, message: Message, words: list[str]) -> None:
        self.counter = counter
        self.desk = counter.desk
        self.message = message
        self.words = words
        self.person = person_of(user, message)
        self.texts = texts_for(user.language_code)

    async def say(self, text: str) -> None:
        await reply(self.counter, self.message, text)

    async def done(self, verb: str, target: str, detail: str = "") -> None:
        await self.desk.community.audit.note(self.person.requester, verb, target, detail)
        await self.confirm(f"{verb} {target} {detail}".strip())

    async def confirm(self, what: str) -> None:
        await self.say(self.texts.say("admin_done", what=what))

    def word(self, index: int) -> str:
        if index >= len(self.words):
            raise NotAChoice("command", " ".join(self.words)[:40], self.texts.say("t_admin_usage"))
        return self.words[index]

    def someone(self, index: int) -> Requester:
        """Return the person whose numeric id (or ``platform:id``) was typed.

        Raises:
            NotAChoice: a name; names can be taken by somebody else.
        """
        typed = self.word(index)
        if ":" in typed:
            return Requester.from_key(typed)
        if not typed.isdigit():
            raise NotAChoice("user", typed[:40], "123456789, discord:123456789")
        return Requester(PLATFORM, typed)


async def run_admin(counter: Counter, user: User, message: Message, rest: str) -> None:
    """Do what an operator typed after ``/admin``.

    Raises:
        ClapperError: what was typed cannot work.
    """
    admin = _Admin(counter, user, message, rest.split())
    if not counter.desk.is_operator(admin.person):
        await admin.say(admin.texts.say("admin_only"))
        return
    verb = _VERBS.get(admin.words[0].lower()) if admin.words else None
    if verb is None:
        await admin.say(admin.texts.say("t_admin_usage"))
        return
    if verb in _ABOUT_PEOPLE and not is_private(message):
        await point(counter, user, message, ADMIN_LINK + admin.words[0].lower())
        return
    await verb(admin)


async def _status(admin: _Admin) -> None:
    health = await admin.desk.service.health()
    await admin.say(admin.texts.admin_status(health))


def _intake(state: Literal["open", "paused", "draining"]) -> Callable[[_Admin], Awaitable[None]]:
    async def change(admin: _Admin) -> None:
        await admin.desk.service.set_intake(state)
        await admin.done("intake", state)

    return change


async def _jobs(admin: _Admin) -> None:
    jobs = await admin.desk.service.all_live()
    await admin.say(admin.texts.admin_jobs(jobs[:SHOWN]))


async def _cancel(admin: _Admin) -> None:
    chosen = find_job(await admin.desk.service.all_live(), admin.word(1))
    await admin.desk.service.cancel(chosen.id, admin.person.requester, operator=True)
    await admin.done("cancel", chosen.id)


async def _grant(admin: _Admin) -> None:
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
    account = await admin.desk.community.accounts.account(admin.someone(1))
    await admin.desk.service.grant(account, round(minutes * 60_000))
    await admin.done("grant", account.key, f"{minutes:g} min")


async def _block(admin: _Admin) -> None:
    person = admin.someone(1)
    reason = " ".join(admin.words[2:])[:200]
    await admin.desk.community.moderation.block(admin.person.requester, person, reason)
    await admin.confirm(f"block {person.key}")


async def _unblock(admin: _Admin) -> None:
    person = admin.someone(1)
    lifted = await admin.desk.community.moderation.unblock(admin.person.requester, person)
    if lifted:
        await admin.confirm(f"unblock {', '.join(who.key for who in lifted)}")
    else:
        await admin.say(admin.texts.say("admin_not_blocked", who=person.key))


async def _policy(admin: _Admin) -> None:
    place = admin.person.place
    if len(admin.words) > 1:
        value = " ".join(admin.words[2:])
        await admin.desk.community.moderation.set_rule(
            admin.person.requester, place, admin.words[1].lower(), value
        )
    policy = await admin.desk.community.moderation.policy(place)
    if policy == Policy():
        await admin.say(admin.texts.say("admin_no_policy", place=place))
        return
    rules = ", ".join(f"{name}: {value}" for name, value in policy.to_json().items() if value)
    await admin.say(admin.texts.say("admin_policy", place=place, rules=rules))


async def _audit(admin: _Admin) -> None:
    entries = await admin.desk.community.audit.entries(SHOWN)
    await admin.say(admin.texts.admin_audit(entries))


_VERBS: dict[str, Callable[[_Admin], Awaitable[None]]] = {
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
