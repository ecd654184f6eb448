"""What tests ask of a core in the name of somebody, and what they wait for."""

from core.app.core import Core
from core.domain.jobs import Job, ReplyTo, Ticket
from core.domain.media import Clip
from core.domain.modes import Mode
from core.domain.options import Options
from core.domain.people import Caller, Requester
from core.testing.doubles import eventually


async def until_ended(core: Core, job_id: str) -> Job:
    """Return the job once it is terminal."""

    async def is_terminal() -> bool:
        return (await core.jobs.get(job_id)).state.terminal

    await eventually(is_terminal, within_s=30.0)
    return await core.jobs.get(job_id)


async def ask(
    core: Core,
    who: Caller,
    key: str,
    options: Options,
    mode: Mode = Mode.T2V,
    reply_to: ReplyTo = ReplyTo("test", {}),  # noqa: B008  # frozen
) -> Ticket:
    """Compose and submit what ``who`` typed, as a front does."""
    composition = await core.users.compose(who, mode, options, {})
    return await core.users.submit(who, composition, reply_to, key)


def caller(requester: Requester) -> Caller:
    """Return ``requester`` as somebody who asks from a place without rules."""
    return Caller(requester, "test")


async def clip_in(core: Core, job_id: str) -> Clip:
    """Return the clip of a finished job, whoever it belongs to."""
    clip = (await core.jobs.get(job_id)).clip
    assert clip is not None
    assert clip.path.exists()
    return clip
