"""Write an executor's frames as the clip that people get, with its poster and provenance."""

from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime
from fractions import Fraction
from functools import partial
from pathlib import Path
from uuid import uuid4

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from core.domain.dimensions import Size
from core.domain.media import Clip, RawClip, Sound
from core.media.output.credentials import ContentCredentials
from core.media.output.encode import SOUND_RATE, EncoderSettings, stereo, write_mp4
from core.media.output.film import FilmBefore, write_film
from core.media.output.provenance import Provenance
from core.media.output.seal import seal
from core.runtime.atomic_files import sha256_of, whole_file
from core.runtime.cancellation import CancelToken
from core.runtime.clock import Clock, now_ms
from core.runtime.threads import in_thread

# crf 18 is visually lossless for H.264; veryfast costs about 12 ms a frame at 1280×704 on a core
_QUALITY = {"preset": "veryfast", "crf": "18", "profile": "high"}
_POSTER_CANDIDATES = 9


async def write_clip(
    raw: RawClip,
    folder: Path,
    provenance: Provenance,
    cancel: CancelToken | None = None,
    *,
    name: str | None = None,
    clock: Clock = now_ms,
    before: FilmBefore | None = None,
    credentials: ContentCredentials | None = None,
) -> Clip:
    """Encode ``raw`` into ``folder``: H.264 + AAC 48 kHz stereo, ``moov`` first, and a poster.

    The clip has exactly the frames of ``raw``; its sound is as long as they are, cut or padded
    with silence, and begins with them; without any it has a silent track, as chats take films
    without a track for animations. Both files appear whole and durable, or not at all. The
    event loop is free meanwhile.

    Args:
        raw: what the executor made; sides must be even.
        folder: where clips lie.
        provenance: what the clip may say of itself; the executor's notes are added.
        cancel: checked between frames.
        name: of both files, without their ends; by default an unguessable one.
        clock: tells when the clip was made, which is written into it.
        before: the film that ``raw`` goes on from; the clip is both, joined.
        credentials: sign the clip; None leaves it unsigned.

    Returns:
        The clip.

    Raises:
        Cancelled: ``cancel`` was cancelled; nothing is left.
        OSError: errno ENOSPC, the disk is full; nothing is left.
    """
    target = folder / f"{name or uuid4().hex}.mp4"
    noted = provenance.noting(raw.notes)
    write = partial(_write_clip, raw, target, noted, clock(), before, credentials)
    return await in_thread(write, cancel)


def _write_clip(
    raw: RawClip,
    target: Path,
    provenance: Provenance,
    made_ms: int,
    before: FilmBefore | None,
    credentials: ContentCredentials | None,
    check: Callable[[], None],
) -> Clip:
    count, height, width = raw.frames.shape[:3]
    fps = Fraction(raw.fps).limit_denominator(1001)
    tags = provenance.tags() | {"creation_time": _iso(made_ms)}
    recipe = EncoderSettings(Size(width, height), fps, _QUALITY, tags=tags)
    with ExitStack() as undo:
        poster = target.with_suffix(".png")
        with whole_file(poster) as part:
            _write_poster(part, raw.frames, provenance)
            seal(part)
        undo.callback(poster.unlink, missing_ok=True)
        with whole_file(target) as part:
            _write_video(part, raw, recipe, before, check)
            if credentials is not None:
                credentials.sign(part, provenance)
            seal(part)
        undo.callback(target.unlink, missing_ok=True)
        clip = Clip(
            path=target,
            poster=poster,
            sha256=sha256_of(target),
            size_bytes=target.stat().st_size,
            width=width,
            height=height,
            frames=count if before is None else before.frames + count - raw.repeated,
            fps=float(fps),
            has_sound=raw.sound is not None or before is not None,
            prompt_used=raw.prompt_used,
        )
        check()
        undo.pop_all()
    return clip


def _write_video(
    part: Path,
    raw: RawClip,
    recipe: EncoderSettings,
    before: FilmBefore | None,
    check: Callable[[], None],
) -> None:
    if before is not None:
        write_film(part, before, raw, recipe, check)
        return
    sound = raw.sound or Sound(np.zeros((2, 0), np.float32), SOUND_RATE)
    samples = stereo(sound, round(len(raw.frames) / recipe.fps * SOUND_RATE))
    write_mp4(part, recipe, raw.frames, samples, check)


def _iso(epoch_ms: int) -> str:
    return datetime.fromtimestamp(epoch_ms / 1000, UTC).isoformat(timespec="seconds")


def _write_poster(path: Path, frames: NDArray[np.uint8], provenance: Provenance) -> None:
    info = PngInfo()
    info.add_itxt("Description", provenance.tags()["description"])
    Image.fromarray(representative(frames)).save(path, "PNG", pnginfo=info, compress_level=3)


def representative(frames: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Choose the frame of ``[T, H, W, 3]`` that shows most: the richest in detail of a few.

    The first and last tenth are left out where that is possible: they are often fades.
    """
    count = len(frames)
    margin = count // 10
    candidates = np.linspace(margin, count - 1 - margin, min(_POSTER_CANDIDATES, count))
    return max((frames[round(at)] for at in candidates), key=_detail)


def _detail(frame: NDArray[np.uint8]) -> float:
    small = frame[::4, ::4].mean(axis=2)
    return float(np.abs(np.diff(small, axis=0)).mean() + np.abs(np.diff(small, axis=1)).mean())
