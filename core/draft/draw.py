"""Colours, camera, light and lettering: what all six scenes are drawn with."""

import colorsys
import hashlib
import math
import re
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageChops, ImageColor, ImageDraw, ImageFont

from core.draft.hearing import Hearing
from core.executor import Order
from core.media.decode import load_image
from core.messages import say
from core.presets import Camera, Preset
from core.requests import Request

Floats: TypeAlias = NDArray[Any]
Colour: TypeAlias = NDArray[np.float32]  # RGB, 0…255

MOODS = {  # words that name a light; every CSS colour name counts too
    "sunset": "orangered", "sunrise": "coral", "dawn": "lightsalmon", "dusk": "slateblue",
    "night": "midnightblue", "moon": "lightsteelblue", "ocean": "teal", "sea": "steelblue",
    "forest": "seagreen", "jungle": "green", "snow": "aliceblue", "winter": "lightblue",
    "fire": "orangered", "desert": "sandybrown", "neon": "magenta", "rain": "slategray",
    "autumn": "chocolate", "spring": "yellowgreen", "storm": "darkslategray", "amber": "goldenrod",
    "golden": "gold", "sunny": "khaki", "blood": "darkred", "ice": "powderblue",
}  # fmt: skip
_MOVES = {  # zoom, then the centre's way to the right and down as shares of the frame
    Camera.NONE: (1.13, 0.0, 0.0),
    Camera.STATIC: (1.0, 0.0, 0.0),
    Camera.DOLLY_IN: (1.4, 0.0, 0.0),
    Camera.DOLLY_OUT: (1.4, 0.0, 0.0),
    Camera.DOLLY_LEFT: (1.25, -0.1, 0.0),
    Camera.DOLLY_RIGHT: (1.25, 0.1, 0.0),
    Camera.JIB_UP: (1.25, 0.0, -0.1),
    Camera.JIB_DOWN: (1.25, 0.0, 0.1),
}
_GRAIN = {Preset.DRAFT: 12, Preset.FAST: 9, Preset.BALANCED: 6, Preset.QUALITY: 3}  # of 255


class View(NamedTuple):
    """Where the camera is: magnification, and its centre as shares of the frame from the middle."""

    zoom: float
    x: float
    y: float

    @classmethod
    def of(cls, camera: Camera, amount: float) -> "View":
        """Return the view after ``amount`` (0…1) of the move, which begins at the whole frame."""
        zoom, x, y = _MOVES[camera]
        eased = amount * amount * (3 - 2 * amount)
        eased = 1 - eased if camera is Camera.DOLLY_OUT else eased
        return cls(1 + (zoom - 1) * eased, x * eased, y * eased)

    def of_picture(self, picture: Image.Image) -> Image.Image:
        """Return what the camera sees of ``picture``, at the same size."""
        (width, height), span = picture.size, 1 / self.zoom
        left = (0.5 + self.x - span / 2) * width
        top = (0.5 + self.y - span / 2) * height
        box = (max(0.0, left), max(0.0, top))
        box += (min(width, box[0] + span * width), min(height, box[1] + span * height))
        return picture.resize(picture.size, Image.Resampling.BICUBIC, box=box)


@dataclass(frozen=True)
class Look:
    """The colours of a request, and the source of everything that its seed decides."""

    sky: Colour
    glow: Colour
    deep: Colour
    key: int

    @classmethod
    def of(cls, request: Request) -> "Look":
        """Return the look: named colours of the prompt first, the rest follows from its text."""
        sampling = request.sampling
        text = f"{request.mode}\0{request.prompt}\0{sampling.negative_prompt}\0{sampling.seed}"
        key = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")
        unwanted = _named(sampling.negative_prompt)
        found = [_hls(name) for name in _named(request.prompt) if name not in unwanted]
        hue = int(hashlib.sha256(request.prompt.encode()).hexdigest()[:4], 16) / 65536
        main = found[0] if found else (hue, 0.5, 0.55)
        others = sorted(found[1:3], key=lambda colour: abs((colour[0] - main[0] + 0.5) % 1 - 0.5))
        second = others[0] if others else (main[0] + 0.09, 0.75, main[2])
        third = others[1] if len(others) > 1 else (main[0] - 0.07, 0.2, main[2] * 0.7)
        sky = _rgb(main[0], 0.2 + 0.3 * main[1], main[2] * 0.9)
        glow = _rgb(second[0], 0.62 + 0.3 * second[1], second[2])
        return cls(sky, glow, _rgb(third[0], 0.05 + 0.12 * third[1], third[2] * 0.8), key)

    def random(self, purpose: int) -> np.random.Generator:
        """Return the same dice for the same request and ``purpose``."""
        return np.random.default_rng((self.key, purpose))


@dataclass(frozen=True)
class Shot:
    """One clip to draw."""

    order: Order
    look: Look
    hearing: Hearing | None  # of the given sound, where the mode has one

    @property
    def request(self) -> Request:
        """Return what was asked."""
        return self.order.request

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
        path = self.order.path_of(self.request.media()[role])
        return Image.fromarray(load_image(path, self.request.sampling.size))


class Finish:
    """The last layer of every frame: light in the prompt's colours, grain, and the label."""

    def __init__(self, look: Look, size: tuple[int, int], preset: Preset) -> None:
        dice = look.random(1)
        self._look, self._size, self._dice = look, size, look.random(2)
        self._ways = dice.uniform(0, math.tau, (2, 2))
        grain = dice.integers(0, _GRAIN[preset], (size[1] + 64, size[0] + 64), np.uint8)
        self._grain, self._half = Image.fromarray(grain), _GRAIN[preset] // 2
        self._label = _label(size, preset)

    def apply(self, picture: Image.Image, t: float, strength: float) -> Image.Image:
        """Return ``picture`` at ``t`` seconds with light and grain (``strength`` 0: none)."""
        if strength > 0:
            picture = ImageChops.screen(picture, self._light(t, strength))
            x, y = (int(value) for value in self._dice.integers(0, 64, 2))
            grain = self._grain.crop((x, y, x + self._size[0], y + self._size[1]))
            tint = Image.merge("RGB", (grain, grain, grain))
            picture = ImageChops.add(picture, tint, offset=-self._half)
        picture.paste(self._label, (0, 0), self._label)
        return picture

    def _light(self, t: float, strength: float) -> Image.Image:
        rows, columns = np.mgrid[0:18, 0:32] / np.array([17.0, 31.0])[:, None, None]
        light = np.zeros((18, 32, 3), np.float32)
        for colour, (a, b) in zip((self._look.glow, self._look.sky), self._ways, strict=True):
            x, y = 0.5 + 0.55 * math.cos(a + 0.5 * t), 0.35 + 0.4 * math.sin(b + 0.37 * t)
            light += np.exp(-((columns - x) ** 2 + (rows - y) ** 2) * 5)[..., None] * colour
        small = Image.fromarray(np.clip(light * 0.22 * strength, 0, 255).astype(np.uint8))
        return small.resize(self._size, Image.Resampling.BILINEAR)


def mix(a: Colour, b: Colour, share: float) -> Colour:
    """Return the colour ``share`` of the way from ``a`` to ``b``."""
    return (a + (b - a) * np.float32(share)).astype(np.float32)


def ink(colour: Colour) -> tuple[int, int, int]:
    """Return ``colour`` as Pillow takes it."""
    return int(colour[0]), int(colour[1]), int(colour[2])


def letters(height: float) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Return Pillow's own font at ``height`` px."""
    return ImageFont.load_default(max(9.0, height))


def _label(size: tuple[int, int], preset: Preset) -> Image.Image:
    unit = max(9.0, min(size) / 26)
    text, font = say("draft_label", {"preset": preset}), letters(unit)
    width = font.getbbox(text)[2]
    label = Image.new("RGBA", (int(width + 2.6 * unit), int(2.8 * unit)))
    pen = ImageDraw.Draw(label)
    box = (0.6 * unit, 0.6 * unit, width + 2 * unit, 2.4 * unit)
    pen.rounded_rectangle(box, 0.45 * unit, fill=(12, 14, 20, 178))
    pen.text((1.3 * unit, 1.5 * unit), text, (255, 255, 255, 235), font, anchor="lm")
    return label


def _named(text: str) -> list[str]:
    words = [MOODS.get(word, word) for word in re.findall(r"[a-z]+", text.lower())]
    return [word for word in dict.fromkeys(words) if word in ImageColor.colormap]


def _hls(name: str) -> tuple[float, float, float]:
    red, green, blue = ImageColor.getrgb(name)[:3]
    return colorsys.rgb_to_hls(red / 255, green / 255, blue / 255)


def _rgb(hue: float, lightness: float, saturation: float) -> Colour:
    return np.array(colorsys.hls_to_rgb(hue % 1, lightness, saturation), np.float32) * 255
