import asyncio
from collections.abc import Awaitable, Callable

import pytest

from core.app.bootstrap import open_core
from core.app.core import Core
from core.domain.jobs import Job, JobState, ReplyTo, Ticket
from core.domain.modes import Mode
from core.domain.options import Options
from core.domain.people import Requester
from core.errors import NothingToFetch, OutOfMemory
from core.media.output.provenance import read_provenance
from core.settings import Settings
from core.testing.doubles import QuickExecutor, RecordingDelivery, running, t2v
from core.testing.jobs import submit_request
from tests.support.jobs import caller, until_ended

Submit = Callable[..., Awaitable[Ticket]]
Ended = Callable[[str], Awaitable[Job]]
Check = Callable[[], Awaitable[None]]


async def test_a_request_becomes_a_delivered_clip(
    core: Core, delivery: RecordingDelivery, submit: Submit, ann: Requester, sound_ledger: Check
) -> None:
    core.router.register(delivery)

    async with running(core):
        ticket = await submit()
        await delivery.until(1)

    job = await core.users.job(caller(ann), ticket.job_id)
    clip = await core.users.clips.get(caller(ann), ticket.job_id)
    provenance = read_provenance(clip.path)
    assert job.state is JobState.SUCCEEDED
    assert job.charged_ms == 100
    assert [message.kind for message in delivery.of(job.id)] == ["completed"]
    assert provenance is not None
    assert provenance.job_id == job.id
    assert provenance.prompt == ""
    assert clip.poster.exists()
    assert list(core.settings.work_folder.iterdir()) == []
    assert (await core.quotas.quota(ann)).used_ms == 100
    await sound_ledger()


async def test_what_was_typed_is_composed_under_the_settings_limits(core: Core) -> None:
    options = Options(prompt="a kite", width=300, height=300)
    composition = await core.users.compose(caller(Requester("test", "ann")), Mode.T2V, options, {})

    assert str(composition.request.sampling.size) == "320×320"
    assert composition.adjustments[0].code == "size_snapped"


async def test_the_same_key_gives_the_same_job_and_one_delivery(
    core: Core, delivery: RecordingDelivery, submit: Submit
) -> None:
    core.router.register(delivery)

    async with running(core):
        tickets = await asyncio.gather(*(submit("same") for _ in range(10)))
        await delivery.until(1)
        again = await submit("same")

    assert len({ticket.job_id for ticket in (*tickets, again)}) == 1
    assert sorted(ticket.duplicate for ticket in tickets) == [False] + [True] * 9
    assert again.forecast is None
    assert len(delivery.shown) == 1


async def test_an_unknown_exception_fails_the_job_refunds_it_and_the_service_goes_on(
    core: Core,
    executor: QuickExecutor,
    delivery: RecordingDelivery,
    submit: Submit,
    ann: Requester,
    sound_ledger: Check,
) -> None:
    core.router.register(delivery)
    executor.faults.append(ZeroDivisionError("a defect"))

    async with running(core):
        broken = await submit("broken")
        fine = await submit("fine")
        await delivery.until(2)

    assert [message.kind for message in delivery.of(broken.job_id)] == ["internal_error"]
    assert [message.kind for message in delivery.of(fine.job_id)] == ["completed"]
    assert (await core.quotas.quota(ann)).used_ms == 100
    with pytest.raises(NothingToFetch):
        await core.users.clips.get(caller(ann), broken.job_id)
    await sound_ledger()


async def test_a_failure_keeps_its_reason_and_is_refunded(
    core: Core, executor: QuickExecutor, submit: Submit, ended: Ended, ann: Requester
) -> None:
    executor.faults.append(OutOfMemory(1280, 704, 121))

    async with running(core):
        job = await ended((await submit()).job_id)

    assert job.failure is not None
    assert (job.failure.code, job.failure.data["width"]) == ("out_of_memory", 1280)
    assert (await core.quotas.quota(ann)).used_ms == 0


async def test_a_job_that_takes_too_long_is_stopped_and_refunded(
    settings_with: Callable[..., Settings], executor: QuickExecutor, ann: Requester
) -> None:
    executor.gate.clear()

    async with open_core(settings_with(job_timeout_s=0.1), executor) as core, running(core):
        ticket = await submit_request(core, t2v(), ann, ReplyTo("test"), "slow")
        job = await until_ended(core, ticket.job_id)

        assert job.failure is not None
        assert job.failure.code == "timed_out"
        assert (await core.quotas.quota(ann)).left_ms == (await core.quotas.quota(ann)).limit_ms
