"""The counter that every front stands at."""

from collections.abc import AsyncGenerator

import pytest

from core.app.core import Core
from core.domain.jobs import JobState, find_job
from core.domain.options import Options
from core.domain.people import Caller, Requester
from core.errors import JobUnknown, NotYours, PolicyForbids
from core.testing.doubles import QuickExecutor, RecordingDelivery, running
from tests.support.jobs import ask as ask_as

OPTIONS = Options(prompt="a red kite", preset="fast", width=256, height=256, seconds=1)
HERE = "discord:100"


@pytest.fixture
def ann() -> Caller:
    return Caller(Requester("discord", "1"), HERE)


@pytest.fixture
def telegram_ann() -> Caller:
    return Caller(Requester("telegram", "11"), "telegram:5")


@pytest.fixture
def operator(core: Core) -> Caller:
    return Caller(Requester("discord", "9"), HERE)


@pytest.fixture
async def working(core: Core, delivery: RecordingDelivery) -> AsyncGenerator[Core]:
    core.router.register(delivery)
    async with running(core):
        yield core


async def ask(core: Core, person: Caller, key: str = "one") -> str:
    ticket = await ask_as(core, person, key, OPTIONS)
    return ticket.job_id


async def test_a_refused_request_reserves_nothing(core: Core, ann: Caller) -> None:
    await core.community.moderation.set_rule(ann.requester, HERE, "modes", "i2v")

    with pytest.raises(PolicyForbids):
        await ask(core, ann)

    assert (await core.users.quota(ann)).reserved_ms == 0


async def test_linked_people_share_quota_and_history_and_may_cancel(
    core: Core, ann: Caller, telegram_ann: Caller
) -> None:
    before = await ask(core, telegram_ann, "before")
    code = await core.community.accounts.link_code(ann.requester)
    await core.community.accounts.link(telegram_ann.requester, code)
    after = await ask(core, telegram_ann, "after")

    jobs = await core.users.jobs(ann, 10)

    assert {job.id for job in jobs} == {before, after}
    assert (await core.users.quota(ann)).reserved_ms > 0
    assert (await core.users.cancel(ann, before)).state is JobState.CANCELLED


async def test_strangers_see_and_cancel_nothing(
    core: Core, ann: Caller, telegram_ann: Caller
) -> None:
    job_id = await ask(core, ann)

    with pytest.raises(NotYours):
        await core.users.job(telegram_ann, job_id)
    with pytest.raises(NotYours):
        await core.users.cancel(telegram_ann, job_id)
    assert await core.users.jobs(telegram_ann, 10) == []


async def test_forgetting_a_person_removes_jobs_of_all_their_accounts(
    working: Core, executor: QuickExecutor, ann: Caller, telegram_ann: Caller
) -> None:
    executor.gate.clear()
    await ask(working, ann, "one")
    await ask(working, telegram_ann, "two")
    code = await working.community.accounts.link_code(ann.requester)
    await working.community.accounts.link(telegram_ann.requester, code)

    assert await working.users.forget(ann) == 2

    assert await working.users.jobs(ann, 10) == []
    assert (
        await working.community.accounts.account(telegram_ann.requester) == telegram_ann.requester
    )


async def test_jobs_are_found_by_the_beginning_of_their_id(core: Core, ann: Caller) -> None:
    job_id = await ask(core, ann)
    jobs = await core.users.jobs(ann, 10)

    assert find_job(jobs, f" {job_id[:8].upper()} ").id == job_id
    for typed in ("", "zz", " "):
        with pytest.raises(JobUnknown):
            find_job(jobs, typed)


async def test_operators_find_live_jobs_of_anybody_by_the_beginning_of_their_id(
    core: Core, ann: Caller
) -> None:
    job_id = await ask(core, ann)
    operator = core.users.operator(Caller(Requester("discord", "8"), HERE, has_operator_role=True))

    assert (await operator.find(job_id[:8])).id == job_id
    await operator.cancel(job_id)
    with pytest.raises(JobUnknown):  # nothing is left to stop
        await operator.find(job_id[:8])
