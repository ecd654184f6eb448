"""What the animatic hears, frame by frame, and the quiet sound it makes where none was given."""

from dataclasses import dataclass
from itertools import accumulate
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.domain.media import Sound

RATE = 48_000  # Hz
BANDS = 40  # from 60 Hz to 12 kHz, equal steps in pitch
_WINDOW = 4096  # samples; 85 ms, short enough for a mouth and long enough for a pitch
_SILENCE = 0.02  # rms of full scale; what stays below never counts as loud


@dataclass(frozen=True)
class AudioFeatures:
    """Loudness and pitch of a sound at every frame, each 0…1."""

    loudness: NDArray[Any]  # [frames], 1 where it is loudest
    pitch: NDArray[Any]  # [frames], the middle of the spectrum on the scale of the bands
    bands: NDArray[Any]  # [frames, BANDS], lowest first, smooth as hills are

    @classmethod
    def of(cls, sound: Sound, frames: int, fps: float) -> "AudioFeatures":
        """Listen to ``sound`` at each of ``frames``."""
        mono = np.pad(sound.samples.mean(axis=0), _WINDOW)
        starts = ((np.arange(frames) + 0.5) / fps * sound.rate).astype(int) + _WINDOW // 2
        windows = mono[np.minimum(starts, len(mono) - _WINDOW)[:, None] + np.arange(_WINDOW)]
        rms = np.sqrt((windows**2).mean(axis=1))
        power = np.abs(np.fft.rfft(windows * np.hanning(_WINDOW)))
        edges = (np.geomspace(60, 12_000, BANDS + 1) / sound.rate * _WINDOW).astype(int)
        bands = np.add.reduceat(power, edges, axis=1)[:, :-1] / np.diff(edges).clip(1)
        pitch = bands @ np.linspace(0, 1, BANDS) / (bands.sum(axis=1) + 1e-9)
        loudness = rms / max(float(rms.max()), _SILENCE)
        peak = max(float(np.percentile(bands, 99.5)), _SILENCE * 8)
        near = np.exp(-0.35 * np.subtract.outer(np.arange(BANDS), np.arange(BANDS)) ** 2)
        hills = np.clip(bands / peak, 0, 1) ** 0.6 @ (near / near.sum(axis=0))
        return cls(_settle(loudness), _settle(pitch), hills)


def ambience(dice: np.random.Generator, key: float, seconds: float) -> Sound:
    """Make a quiet wind (about -30 dBFS) with a soft chord, ``key`` (0…1) octaves above A2."""
    count = round(seconds * RATE)
    spectrum = np.fft.rfft(dice.standard_normal((2, count)))
    hertz, time = np.fft.rfftfreq(count, 1 / RATE), np.arange(count) / RATE
    wind = np.fft.irfft(spectrum / (1 + (hertz / 350) ** 1.4), count)
    wind *= 0.02 / np.sqrt((wind**2).mean())
    root = 2 * np.pi * 110 * 2**key
    chord = sum(np.sin(root * ratio * time) / ratio for ratio in (1, 1.5, 2, 2.5, 3))
    edge = np.clip(np.minimum(time, seconds - time) / 0.25, 0, 1)  # no click at either end
    return Sound(((wind + 0.01 * chord) * edge).astype(np.float32), RATE)


def _settle(values: NDArray[Any]) -> NDArray[Any]:
    """Rise at once and fall within a few frames, as meters and mouths do."""
    return np.array(list(accumulate(values, lambda held, now: max(now, held * 0.6))))
