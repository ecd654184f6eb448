"""Every call of the front door, made by somebody who has no right to it.

The calls are found by looking at the classes: a new one that names a job and forgets to check, or
that names none and is not listed here with what a stranger may learn from it, fails.
"""

import inspect
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from core.app.core import Core
from core.domain.followups import Action
from core.domain.jobs import Job, ReplyTo
from core.domain.modes import Mode
from core.domain.options import Options
from core.domain.people import Caller, Requester
from core.domain.requests import Composition
from core.errors import JobUnknown, NotYours, OperatorsOnly
from core.service.operator_api import OperatorApi
from core.service.user_accounts import UserAccounts
from core.service.user_api import UserApi
from core.service.user_files import UserFiles
from core.testing.doubles import RecordingDelivery, running, t2v
from core.testing.jobs import submit_request

STRANGER = Caller(Requester("test", "stranger"), "elsewhere")


def calls_of(api: type) -> dict[str, inspect.Signature]:
    return {
        name: inspect.signature(member)
        for name, member in inspect.getmembers(api, inspect.isfunction)
        if not name.startswith("_")
    }


JOB_CALLS = [name for name, call in calls_of(UserApi).items() if "job_id" in call.parameters]
OTHER_CALLS = [name for name in calls_of(UserApi) if name not in JOB_CALLS]


@pytest.fixture
async def job(core: Core, delivery: RecordingDelivery, ann: Requester) -> Job:
    core.router.register(delivery)
    async with running(core):
        ticket = await submit_request(core, t2v(), ann, ReplyTo("test"), "one")
        await delivery.until(1)
    return await core.jobs.get(ticket.job_id)


def arguments(job: Job, folder: Path) -> dict[str, object]:
    return {
        "job_id": job.id,
        "action": Action.AGAIN,
        "composition": Composition(t2v(), ()),
        "reply_to": ReplyTo("test"),
        "key": "two",
        "folder": folder,
    }


@pytest.mark.parametrize("name", JOB_CALLS)
async def test_a_stranger_is_refused_by_every_call_that_names_a_job(
    core: Core, job: Job, tmp_path: Path, name: str
) -> None:
    given = arguments(job, tmp_path)
    call = calls_of(UserApi)[name]
    wanted = {key: given[key] for key in list(call.parameters)[2:]}

    with pytest.raises(NotYours):
        await getattr(core.users, name)(STRANGER, **wanted)

    assert await core.jobs.get(job.id) == job
    assert await core.jobs.jobs_of(STRANGER.requester) == []


async def _find(core: Core, job: Job) -> None:
    with pytest.raises(JobUnknown):
        await core.users.find(STRANGER, job.id)


async def _known(core: Core, job: Job) -> None:
    assert await core.users.known(Caller(job.requester, "test"), "one") is not None
    assert await core.users.known(STRANGER, "one") is None


async def _jobs(core: Core, job: Job) -> None:
    assert await core.users.jobs(STRANGER, 50) == []
    assert job.requester != STRANGER.requester


async def _queue(core: Core, job: Job) -> None:
    assert (await core.users.queue(STRANGER)).mine == ()
    assert job.requester != STRANGER.requester


async def _standing(core: Core, job: Job) -> None:
    assert (await core.users.standing(STRANGER)).jobs == ()
    assert job.requester != STRANGER.requester


async def _quota(core: Core, job: Job) -> None:
    assert (await core.users.quota(STRANGER)).used_ms == 0
    assert (await core.quotas.quota(job.requester)).used_ms > 0


async def _forget(core: Core, job: Job) -> None:
    assert await core.users.forget(STRANGER) == 0
    assert await core.jobs.get(job.id) == job


async def _operator(core: Core, job: Job) -> None:
    assert not core.users.is_operator(STRANGER)
    with pytest.raises(OperatorsOnly):
        core.users.operator(STRANGER)
    assert await core.jobs.get(job.id) == job


async def _own_request(core: Core, job: Job) -> None:
    core.submission.close(closed=False)
    ticket = await core.users.submit(
        STRANGER, Composition(job.request, ()), ReplyTo("test"), "stranger"
    )
    assert (await core.jobs.get(ticket.job_id)).requester == STRANGER.requester


async def _preview(core: Core, job: Job) -> None:
    preview = await core.users.preview(STRANGER, Mode.T2V, Options("a kite"), {})
    assert preview.quota.used_ms == 0
    assert (await core.quotas.quota(job.requester)).used_ms > 0
    assert await core.jobs.jobs_of(STRANGER.requester) == []


async def _owns(core: Core, job: Job) -> None:
    assert not await core.users.owns(STRANGER, job)


LEARNS_NOTHING: dict[str, Callable[[Core, Job], Awaitable[None]]] = {
    "compose": _own_request,
    "preview": _preview,
    "submit": _own_request,
    "find": _find,
    "known": _known,
    "jobs": _jobs,
    "queue": _queue,
    "standing": _standing,
    "quota": _quota,
    "forget": _forget,
    "is_operator": _operator,
    "operator": _operator,
    "owns": _owns,
}


@pytest.mark.parametrize("name", OTHER_CALLS)
async def test_a_call_that_names_no_job_tells_a_stranger_nothing(
    core: Core, job: Job, name: str
) -> None:
    await LEARNS_NOTHING[name](core, job)


WITHOUT_CALLER = {
    UserApi: frozenset[str](),
    # of files: where to write and whether the disk has room is about nobody; a record is held by
    # who sent the file; what pages refer to is read once, at a start
    UserFiles: frozenset(
        {"present", "workspace", "has_room", "refuse_without_room", "uploads_by_owner"}
    ),
    UserAccounts: frozenset({"burn"}),  # ends a code; whoever has it may
}


@pytest.mark.parametrize("api", [UserApi, UserFiles, UserAccounts])
def test_every_call_takes_a_caller_first_and_without_a_default(api: Any) -> None:
    for name, call in calls_of(api).items():
        if name in WITHOUT_CALLER[api]:
            continue
        first = list(call.parameters.values())[1]
        assert first.annotation is Caller, name
        assert first.default is inspect.Parameter.empty, name


def test_no_call_of_operators_asks_who_is_calling() -> None:
    """The right is in the object: there is no argument to leave out."""
    for name, call in calls_of(OperatorApi).items():
        assert not {"caller", "by", "operator"} & set(call.parameters) - {"self"} or (
            name == "acting_as"
        ), name
