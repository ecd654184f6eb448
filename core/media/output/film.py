"""Join a film and what continues it into one, without the frame that both have.

The pictures of a film that we encoded are taken over bit by bit. Those of another one, or of one of
another size or rate, are encoded anew; so is the sound, as one track: a codec's blocks reach over
the joint.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import av
import numpy as np
from av.video.stream import VideoStream
from numpy.typing import NDArray

from core.domain.continuation import FADE_S
from core.domain.media import RawClip, Sound
from core.media.decode import load_sound, video_frames
from core.media.output.encode import (
    MUXER,
    SOUND_RATE,
    EncoderSettings,
    add_aac,
    stereo,
    write_mp4,
    write_sound,
)
from core.media.pyav import add_copy, all_packets, encode_frame, mux, system_errors
from core.runtime.atomic_files import part_beside

if TYPE_CHECKING:
    from av.packet import Packet


@dataclass(frozen=True, slots=True)
class FilmBefore:
    """The film that goes on: its file, and how many frames it has at the rate of the whole."""

    path: Path
    frames: int


def joined_sound(film: FilmBefore, raw: RawClip, fps: Fraction) -> NDArray[np.float32]:
    """Return the sound of the whole ``[2, n]``: the film's, faded over into that of ``raw``.

    The fade ends where the film does; it is as long as both have sound there, at most 40 ms.
    """
    before = round(film.frames / fps * SOUND_RATE)
    after = round((film.frames + len(raw.frames) - raw.repeated) / fps * SOUND_RATE)
    old = load_sound(film.path, SOUND_RATE, 2, before / SOUND_RATE).samples
    lead = round((raw.lead_s + float(raw.repeated / fps)) * SOUND_RATE)
    sound = raw.sound or Sound(np.zeros((2, 0), np.float32), SOUND_RATE)
    new = stereo(sound, lead + after - before)
    fade = min(round(FADE_S * SOUND_RATE), lead, before)
    rising = np.linspace(0, 1, fade, endpoint=False, dtype=np.float32)
    whole = np.concatenate([old, new[:, lead:]], axis=1)
    whole[:, before - fade : before] *= 1 - rising
    whole[:, before - fade : before] += new[:, lead - fade : lead] * rising
    return whole


def write_film(
    path: Path,
    film: FilmBefore,
    raw: RawClip,
    recipe: EncoderSettings,
    check: Callable[[], None],
) -> None:
    """Write the film and what continues it as one MP4.

    Args:
        path: a new file.
        film: what goes on.
        raw: what continues it.
        recipe: of the whole; its size and rate are those of ``raw``.
        check: called before every frame; may raise to stop.

    Raises:
        OSError: the disk is full or failed.
    """
    samples = joined_sound(film, raw, recipe.fps)
    pictures = raw.frames[raw.repeated :]
    part = part_beside(path)
    try:
        write_mp4(part, recipe, pictures, None, check)
        if _same_track(film, part, recipe):
            _copy(path, (film.path, part), film.frames, samples, recipe, check)
            return
    finally:
        part.unlink(missing_ok=True)
    old = video_frames(film.path, float(recipe.fps), film.frames, recipe.size)
    write_mp4(path, recipe, chain(old, pictures), samples, check)


def _same_track(film: FilmBefore, part: Path, recipe: EncoderSettings) -> bool:
    """Tell whether one decoder shows both: the same parameters, and frames at the same times."""
    with av.open(str(film.path), "r") as one, av.open(str(part), "r") as other:
        first, second = one.streams.video[0], other.streams.video[0]
        alike = first.codec_context.extradata == second.codec_context.extradata
        codec = first.codec_context.name == second.codec_context.name
        same = first.average_rate == recipe.fps and first.frames == film.frames
        return bool(alike and codec and same and first.time_base == second.time_base)


def _copy(
    path: Path,
    parts: tuple[Path, Path],
    frames: int,
    samples: NDArray[np.float32],
    recipe: EncoderSettings,
    check: Callable[[], None],
) -> None:
    """Write the pictures of ``parts``, of which the first has ``frames``, and ``samples``."""
    with system_errors(), av.open(str(path), "w", "mp4", MUXER) as target:
        target.metadata.update(recipe.tags)
        with av.open(str(parts[0]), "r") as source:
            video = add_copy(target, source.streams.video[0])
        audio, said = add_aac(target, recipe), 0
        packets = chain(_packets(parts[0], video, 0), _packets(parts[1], video, frames))
        for index, packet in enumerate(packets):
            check()
            mux(target, packet)
            heard = int((index + 1) / recipe.fps * SOUND_RATE)
            said = write_sound(target, audio, samples, said, heard)
        write_sound(target, audio, samples, said, None)
        encode_frame(target, audio, None)


def _packets(path: Path, stream: VideoStream, behind: int) -> "Iterator[Packet[VideoStream]]":
    """Yield the pictures of ``path`` for ``stream``, shown ``behind`` frames later."""
    with av.open(str(path), "r") as source:
        track = source.streams.video[0]
        rate, base = track.average_rate, track.time_base
        shift = 0 if rate is None or base is None else round(behind / rate / base)
        for packet in all_packets(source, track.index):
            if packet.dts is None or packet.pts is None:  # empty: the end
                continue
            packet.pts += shift
            packet.dts += shift
            packet.stream = stream
            yield packet
