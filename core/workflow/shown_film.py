"""What a graph is shown of the film that a clip continues: its last pictures, and their sound.

The sound is as long as the run. Behind the film's end follows the given sound, where there is one,
else silence, which the graph draws over.
"""

import math
import wave
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from core.domain.continuation import film_frames, run_frames, shown_frames
from core.domain.dimensions import Size, play_time
from core.domain.media import MediaFile
from core.domain.requests import Request
from core.workflow.control_video import ControlVideo, canvas_of

LATENT_RATE = 25  # audio latents a second; source: the audio VAE, 640 samples at 16 kHz
# ComfyUI 0.27 takes any sound to this rate and cuts what is left of such a block, half of it at the
# beginning: only whole blocks stay where they are
_RATE, _BLOCK = 44_100, 4096
_MEL_RATE, _MEL_HOP, _MEL_FRAMES = 16_000, 160, 4  # of the audio VAE, and mel frames of a latent


@dataclass(frozen=True, slots=True)
class ShownSound:
    """The sound of a run, to be prepared."""

    start_s: float  # of the film
    shown_s: float  # so much of its end
    seconds: float  # in all
    given_from_s: float = 0.0  # of the given sound, where the film ends


def shown_pictures(request: Request, film: MediaFile, canvas: int, size: Size) -> ControlVideo:
    """Return how the last pictures of ``film`` are prepared, at most a second."""
    sampling, count = request.sampling, shown_frames(request) + 1
    last = (film_frames(film, sampling.fps) - 1) // sampling.factor  # at the rate of sampling
    start, canvas_size = last + 1 - count, canvas_of(size, canvas)
    return ControlVideo(size, canvas_size, count, sampling.sampled_fps, start=start)


def shown_sound(request: Request, film: MediaFile) -> ShownSound:
    """Return how the sound of a run that continues ``film`` is prepared."""
    sampling = request.sampling
    shown_s = play_time(shown_frames(request), sampling.sampled_fps) + play_time(1, sampling.fps)
    whole_s = whole_blocks(play_time(run_frames(request), sampling.sampled_fps))
    start_s = play_time(film_frames(film, sampling.fps), sampling.fps) - shown_s
    return ShownSound(start_s, shown_s, whole_s, sampling.sound_from or 0.0)


def latents_of(seconds: float) -> int:
    """Return how many audio latents the VAE makes of so many ``seconds`` in whole blocks."""
    samples = math.ceil(round(seconds * _RATE) * _MEL_RATE / _RATE)
    return math.ceil((samples // _MEL_HOP + 1) / _MEL_FRAMES)


def whole_blocks(seconds: float) -> float:
    """Return the shortest time, not below ``seconds``, that ComfyUI cuts nothing of."""
    return math.ceil(seconds * _RATE / _BLOCK - 1e-6) * _BLOCK / _RATE


def held_latents(seconds: float) -> int:
    """Return how many audio latents hear only the first ``seconds``, at least one."""
    return max(1, math.floor(seconds * LATENT_RATE + 1e-6))


def write_shown_sound(
    film: Path, given: Path | None, target: Path, sound: ShownSound, check: Callable[[], None]
) -> None:
    """Write the sound of a run as a WAV of 16 bits; blocks, so run it in a thread.

    Args:
        film: what goes on.
        given: a sound that is heard from the film's end on, if there is one.
        target: the file to write.
        sound: which parts.
        check: called before each part; may raise to stop.
    """
    import numpy as np

    from core.media.decode import sound_between

    check()
    parts = [sound_between(film, _RATE, sound.start_s, sound.shown_s).samples]
    check()
    rest = round(sound.seconds * _RATE) - parts[0].shape[1]
    if given is None:
        parts.append(np.zeros((2, rest), np.float32))
    else:
        parts.append(sound_between(given, _RATE, sound.given_from_s, rest / _RATE).samples)
    whole = np.clip(np.concatenate(parts, axis=1), -1, 1)
    with wave.open(str(target), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(_RATE)
        file.writeframes((whole.T * 32767).round().astype("<i2").tobytes())
