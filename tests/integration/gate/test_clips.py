"""What a rented machine brings is looked at before anybody is shown it."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.domain.jobs import Job, JobState
from core.domain.media import Clip, RawClip
from core.gate.client import GateClient
from core.media.output.clip_writer import write_clip
from core.media.output.provenance import Provenance
from core.runtime.cancellation import CancelToken
from core.testing.doubles import RecordingDelivery
from tests.integration.gate.conftest import Front


async def made(job: Job, folder: Path, frames: int = 9) -> Clip:
    """A real clip of an attempt."""
    await asyncio.to_thread(folder.mkdir)
    pictures = np.zeros((frames, 64, 96, 3), np.uint8)
    raw = RawClip(pictures, 24, None, 0, {})
    name = f"{job.id}.{job.token[:8]}"
    provenance = Provenance.of(job.id, job.request, with_prompt=False)
    return await write_clip(raw, folder, provenance, CancelToken(), name=name)


async def brought(client: GateClient, job: Job, clip: Clip) -> None:
    for kind, path in (("mp4", clip.path), ("png", clip.poster)):
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        await client.upload(job.id, kind, path, digest)


def same(path: Path, content: bytes) -> tuple[str, int]:
    path.write_bytes(content)
    return hashlib.sha256(content).hexdigest(), len(content)


def a_page(clip: Clip) -> Clip:
    digest, size = same(clip.path, b"<!doctype html><script>alert(1)</script>")
    return replace(clip, sha256=digest, size_bytes=size)


def half_of_it(clip: Clip) -> Clip:
    content = clip.path.read_bytes()
    digest, size = same(clip.path, content[: len(content) // 2])
    return replace(clip, sha256=digest, size_bytes=size)


def a_picture(clip: Clip) -> Clip:
    digest, size = same(clip.path, clip.poster.read_bytes())
    return replace(clip, sha256=digest, size_bytes=size)


def another_poster(clip: Clip) -> Clip:
    clip.poster.write_bytes(b"GIF89a nothing of the kind")
    return clip


FORGED: dict[str, Callable[[Clip], Clip]] = {
    "a page": a_page,
    "half of it": half_of_it,
    "a picture": a_picture,
    "another poster": another_poster,
    "another size": lambda clip: replace(clip, size_bytes=clip.size_bytes + 1),
    "another digest": lambda clip: replace(clip, sha256="0" * 64),
    "other sides": lambda clip: replace(clip, width=1920, height=1080),
    "more frames": lambda clip: replace(clip, frames=clip.frames + 5),
    "another rate": lambda clip: replace(clip, fps=12.0),
}


@pytest.mark.parametrize("forge", FORGED.values(), ids=FORGED.keys())
async def test_a_forged_clip_is_delivered_to_nobody_and_made_again(
    front: Front, delivery: RecordingDelivery, tmp_path: Path, forge: Callable[[Clip], Clip]
) -> None:
    async with front.machine("one") as client:
        job_id = await front.submit()
        job = await client.claim()
        clip = forge(await made(job, tmp_path / "made"))
        await brought(client, job, clip)

        assert not await client.settle(job.id, job.token, clip, 100)

    again = await front.job(job_id)
    assert (again.state, again.losses, again.clip) == (JobState.QUEUED, 1, None)
    assert list(front.core.settings.clips_folder.iterdir()) == []
    assert delivery.shown == {}


async def test_a_clip_without_its_files_is_none(front: Front, tmp_path: Path) -> None:
    async with front.machine("one") as client:
        await front.submit()
        job = await client.claim()
        clip = await made(job, tmp_path / "made")

        assert not await client.settle(job.id, job.token, clip, 100)


async def test_an_honest_clip_is_settled_once_however_often_it_is_said(
    front: Front, delivery: RecordingDelivery, tmp_path: Path
) -> None:
    async with front.machine("one") as client:
        job_id = await front.submit()
        job = await client.claim()
        clip = await made(job, tmp_path / "made")
        await brought(client, job, clip)

        assert await client.settle(job.id, job.token, clip, 10**6)
        assert await client.settle(job.id, job.token, clip, 10**6)
        await delivery.until(1)

    ended = await front.job(job_id)
    assert ended.clip.sha256 == clip.sha256
    assert ended.charged_ms <= ended.estimate_ms * 1.25
    assert len(delivery.of(job_id)) == 1


async def test_a_clip_cannot_be_swapped_once_it_was_looked_at(
    front: Front, delivery: RecordingDelivery, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    swaps: list[Awaitable[None]] = []
    async with front.machine("one") as client:
        job_id = await front.submit()
        job = await client.claim()
        clip = await made(job, tmp_path / "made")
        await brought(client, job, clip)
        honest = clip.path.read_bytes()
        other = await made(job, tmp_path / "other", frames=17)
        put = front.core.artefacts.put

        async def put_and_swap(name: str, path: Path) -> None:
            if not swaps:
                digest = hashlib.sha256(other.path.read_bytes()).hexdigest()
                upload = asyncio.create_task(client.upload(job.id, "mp4", other.path, digest))
                swaps.append(upload)
                await asyncio.wait({upload}, timeout=0.5)
            await put(name, path)

        monkeypatch.setattr(front.core.artefacts, "put", put_and_swap)
        assert await client.settle(job.id, job.token, clip, 100)
        with pytest.raises(Exception, match="404"):
            await swaps[0]
        await delivery.until(1)

    assert (await front.job(job_id)).clip.path.read_bytes() == honest
