"""The demonstration's sounds: a voice without words, made of formants, and a small tune."""

import math
import wave
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

RATE = 48_000  # Hz
# first three formants in Hz; textbook averages of a low voice
_VOWELS = (
    (730, 1090, 2440),
    (270, 2290, 3010),
    (570, 840, 2410),
    (530, 1840, 2480),
    (300, 870, 2240),
)
_TUNE = (0, 4, 7, 12, 11, 7, 9, 5, 4, 7, 2, 5, 4, 0)  # semitones above the root


def speech(seconds: float) -> NDArray[np.float32]:
    """Synthesise a voice that speaks in syllables and pauses, mono at :data:`RATE`."""
    dice, count = np.random.default_rng(5), round(seconds * RATE)
    out = np.zeros(count, np.float32)
    start, number = 0.15, 0
    while start < seconds - 0.3:
        length = float(dice.uniform(0.13, 0.26))
        pitch = 128 - 14 * start / seconds + 12 * math.sin(number * 1.9)
        vowel = _VOWELS[int(dice.integers(len(_VOWELS)))]
        syllable = _vowel(vowel, pitch, length) * dice.uniform(0.55, 1.0)
        at = round(start * RATE)
        syllable = syllable[: count - at]
        out[at : at + len(syllable)] += syllable
        number += 1
        start += length + (0.34 if number % 6 == 0 else 0.035)
    return (out / np.abs(out).max() * 0.7).astype(np.float32)


def tune(seconds: float) -> NDArray[np.float32]:
    """Synthesise a plucked melody over a bass, mono at :data:`RATE`."""
    count = round(seconds * RATE)
    out = np.zeros(count + 2 * RATE, np.float32)
    for step in range(int(seconds / 0.25)):
        rise = _TUNE[step % len(_TUNE)]
        notes = [(261.6 * 2 ** (rise / 12), 0.5, 3.5)]
        if step % 4 == 0:
            notes.append((65.4 * (1.0, 1.335)[step // 8 % 2], 0.9, 2.0))
        for hertz, loud, decay in notes:
            time = np.arange(RATE) / RATE
            tone = sum(np.sin(math.tau * hertz * k * time) / k**1.5 for k in (1, 2, 3, 4))
            at = round(step * 0.25 * RATE)
            out[at : at + RATE] += loud * tone * np.exp(-decay * time) * np.minimum(1, time / 0.004)
    return (out[:count] / np.abs(out).max() * 0.7).astype(np.float32)


def write_samples(path: Path, samples: NDArray[np.float32]) -> Path:
    """Write ``samples`` (-1…1, mono) as 16-bit WAV and return ``path``."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes((samples * 32767).astype("<i2").tobytes())
    return path


def _vowel(formants: tuple[int, int, int], pitch: float, seconds: float) -> NDArray[np.float32]:
    time = np.arange(round(seconds * RATE)) / RATE
    bend = pitch * (1 + 0.06 * np.sin(math.pi * time / seconds))  # Hz
    phase = math.tau * np.cumsum(bend) / RATE
    voice = np.zeros_like(time)
    for harmonic in range(1, int(4000 / pitch)):
        hertz = harmonic * pitch
        gain = sum(
            1 / (1 + ((hertz - peak) / width) ** 2) / (1 + number)
            for number, (peak, width) in enumerate(zip(formants, (70, 90, 130), strict=True))
        )
        voice += (gain + 0.02) / harmonic**0.4 * np.sin(harmonic * phase)
    return (voice * np.sin(math.pi * time / seconds) ** 0.6).astype(np.float32)
