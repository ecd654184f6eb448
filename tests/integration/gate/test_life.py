"""Jobs of a rented machine, from the front's line to the clip that people get."""

import asyncio
from pathlib import Path

import pytest

from core.demo.samples import write_png
from core.domain.clip_preview import ClipPreview
from core.domain.jobs import JobState
from core.domain.media import MediaKind
from core.domain.modes import Mode
from core.domain.progress import Stage, Working
from core.domain.prompt_preview import PromptPreview
from core.domain.requests import Request
from core.errors import OutOfMemory
from core.testing.doubles import QuickExecutor, RecordingDelivery, eventually, grey_preview, tiny
from tests.integration.gate.conftest import ANN, Front


async def test_a_clip_is_made_of_an_input_and_delivered(
    front: Front, executor: QuickExecutor, delivery: RecordingDelivery, tmp_path: Path
) -> None:
    picture = write_png(tmp_path / "a.png")
    file = await front.core.admission.admit(picture, "image", MediaKind.IMAGE, ANN)
    request = Request(mode=Mode.I2V, prompt="it moves", sampling=tiny(), files=(file,))
    async with front.worker(executor), asyncio.timeout(60):
        job_id = await front.submit(request)
        await delivery.until(1)

    job = await front.job(job_id)
    [message] = delivery.of(job_id)
    assert (message.kind, message.sha256) == ("completed", job.clip.sha256)
    assert job.clip.path.is_file()
    assert job.clip.poster.is_file()
    here = tmp_path / "rented" / "data"
    admitted = front.core.settings.media_folder / file.name
    assert (here / "media" / file.name).read_bytes() == admitted.read_bytes()
    assert not list(here.glob("*.sqlite*"))
    assert executor.orders[0].requester == f"gate:{job_id}"  # not whose it is


async def test_jobs_follow_each_other_and_progress_is_seen(
    front: Front, executor: QuickExecutor, delivery: RecordingDelivery
) -> None:
    seen: list[Working] = []
    front.core.hub.listen(lambda _, event: seen.append(event))
    executor.gate.clear()
    async with front.worker(executor), asyncio.timeout(60):
        first = await front.submit(key="1")
        second = await front.submit(key="2")
        await eventually(lambda: _said(seen, Stage.STAGE1))
        executor.gate.set()
        await delivery.until(2)

    jobs = [await front.job(job_id) for job_id in (first, second)]
    assert [job.state for job in jobs] == [JobState.SUCCEEDED] * 2
    assert [job.attempt for job in jobs] == [1, 1]
    assert front.core.hub.latest(first) is None


async def test_what_a_rented_machine_makes_is_seen_while_it_is_made_and_only_what_could_be_ours(
    front: Front, executor: QuickExecutor, delivery: RecordingDelivery
) -> None:
    executor.gate.clear()
    async with front.worker(executor), asyncio.timeout(60):
        job_id = await front.submit()
        await executor.started.wait()
        await eventually(lambda: asyncio.sleep(0, front.core.hub.latest(job_id) is not None))
        executor.show(ClipPreview(b"<svg onload=alert(1)>", 1))
        executor.show(PromptPreview("A boat leaves.\x1b[2J"))
        executor.show(PromptPreview("A boat leaves."))
        executor.show(grey_preview())
        await eventually(lambda: asyncio.sleep(0, front.core.hub.preview(job_id) is not None))
        assert front.core.hub.preview(job_id) == grey_preview()
        await eventually(lambda: asyncio.sleep(0, front.core.hub.prompt(job_id) is not None))
        assert front.core.hub.prompt(job_id) == PromptPreview("A boat leaves.")
        executor.gate.set()
        await delivery.until(1)

    assert front.core.hub.preview(job_id) is None
    assert front.core.hub.prompt(job_id) is None


async def test_a_machine_shows_no_preview_of_a_job_that_it_was_not_given(front: Front) -> None:
    async with front.machine("other") as client:
        for preview in (grey_preview(), PromptPreview("A boat leaves.")):
            assert not await client.preview("0" * 32, "0" * 64, preview)


async def _said(seen: list[Working], stage: Stage) -> bool:
    return any(isinstance(event, Working) and event.stage is stage for event in seen)


async def test_a_failure_is_told_and_costs_nothing(
    front: Front, executor: QuickExecutor, delivery: RecordingDelivery
) -> None:
    executor.faults.append(OutOfMemory(64, 64, 9))
    async with front.worker(executor), asyncio.timeout(60):
        job_id = await front.submit()
        await delivery.until(1)

    job = await front.job(job_id)
    assert job.failure.code == "out_of_memory"
    assert job.failure.data == {"width": 64, "height": 64, "frames": 9}
    assert job.charged_ms == 0


async def test_a_cancel_reaches_the_machine_with_its_next_sign_of_life(
    front: Front, executor: QuickExecutor, delivery: RecordingDelivery
) -> None:
    executor.gate.clear()
    async with front.worker(executor), asyncio.timeout(60):
        job_id = await front.submit()
        await executor.started.wait()
        await front.core.cancellation.cancel(job_id, ANN)
        executor.started.clear()
        executor.gate.set()
        await front.submit(key="next")
        await delivery.until(2)

    assert (await front.job(job_id)).state is JobState.CANCELLED


async def test_a_machine_that_stops_gives_its_job_back_uncounted(
    front: Front, executor: QuickExecutor
) -> None:
    executor.gate.clear()
    async with front.worker(executor) as stop, asyncio.timeout(60):
        job_id = await front.submit()
        await executor.started.wait()
        stop.set()

    job = await front.job(job_id)
    assert (job.state, job.losses) == (JobState.QUEUED, 0)


async def test_an_idle_machine_stops_at_once(
    front: Front, executor: QuickExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    polls, wait = asyncio.Event(), front.core.ends.dispatcher.wait

    async def noted(timeout_s: float) -> None:
        polls.set()
        await wait(timeout_s)

    monkeypatch.setattr(front.core.ends.dispatcher, "wait", noted)
    async with asyncio.timeout(10), front.worker(executor):
        await polls.wait()
