"""Ask for what a button makes of a job, once for each key; the same for the page and programs."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from core.domain.fingerprints import fingerprint_of_action
from core.domain.jobs import Job, ReplyTo, Ticket
from core.domain.people import Caller
from core.service.user_api import UserApi


@dataclass(frozen=True, slots=True)
class Press:
    """One press of a button."""

    job_id: str
    action: str
    key: str
    reply_to: ReplyTo


async def followed_up(
    users: UserApi,
    caller: Caller,
    press: Press,
    check: Callable[[], Awaitable[Job]] | None = None,
) -> Ticket:
    """Return the job that ``press`` makes, or made before.

    Args:
        users: who takes requests.
        caller: whose press it is.
        press: a key that is known is answered before anything may refuse it, also once the job
            is gone.
        check: asked for a new key, and raises where ``caller`` may not; an operator of the page
            may go on from any job, a program from its own.

    Raises:
        JobUnknown, NotYours: there is no such job, or it belongs to somebody else.
        KeyReused: the key stands for another request.
        NotAChoice: the action makes no clip.
        Refused: quota, rules, block or a closed intake.
    """
    asked = fingerprint_of_action(press.action, press.job_id)
    known = await users.known(caller, press.key, asked)
    if known is not None:
        return known
    if check is not None:
        await check()
    composition = await users.follow_up(caller, press.job_id, press.action)
    return await users.submit(caller, composition, press.reply_to, press.key)
