"""Colours, camera, light and lettering: what all six scenes are drawn with."""

import colorsys
import hashlib
import math
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageChops, ImageColor, ImageDraw, ImageFont

from core.draft.hearing import Hearing
from core.media.decode import load_image
from core.messages import say
from core.presets import Camera, Preset
from core.requests import Request

Floats: TypeAlias = NDArray[Any]

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
_GRAIN = {Preset.DRAFT: 12, Preset.FAST: 9, Preset.BALANCED: 6, Preset.QUALITY: 3}  # of 255


class View(NamedTuple):
    """The camera: magnification, and its centre as shares of the frame from the middle."""

    zoom: float
    x: float
    y: float

    @classmethod
    def of(cls, camera: Camera, amount: float) -> "View":
        """Return the view after ``amount`` (0…1) of the move."""
        eased = amount * amount * (3 - 2 * amount)
        eased = 1 - eased if camera is Camera.DOLLY_OUT else eased
        zoom, x, y = _MOVES[camera]
        return cls(1 + (zoom - 1) * eased, x * eased, y * eased)

    def of_picture(self, picture: Image.Image) -> Image.Image:
        """Return what the camera sees of ``picture``, at the same size."""
        (width, height), span = picture.size, 1 / self.zoom
        left, top = (min(max(0.0, 0.5 + at - span / 2), 1 - span) for at in (self.x, self.y))
        box = (left * width, top * height, (left + span) * width, (top + span) * height)
        return picture.resize(picture.size, Image.Resampling.BICUBIC, box=box)


@dataclass(frozen=True)
class Look:
    """Three colours (RGB, 0…255) of a request, and the key of all that its seed decides."""

    sky: Floats
    glow: Floats
    deep: Floats
    key: int

    @classmethod
    def of(cls, request: Request) -> "Look":
        """Return the look: named colours of the prompt first, the rest follows from its text."""
        sampling, prompt = request.sampling, request.prompt
        text = f"{request.mode}\0{prompt}\0{sampling.negative_prompt}\0{sampling.seed}"
        unwanted = _named(sampling.negative_prompt)
        found = [colour for colour in _named(prompt) if colour not in unwanted]
        main = found[0] if found else (_hash(prompt) / 2**64, 0.5, 0.55)
        second = found[1] if len(found) > 1 else (main[0] + 0.09, 0.75, main[2])
        third = found[2] if len(found) > 2 else (main[0] - 0.07, 0.2, main[2] * 0.7)
        sky = _rgb(main[0], 0.2 + 0.3 * main[1], main[2] * 0.9)
        glow = _rgb(second[0], 0.62 + 0.3 * second[1], second[2])
        deep = _rgb(third[0], 0.05 + 0.12 * third[1], third[2] * 0.8)
        return cls(sky, glow, deep, _hash(text))

    def random(self, purpose: int) -> np.random.Generator:
        """Return the same dice for the same request and ``purpose``."""
        return np.random.default_rng((self.key, purpose))


@dataclass(frozen=True)
class Shot:
    """One clip to draw: its request, files by role, and the sound its pictures follow, if any."""

    request: Request
    files: dict[str, Path]
    look: Look
    hearing: Hearing | None

    @property
    def size(self) -> tuple[int, int]:
        """Return width and height, px."""
        return self.request.sampling.width, self.request.sampling.height

    def at(self, index: int) -> tuple[float, float, View]:
        """Return seconds, share of the clip (0…1) and the camera of frame ``index``."""
        sampling = self.request.sampling
        share = index / (sampling.frames - 1)
        return index / sampling.fps, share, View.of(sampling.camera, share)

    def image(self, role: str) -> Image.Image:
        """Return the picture of ``role``, filling the frame."""
        return Image.fromarray(load_image(self.files[role], self.request.sampling.size))


def finish(picture: Image.Image, shot: Shot, t: float, strength: float) -> Image.Image:
    """Return ``picture`` at ``t`` seconds with light and grain (``strength`` 0: none), labelled."""
    if strength > 0:
        (width, height), angle = shot.size, t / 2 + shot.look.key % 7
        down, right = np.mgrid[-1:1:18j, -1:1:32j]
        far = (right - math.cos(angle)) ** 2 + (down - math.sin(angle)) ** 2
        light = (np.exp(-far)[..., None] * shot.look.glow * 0.25 * strength).astype(np.uint8)
        picture = ImageChops.screen(picture, Image.fromarray(light).resize(shot.size))
        most = _GRAIN[shot.request.sampling.preset]
        dice = shot.look.random(10 + round(t * 1000))
        grain = Image.fromarray(dice.integers(0, most, (height, width), np.uint8))
        picture = ImageChops.add(picture, grain.convert("RGB"), offset=-(most // 2))
    label = _label(shot.size, shot.request.sampling.preset)
    picture.paste(label, (0, 0), label)
    return picture


def ink(colour: Floats) -> tuple[int, int, int]:
    """Return ``colour`` as Pillow takes it."""
    return int(colour[0]), int(colour[1]), int(colour[2])


@cache
def _label(size: tuple[int, int], preset: Preset) -> Image.Image:
    unit = max(9.0, min(size) / 26)
    text, font = say("draft_label", {"preset": preset}), ImageFont.load_default(unit)
    width = font.getbbox(text)[2]
    label = Image.new("RGBA", (int(width + 2.6 * unit), int(2.8 * unit)))
    pen, box = ImageDraw.Draw(label), (0.6 * unit, 0.6 * unit, width + 2 * unit, 2.4 * unit)
    pen.rounded_rectangle(box, 0.45 * unit, fill=(12, 14, 20, 178))
    pen.text((1.3 * unit, 1.5 * unit), text, (255, 255, 255, 235), font, anchor="lm")
    return label


def _named(text: str) -> list[tuple[float, float, float]]:
    """Return hue, lightness and saturation of each colour that ``text`` names."""
    words = [_MOODS.get(word, word) for word in re.findall(r"[a-z]+", text.lower())]
    names = [word for word in dict.fromkeys(words) if word in ImageColor.colormap]
    colours = [np.divide(ImageColor.getrgb(name)[:3], 255).tolist() for name in names]
    return [colorsys.rgb_to_hls(*colour) for colour in colours]


def _hash(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")


def _rgb(hue: float, lightness: float, saturation: float) -> Floats:
    return np.array(colorsys.hls_to_rgb(hue % 1, lightness, saturation), np.float32) * 255
