"""A worker that has a role of the database and no key of the bucket does all that a worker does."""

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from uuid import uuid4

import pytest

from core.app.bootstrap import open_core
from core.app.core import Core
from core.artefacts.linked import LinkedArtefacts
from core.demo.samples import write_png
from core.domain.jobs import JobState, ReplyTo
from core.domain.media import MediaKind
from core.domain.modes import Mode
from core.domain.nodes import NodeRole
from core.domain.people import Requester
from core.domain.requests import Request
from core.errors.artefacts import ArtefactGone, ArtefactsUnavailable
from core.testing.doubles import QuickExecutor, RecordingDelivery, running, t2v, tiny
from core.testing.jobs import submit_request
from tests.conftest import settings_in
from tests.integration.nodes.conftest import Town
from tests.support.jobs import until_ended
from tests.support.s3_server import S3Server
from tests.support.settings import changed

pytestmark = pytest.mark.timeout(120)
ANN = Requester("test", "ann")


@pytest.fixture
def node(town: Town, s3: S3Server):
    prefix = f"keyless-{uuid4().hex[:8]}"

    @asynccontextmanager
    async def opened(name: str, role: NodeRole, executor: QuickExecutor) -> AsyncGenerator[Core]:
        settings = changed(
            settings_in(town.folder / name, database_url=town.url), **s3.settings(prefix)
        )
        if role is NodeRole.WORKER:
            settings = changed(settings, s3_access_key_id=None, s3_secret_access_key=None)
        async with open_core(settings, executor, role=role) as core:
            yield core

    return opened


async def test_a_clip_of_a_picture_is_made_and_delivered(
    node, town: Town, delivery: RecordingDelivery, executor: QuickExecutor
) -> None:
    async with AsyncExitStack() as stack:
        worker = await stack.enter_async_context(node("worker", NodeRole.WORKER, executor))
        front = await stack.enter_async_context(node("front", NodeRole.FRONT, QuickExecutor()))
        front.router.register(delivery)
        picture = await front.admission.admit(
            write_png(town.folder / "a.png"), "image", MediaKind.IMAGE, ANN
        )
        request = Request(mode=Mode.I2V, prompt="it moves", sampling=tiny(), files=(picture,))
        async with running(front), running(worker):
            ticket = await submit_request(front, request, ANN, ReplyTo("test"), "one")
            job = await until_ended(front, ticket.job_id)
            await delivery.until(1)

    assert isinstance(worker.artefacts, LinkedArtefacts)
    assert job.state is JobState.SUCCEEDED, job.failure
    assert job.clip is not None
    assert (front.settings.clips_folder / job.clip.path.name).stat().st_size == job.clip.size_bytes
    assert [message.kind for message in delivery.of(job.id)] == ["completed"]


async def test_nothing_is_signed_but_inputs_of_live_jobs_and_clips_of_attempts(
    node, town: Town
) -> None:
    gated = QuickExecutor()
    gated.gate.clear()
    async with AsyncExitStack() as stack:
        worker = await stack.enter_async_context(node("worker", NodeRole.WORKER, gated))
        front = await stack.enter_async_context(node("front", NodeRole.FRONT, QuickExecutor()))
        file = write_png(town.folder / "b.png")
        other = await front.admission.admit(file, "image", MediaKind.IMAGE, ANN)
        put, local = worker.artefacts.put, worker.artefacts.local
        async with running(front), running(worker):
            ticket = await submit_request(front, t2v(), ANN, ReplyTo("test"), "one")
            await gated.started.wait()
            for foreign in (
                f"clips/{ticket.job_id}.00000000.mp4",
                f"clips/{uuid4().hex}.00000000.mp4",
                f"media/{other.name}",  # inputs are nobody's to write
            ):
                with pytest.raises(ArtefactsUnavailable):
                    await put(foreign, file)
            with pytest.raises(ArtefactGone):  # admitted, and of no job
                await local(f"media/{other.name}")
            gated.gate.set()
            job = await until_ended(front, ticket.job_id)
            assert job.clip is not None
            done = f"clips/{job.clip.path.name}"
            with pytest.raises(ArtefactsUnavailable):  # over is over
                await put(done, file)
            (worker.settings.clips_folder / job.clip.path.name).unlink()
            with pytest.raises(ArtefactGone):  # clips are nothing that workers read
                await local(done)


async def test_a_clip_waits_for_a_front_that_signs(node) -> None:
    gated = QuickExecutor()
    gated.gate.clear()
    async with node("worker", NodeRole.WORKER, gated) as worker, running(worker):
        async with node("front", NodeRole.FRONT, QuickExecutor()) as front, running(front):
            ticket = await submit_request(front, t2v(), ANN, ReplyTo("test"), "one")
            await gated.started.wait()
        gated.gate.set()
        async with node("front", NodeRole.FRONT, QuickExecutor()) as front, running(front):
            job = await until_ended(front, ticket.job_id)

    assert job.state is JobState.SUCCEEDED
    assert job.attempt == 1
