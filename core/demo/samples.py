"""Write small pictures, sounds and films to try things with."""

import wave
from fractions import Fraction
from pathlib import Path
from typing import TypeAlias

import numpy as np
from PIL import Image

from core.domain.dimensions import Size
from core.domain.media import Sound
from core.media.output.encode import EncoderSettings, write_mp4

SOUND_RATE = 48_000
RGB: TypeAlias = tuple[int, int, int]


def tone(seconds: float, pitch: float = 220.0, rate: int = SOUND_RATE) -> Sound:
    """Make a quiet mono sine of ``pitch`` Hz, samples ``[1, n] float32``."""
    at = np.arange(round(seconds * rate), dtype=np.float32) / rate
    return Sound((0.2 * np.sin(2 * np.pi * pitch * at))[None].astype(np.float32), rate)


def write_png(path: Path, width: int = 128, height: int = 96, shade: int = 90) -> Path:
    """Write a small picture with a diagonal gradient and return its path."""
    x, y = np.meshgrid(np.arange(width), np.arange(height))
    pixels = np.stack([x * 255 // width, y * 255 // height, np.full_like(x, shade)], axis=-1)
    Image.fromarray(pixels.astype(np.uint8)).save(path)
    return path


def write_wav(path: Path, seconds: float = 1.5, pitch: float = 220.0) -> Path:
    """Write a quiet mono tone, 16 bit, and return its path."""
    samples = tone(seconds, pitch).samples[0]
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SOUND_RATE)
        file.writeframes((samples * 32767).astype("<i2").tobytes())
    return path


def write_video(
    path: Path,
    width: int = 96,
    height: int = 64,
    frames: int = 24,
    behind: RGB = (60, 60, 60),
    before: RGB = (200, 120, 40),
) -> Path:
    """Write a small silent H.264 video at 24 fps with a moving edge and return its path."""
    pictures = np.full((frames, height, width, 3), behind, np.uint8)
    for index, picture in enumerate(pictures):
        picture[:, : width * (index + 1) // frames] = before
    recipe = EncoderSettings(Size(width, height), Fraction(24), {"preset": "ultrafast"})
    write_mp4(path, recipe, pictures, None, lambda: None)
    return path
