"""The sound that a model hears, prepared so that ComfyUI leaves it where it is in the clip.

ComfyUI 0.27 takes any sound to 44.1 kHz and cuts what is left of a block of 4096 samples, half of
it at the beginning: what is not in whole blocks is heard up to 46 ms too early.
"""

import math
import wave
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from core.domain.dimensions import play_time
from core.domain.requests import Request

LATENT_RATE = 25  # audio latents a second; source: the audio VAE, 640 samples at 16 kHz
_RATE, _BLOCK = 44_100, 4096
_MARGIN_S = 0.01  # a cut by a clock of milliseconds loses no sample, and with it half a block
_MEL_RATE, _MEL_HOP, _MEL_FRAMES = 16_000, 160, 4  # of the audio VAE, and mel frames of a latent


@dataclass(frozen=True, slots=True)
class HeardSound:
    """The sound of a run, to be prepared."""

    start_s: float  # of the first file
    shown_s: float  # so much of it
    seconds: float  # in all
    given_from_s: float = 0.0  # of the second file, heard behind it


def heard_sound(request: Request) -> HeardSound:
    """Return how a given sound is prepared for a clip that begins with it.

    Up to 93 ms of it, or of silence, are heard behind the clip's end.
    """
    sampling = request.sampling
    whole_s = whole_blocks(play_time(sampling.sampled_frames, sampling.sampled_fps))
    return HeardSound(0.0, whole_s, whole_s)


def cut_seconds(request: Request) -> float:
    """Return where a graph may cut the sound that is prepared for ``request``: behind all of it."""
    return heard_sound(request).seconds + _MARGIN_S


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


def write_heard_sound(
    first: Path, given: Path | None, target: Path, sound: HeardSound, check: Callable[[], None]
) -> None:
    """Write the sound of a run as a WAV of 16 bits; blocks, so run it in a thread.

    Args:
        first: the film that goes on, or the sound.
        given: a sound that is heard behind it, if there is one.
        target: the file to write.
        sound: which parts.
        check: called before each part; may raise to stop.
    """
    import numpy as np

    from core.media.decode import sound_between

    check()
    parts = [sound_between(first, _RATE, sound.start_s, sound.shown_s).samples]
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
