"""A clip that goes on becomes one film, over and over, as long as operators allow."""

import asyncio
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.animatic import DraftExecutor
from core.app.bootstrap import open_core
from core.app.core import Core
from core.demo.samples import write_png, write_wav
from core.domain.dimensions import Size
from core.domain.jobs import Job, ReplyTo
from core.domain.media import MediaKind
from core.domain.modes import Mode
from core.domain.people import Caller, Requester
from core.domain.presets import Preset
from core.domain.requests import Sampling, make_request
from core.errors import FilmComplete, NothingToFetch
from core.media.decode import load_sound, video_frames
from core.settings import Settings
from core.testing.doubles import RecordingDelivery, running, t2v
from core.testing.jobs import submit_request
from tests.support.jobs import until_ended

ANN = Requester("test", "ann")
CALLER = Caller(ANN, "test:here")
SIZE = Size(192, 128)


async def longer(core: Core, job: Job, key: str) -> Job:
    composition = await core.users.follow_up(CALLER, job.id, "longer")
    ticket = await core.users.submit(CALLER, composition, ReplyTo("test"), key)
    return await until_ended(core, ticket.job_id)


def small(settings: Settings, **changes: float) -> Settings:
    limits = settings.requests.model_copy(update={"min_side": 64, **changes})
    return settings.model_copy(update={"requests": limits})


def sampling(frames: int = 33) -> Sampling:
    return Sampling(Preset.FAST, 192, 128, frames, 24, seed=5)


def frames_of(job: Job) -> "list[np.ndarray[tuple[int, ...], np.dtype[np.uint8]]]":
    assert job.clip is not None
    return list(video_frames(job.clip.path, job.clip.fps, job.clip.frames, SIZE))


async def test_longer_of_a_longer_is_one_film_without_a_repeated_frame(
    settings: Settings, delivery: RecordingDelivery
) -> None:
    async with open_core(small(settings), DraftExecutor()) as core:
        core.router.register(delivery)
        async with running(core), asyncio.timeout(120):
            request = replace(t2v(), sampling=sampling())
            ticket = await submit_request(core, request, ANN, ReplyTo("test"), "one")
            first = await until_ended(core, ticket.job_id)
            second = await longer(core, first, "two")
            await core.users.delete(CALLER, first.id)
            third = await longer(core, second, "three")

        assert [third.clip.frames, second.clip.frames] == [33 + 32 + 32, 33 + 32]  # type: ignore[union-attr]
        whole, before = frames_of(third), frames_of(second)
        assert all(np.array_equal(one, other) for one, other in zip(before, whole, strict=False))
        at_joint = [np.abs(whole[i].astype(int) - whole[i + 1]).mean() for i in (32, 64)]
        assert min(at_joint) > 0.01
        assert max(at_joint) < 20, "it goes on from the picture that was there"
        assert second.request.mode is Mode.EXTEND
        assert second.estimate_ms < 2 * first.estimate_ms + 1000, "the new part is paid"


async def test_the_voice_of_a_portrait_goes_on_where_its_sound_goes_on(
    settings: Settings, delivery: RecordingDelivery, tmp_path: Path
) -> None:
    async with open_core(small(settings), DraftExecutor()) as core:
        core.router.register(delivery)
        async with running(core), asyncio.timeout(120):
            media = {
                "image": await core.admission.admit(
                    write_png(tmp_path / "a.png"), "image", MediaKind.IMAGE, ANN
                ),
                "audio": await core.admission.admit(
                    write_wav(tmp_path / "a.wav", 3.5), "audio", MediaKind.AUDIO, ANN
                ),
            }
            request = make_request(Mode.LIPSYNC, "she speaks", sampling(), media)
            ticket = await submit_request(core, request, ANN, ReplyTo("test"), "one")
            first = await until_ended(core, ticket.job_id)
            second = await longer(core, first, "two")
            third = await longer(core, second, "three")
            over = await core.users.follow_up(CALLER, third.id, "longer")

        assert second.request.sampling.sound_from == pytest.approx(33 / 24)
        heard = load_sound(third.clip.path, 48_000, 2).samples[0]  # type: ignore[union-attr]
        sent = load_sound(tmp_path / "a.wav", 48_000, 2).samples[0]
        same = slice(9600, round(3.4 * 48_000))  # the tone goes on through both joints
        assert np.abs(heard[same] - sent[same]).max() < 0.05
        assert [note.code for note in over.adjustments] == ["sound_over"]
        assert "audio" not in over.request.media()


async def test_a_complete_film_and_a_clip_that_is_gone_are_refused_before_anything_is_spent(
    settings: Settings, delivery: RecordingDelivery
) -> None:
    limits = {"max_film_seconds": 2.5, "max_seconds": 2.0, "default_seconds": 2.0}
    async with open_core(small(settings, **limits), DraftExecutor()) as core:
        core.router.register(delivery)
        async with running(core), asyncio.timeout(120):
            request = replace(t2v(), sampling=sampling(33))
            ticket = await submit_request(core, request, ANN, ReplyTo("test"), "one")
            first = await until_ended(core, ticket.job_id)
            second = await longer(core, first, "two")
            left = (await core.users.quota(CALLER)).left_ms
            with pytest.raises(FilmComplete):
                await core.users.follow_up(CALLER, second.id, "longer")
            first.clip.path.unlink()  # type: ignore[union-attr]
            with pytest.raises(NothingToFetch):
                await core.users.follow_up(CALLER, first.id, "longer")

        assert second.clip.seconds == pytest.approx(57 / 24)  # type: ignore[union-attr]
        assert (await core.users.quota(CALLER)).left_ms == left
