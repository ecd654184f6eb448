"""The whole core with its clips and inputs in a bucket: made, read, lost, swept, forgotten."""

import asyncio
import time
from collections.abc import AsyncGenerator
from pathlib import Path
from uuid import uuid4

import obstore
import pytest

from core.app.bootstrap import open_core
from core.app.core import Core
from core.artefacts.opening import open_store
from core.demo.samples import write_png
from core.domain.jobs import Job, JobState, ReplyTo, RequeueReason
from core.domain.media import MediaKind
from core.domain.modes import Mode
from core.domain.people import Requester
from core.domain.requests import Request
from core.errors import NotYours
from core.errors.artefacts import ArtefactsUnavailable, BucketForeign
from core.settings import Settings
from core.testing.doubles import QuickExecutor, RecordingDelivery, eventually, running, t2v, tiny
from core.testing.jobs import submit_request
from tests.support.jobs import caller, until_ended
from tests.support.s3_server import S3Server
from tests.support.settings import changed

ANN, BEN = Requester("test", "ann"), Requester("test", "ben")
HOUR_S = 3600


@pytest.fixture
def prefix() -> str:
    return f"service-{uuid4().hex[:8]}"


@pytest.fixture
def on_bucket(settings: Settings, s3: S3Server, prefix: str) -> Settings:
    return changed(settings, **s3.settings(prefix))


@pytest.fixture
async def core(on_bucket: Settings, executor: QuickExecutor) -> AsyncGenerator[Core]:
    async with open_core(on_bucket, executor) as opened:
        yield opened


@pytest.fixture
async def picture(core: Core, tmp_path: Path) -> Request:
    file = await core.admission.admit(write_png(tmp_path / "a.png"), "image", MediaKind.IMAGE, ANN)
    return Request(mode=Mode.I2V, prompt="it moves", sampling=tiny(), files=(file,))


async def made(core: Core, request: Request, who: Requester = ANN, key: str = "one") -> Job:
    """A finished job."""
    async with running(core), asyncio.timeout(120):
        ticket = await submit_request(core, request, who, ReplyTo("test"), key)
        return await until_ended(core, ticket.job_id)


def forget_locally(core: Core) -> None:
    """Remove what this node has of the bucket, as for want of room."""
    for folder in (core.settings.clips_folder, core.settings.media_folder):
        for path in folder.iterdir():
            path.unlink()


async def test_a_clip_is_in_the_bucket_before_its_row_names_it(
    core: Core, s3: S3Server, prefix: str, picture: Request
) -> None:
    job = await made(core, picture)

    assert job.state is JobState.SUCCEEDED
    assert job.clip is not None
    stem = job.clip.path.stem
    assert stem.startswith(f"{job.id}.")
    assert s3.names(prefix) == {
        ".clapper",
        f"clips/{stem}.mp4",
        f"clips/{stem}.png",
        f"media/{picture.files[0].name}",
    }


async def test_a_node_without_the_files_delivers_continues_and_repeats(
    core: Core, delivery: RecordingDelivery, picture: Request
) -> None:
    job = await made(core, picture)
    forget_locally(core)
    core.router.register(delivery)

    async with running(core), asyncio.timeout(120):
        await delivery.until(1)
        clip = await core.users.clips.get(caller(ANN), job.id)
        again = await core.users.follow_up(caller(ANN), job.id, "again")
        ticket = await core.users.submit(caller(ANN), again, ReplyTo("test"), "again")
        longer = await core.users.follow_up(caller(ANN), job.id, "longer")
        repeated = await until_ended(core, ticket.job_id)

    assert [message.kind for message in delivery.of(job.id)] == ["completed"]
    assert clip.path.stat().st_size == clip.size_bytes
    assert repeated.state is JobState.SUCCEEDED
    assert longer.request.mode is not Mode.T2V or longer.request.files


async def test_a_worker_fetches_inputs_that_it_lacks(core: Core, picture: Request) -> None:
    await submit_request(core, picture, ANN, ReplyTo("test"), "one")
    forget_locally(core)

    async with running(core), asyncio.timeout(120):
        jobs = await core.jobs.jobs_of(ANN, 1)
        job = await until_ended(core, jobs[0].id)

    assert job.state is JobState.SUCCEEDED
    assert (core.settings.media_folder / picture.files[0].name).exists()


async def test_somebody_elses_clip_is_refused_before_anything_is_fetched(core: Core) -> None:
    job = await made(core, t2v())
    forget_locally(core)

    with pytest.raises(NotYours):
        await core.users.clips.get(caller(BEN), job.id)
    with pytest.raises(NotYours):
        await core.users.clips.link(caller(BEN), job.id)

    assert list(core.settings.clips_folder.iterdir()) == []


async def test_an_attempt_that_lost_its_token_leaves_no_object(
    core: Core, s3: S3Server, prefix: str
) -> None:
    settle = core.queue.settle

    async def lost(job_id: str, token: str, *rest: object) -> bool:
        first = not names_before
        names_before.extend(s3.names(prefix))
        if first:  # a sweep took the job back while the clip was uploaded
            await core.queue.requeue(job_id, token, RequeueReason.STOPPED)
        return await settle(job_id, token, *rest)

    names_before: list[str] = []
    core.queue.settle = lost
    job = await made(core, t2v())

    assert job.clip is not None
    kept = {f"clips/{job.clip.path.stem}{ending}" for ending in (".mp4", ".png")}
    first = {name for name in names_before if name.startswith("clips/")} - kept
    assert len(first) == 2
    assert s3.names(prefix) == {".clapper", *kept}


async def test_a_cancel_during_the_upload_leaves_no_object(
    core: Core, s3: S3Server, prefix: str
) -> None:
    put = core.artefacts.put

    async def put_and_cancel(name: str, path: Path) -> None:
        await put(name, path)
        [job] = await core.jobs.jobs_of(ANN, 1)
        await core.cancellation.cancel(job.id, ANN)
        await asyncio.Event().wait()  # the second file never comes to an end

    core.artefacts.put = put_and_cancel
    job = await made(core, t2v())

    assert job.state is JobState.CANCELLED
    assert s3.names(prefix) == {".clapper"}
    assert list(core.settings.clips_folder.iterdir()) == []


async def test_a_bucket_that_is_gone_fails_the_job_and_refunds_it(core: Core) -> None:
    async def unavailable(name: str, path: Path) -> None:
        raise ArtefactsUnavailable("bucket_unreachable")

    core.artefacts.put = unavailable
    job = await made(core, t2v())

    assert job.state is JobState.FAILED
    assert job.failure is not None
    assert job.failure.code == "artefacts_unavailable"
    assert list(core.settings.clips_folder.iterdir()) == []


async def test_forgetting_somebody_deletes_their_objects_and_no_others(
    core: Core, s3: S3Server, prefix: str, picture: Request
) -> None:
    await made(core, picture)
    kept = await made(core, t2v(), BEN, "bens")
    assert kept.clip is not None

    await core.users.forget(caller(ANN))

    stem = kept.clip.path.stem
    assert s3.names(prefix) == {".clapper", f"clips/{stem}.mp4", f"clips/{stem}.png"}


async def test_an_input_of_two_people_stays_until_both_let_go(
    core: Core, s3: S3Server, prefix: str, picture: Request
) -> None:
    await made(core, picture)
    await made(core, picture, BEN, "bens")
    name = f"media/{picture.files[0].name}"

    await core.users.forget(caller(ANN))
    assert name in s3.names(prefix)
    await core.users.forget(caller(BEN))
    assert s3.names(prefix) == {".clapper"}


async def test_the_sweep_removes_old_objects_that_no_row_names_and_nothing_else(
    core: Core, on_bucket: Settings, s3: S3Server, prefix: str, picture: Request
) -> None:
    job = await made(core, picture)
    before = s3.names(prefix)
    store = open_store(on_bucket.artefacts)
    orphans = [f"clips/{'0' * 32}.89abcdef.mp4", f"media/{'0' * 64}.png"]
    for name in (*orphans, "notes.txt"):
        await obstore.put_async(store, name, b"x")

    sweep = core.housekeeping._pruning._objects
    young = await sweep.sweep(time.time())
    gone = await sweep.sweep(time.time() + 2 * HOUR_S)

    assert (young, gone) == (0, 2)
    assert s3.names(prefix) == {*before, "notes.txt"}
    assert job.clip is not None


async def test_what_a_running_attempt_uploaded_is_not_swept(
    core: Core, on_bucket: Settings, s3: S3Server, prefix: str
) -> None:
    await submit_request(core, t2v(), ANN, ReplyTo("test"), "one")
    job = await core.queue.claim()
    assert job is not None
    name = f"clips/{job.id}.{(job.token or '')[:8]}.mp4"
    await obstore.put_async(open_store(on_bucket.artefacts), name, b"x")

    await core.housekeeping._pruning._objects.sweep(time.time() + 2 * HOUR_S)

    assert name in s3.names(prefix)


async def test_clips_from_before_the_bucket_are_brought_into_it(
    settings: Settings, on_bucket: Settings, s3: S3Server, prefix: str
) -> None:
    async with open_core(settings, QuickExecutor()) as before:
        job = await made(before, t2v())
    assert job.clip is not None
    assert not job.clip.path.stem.startswith(job.id)

    async with open_core(on_bucket, QuickExecutor()) as core:
        await core.housekeeping._pruning._objects.sweep(time.time())
        forget_locally(core)
        clip = await core.users.clips.get(caller(ANN), job.id)

    assert clip.path.stat().st_size == job.clip.size_bytes
    assert len(s3.names(prefix)) == 3


@pytest.mark.sqlite  # another data directory has another file, but the same server
async def test_another_database_does_not_get_the_bucket(
    core: Core, on_bucket: Settings, s3: S3Server, prefix: str, tmp_path: Path
) -> None:
    await made(core, t2v())
    before = s3.names(prefix)

    with pytest.raises(BucketForeign):
        async with open_core(changed(on_bucket, data_dir=tmp_path / "other"), QuickExecutor()):
            pass

    assert s3.names(prefix) == before


async def test_a_file_that_is_being_deleted_is_waited_for_and_sent_again(
    core: Core, s3: S3Server, prefix: str, picture: Request, tmp_path: Path
) -> None:
    name = f"media/{picture.files[0].name}"
    deleting, go_on = asyncio.Event(), asyncio.Event()
    delete = core.artefacts.delete

    async def slow(which: str) -> None:
        deleting.set()
        await go_on.wait()
        await delete(which)

    core.artefacts.delete = slow
    letting_go = asyncio.create_task(core.files.release(picture.files, ANN))
    await deleting.wait()
    source = write_png(tmp_path / "b.png")
    admitting = asyncio.create_task(core.admission.admit(source, "image", MediaKind.IMAGE, BEN))
    await eventually(lambda: _is(core.settings.media_folder / picture.files[0].name))
    go_on.set()
    await letting_go
    again = await admitting

    assert again == picture.files[0]
    assert name in s3.names(prefix)


async def _is(path: Path) -> bool:
    return await asyncio.to_thread(path.exists)
