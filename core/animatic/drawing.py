"""Colours, camera, light and lettering: what all scenes are drawn with."""

import math
import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias
from zlib import crc32

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageChops, ImageColor, ImageDraw, ImageFont, ImageOps

from core.animatic.audio_features import AudioFeatures
from core.domain.media import MediaKind
from core.domain.modes import MODES
from core.domain.presets import Camera, Preset
from core.domain.requests import Request
from core.i18n.messages import say
from core.media.decode import load_image

Floats: TypeAlias = NDArray[Any]

_FONT = str(files("font_source_sans_pro") / "files" / "SourceSansPro-Regular.ttf")
_MOODS = {  # words that name a light; every CSS colour name counts too
    "sunset": "orangered", "dawn": "lightsalmon", "dusk": "slateblue", "night": "midnightblue",
    "ocean": "teal", "sea": "steelblue", "forest": "seagreen", "snow": "aliceblue",
    "fire": "orangered", "neon": "magenta", "rain": "slategray", "autumn": "chocolate",
}  # fmt: skip
_MOVES = {  # zoom, then the centre's way to the right and down as shares of the frame
    Camera.NONE: (1.13, 0.0, 0.0), Camera.STATIC: (1.0, 0.0, 0.0),
    Camera.DOLLY_IN: (1.4, 0.0, 0.0), Camera.DOLLY_OUT: (1.4, 0.0, 0.0),
    Camera.DOLLY_LEFT: (1.25, -0.1, 0.0), Camera.DOLLY_RIGHT: (1.25, 0.1, 0.0),
    Camera.JIB_UP: (1.25, 0.0, -0.1), Camera.JIB_DOWN: (1.25, 0.0, 0.1),
}  # fmt: skip
_GRAIN = {Preset.DRAFT: 12, Preset.FAST: 8, Preset.BALANCED: 5, Preset.QUALITY: 3}  # of 255


class View(NamedTuple):
    """The camera: magnification, and its centre as shares of the frame from the middle."""

    zoom: float
    x: float
    y: float

    @classmethod
    def of(cls, camera: Camera, amount: float) -> "View":
        """Return the view after ``amount`` (0…1) of the move."""
        amount = 1 - amount if camera is Camera.DOLLY_OUT else amount
        eased = amount * amount * (3 - 2 * amount)
        zoom, x, y = _MOVES[camera]
        return cls(1 + (zoom - 1) * eased, x * eased, y * eased)

    def of_picture(self, picture: Image.Image) -> Image.Image:
        """Return what the camera sees of ``picture``, at the same size."""
        (width, height), span = picture.size, 1 / self.zoom
        left, top = (min(max(0.0, 0.5 + at - span / 2), 1 - span) for at in (self.x, self.y))
        box = (left * width, top * height, (left + span) * width, (top + span) * height)
        return picture.resize(picture.size, Image.Resampling.BICUBIC, box=box)


@dataclass(frozen=True)
class Palette:
    """Three colours (RGB, 0…255) of a request, and the key of all that its seed decides."""

    sky: Floats
    glow: Floats
    deep: Floats
    key: int

    @classmethod
    def of(cls, request: Request) -> "Palette":
        """Choose the colours: those that the prompt names, else three hues that follow from it."""
        sampling, prompt = request.sampling, request.prompt
        unwanted, hue = _named(sampling.negative_prompt), crc32(prompt.encode())
        named = [colour for colour in _named(prompt) if colour not in unwanted]
        hues = [f"hsl({(hue + turn) % 360}, 60%, 55%)" for turn in (0, 30, 340)]
        chosen = ((named or hues) * 3)[:3]
        main, second, third = (np.array(ImageColor.getrgb(name)[:3]) for name in chosen)
        text = "\0".join([request.mode, prompt, sampling.negative_prompt, str(sampling.seed)])
        glow = 0.5 * second + (122, 111, 88)  # the light is warm, whatever it falls on
        return cls(0.6 * main + 25, glow, 0.2 * third, crc32(text.encode()))

    def random(self, purpose: int) -> np.random.Generator:
        """Make a random generator that is the same for the same request and ``purpose``."""
        return np.random.default_rng((self.key, purpose))


@dataclass(frozen=True)
class Shot:
    """One clip to draw: its request, files by role, and the sound its pictures follow, if any."""

    request: Request
    files: dict[str, Path]
    look: Palette
    hearing: AudioFeatures | None

    @property
    def size(self) -> tuple[int, int]:
        """Return width and height, px."""
        return self.request.sampling.width, self.request.sampling.height

    def at(self, index: int) -> tuple[float, float, View]:
        """Return seconds, share of the clip (0…1) and the camera of frame ``index``."""
        sampling = self.request.sampling
        share = index / (sampling.frames - 1)
        return index / sampling.fps, share, View.of(sampling.camera, share)

    def roles(self, kind: MediaKind) -> tuple[str, ...]:
        """Return the roles of the request's files of ``kind``."""
        return MODES[self.request.mode].roles(kind)

    def image(self, role: str) -> Image.Image:
        """Load the picture of ``role``, filling the frame."""
        return Image.fromarray(load_image(self.files[role], self.request.sampling.size))


def grade(picture: Image.Image, shot: Shot, t: float, strength: float) -> Image.Image:
    """Add light, grain (``strength`` 0: none) and the label to ``picture`` at ``t`` seconds."""
    preset, angle = shot.request.sampling.preset, t / 2 + shot.look.key % 7
    if strength > 0:
        shine = ink(shot.look.glow * 0.2 * strength)
        x, y = 64 - 64 * math.cos(angle), 64 - 64 * math.sin(angle)  # of the gradient's 256
        light = ImageOps.colorize(Image.radial_gradient("L"), shine, "black")
        light = light.resize(shot.size, box=(x, y, x + 128, y + 128))
        dice, most = shot.look.random(10 + round(t * 1000)), _GRAIN[preset]
        grain = Image.fromarray(dice.integers(0, most, shot.size[::-1], np.uint8)).convert("RGB")
        picture = ImageChops.add(ImageChops.screen(picture, light), grain, offset=-(most // 2))
    label = _label(shot.size, preset)
    picture.paste(label, (0, 0), label)
    return picture


def ink(colour: Floats) -> tuple[int, int, int]:
    """Return ``colour`` as Pillow takes it."""
    return int(colour[0]), int(colour[1]), int(colour[2])


@cache
def font(size: float) -> ImageFont.FreeTypeFont:
    """Return the lettering, ``size`` px high: Latin, Greek and Cyrillic."""
    return ImageFont.truetype(_FONT, size)


@cache
def _label(size: tuple[int, int], preset: Preset) -> Image.Image:
    unit, text = max(9.0, min(size) / 26), say("draft_label", {"preset": preset})
    width = font(unit).getlength(text)
    label = Image.new("RGBA", (int(width + 2.6 * unit), int(2.8 * unit)))
    pen, box = ImageDraw.Draw(label), (0.6 * unit, 0.6 * unit, width + 2 * unit, 2.4 * unit)
    pen.rounded_rectangle(box, 0.45 * unit, fill=(12, 14, 20, 178))
    pen.text((1.3 * unit, 1.5 * unit), text, (255, 255, 255, 235), font(unit), anchor="lm")
    return label


def _named(text: str) -> list[str]:
    words = [_MOODS.get(word, word) for word in re.findall(r"[a-z]+", text.lower())]
    return [word for word in dict.fromkeys(words) if word in ImageColor.colormap]
