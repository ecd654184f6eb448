"""A sound and a film that tell at every moment when it is."""

import wave
from fractions import Fraction
from pathlib import Path

import numpy as np

from core.domain.dimensions import Size
from core.media.output.encode import EncoderSettings, write_mp4

RATE, FPS = 48_000, 24


def steps(path: Path, seconds: int) -> Path:
    """Write a sound that stands at n tenths in its second n, counted from 1."""
    levels = np.repeat(np.arange(1, seconds + 1) / 10, RATE)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes((levels * 32767).astype("<i2").tobytes())
    return path


def counting_film(path: Path, seconds: int) -> Path:
    """Write a film of 96×64 with sound; the shade of each picture is 3 × its number."""
    pictures = np.empty((seconds * FPS, 64, 96, 3), np.uint8)
    pictures[:] = (np.arange(seconds * FPS) * 3).astype(np.uint8)[:, None, None, None]
    sound = np.full((2, seconds * RATE), 0.2, np.float32)
    recipe = EncoderSettings(Size(96, 64), Fraction(FPS), {"preset": "ultrafast", "crf": "4"})
    write_mp4(path, recipe, pictures, sound, lambda: None)
    return path
