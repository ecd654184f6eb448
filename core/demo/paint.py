"""The demonstration's pictures: a coast at any hour, a portrait, a poster. Drawn, not stored."""

import math
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

Ink: TypeAlias = str | tuple[int, int, int]
_FINE = 2  # drawn so many times larger, for smooth edges


@dataclass(frozen=True, slots=True)
class Hour:
    """The colours of the coast at one time of day."""

    zenith: Ink
    horizon: Ink
    sun: Ink
    sun_height: float  # 0 at the horizon, 1 at the top
    hills: tuple[Ink, Ink, Ink]  # far to near
    sea: tuple[Ink, Ink]  # at the horizon, at the shore
    tower: tuple[Ink, Ink]  # light and shaded side
    lamp: float  # strength of the beam, 0…1
    stars: float  # 0…1


MORNING = Hour(
    "#3f8fd0", "#fde3bd", "#fffbe8", 0.62, ("#9fc3cf", "#5f9a8f", "#2f6b58"),
    ("#a9dbe0", "#1d6f93"), ("#fbf7ef", "#d9c9b8"), 0.0, 0.0,
)  # fmt: skip
DUSK = Hour(
    "#2b2a63", "#ff9a62", "#fff0c2", 0.13, ("#b0607f", "#6d3a6b", "#2b1b43"),
    ("#ff9d75", "#3a2a66"), ("#ffd9bd", "#a2577a"), 0.55, 0.35,
)  # fmt: skip
NIGHT = Hour(
    "#070b24", "#24437a", "#f4f6ff", 0.7, ("#1d2f5c", "#132147", "#0a1130"),
    ("#2b4f88", "#070d28"), ("#8fa4d6", "#3a4a80"), 1.0, 1.0,
)  # fmt: skip


def coast(hour: Hour, width: int, height: int, t: float = 0.0) -> Image.Image:
    """Draw a lighthouse over the sea; ``t`` seconds move the boat, the waves and the beam."""
    wide, tall = width * _FINE, height * _FINE
    level = 0.58 * tall
    picture = _gradient(wide, tall, hour.zenith, hour.horizon, 0.6)
    dice = np.random.default_rng(7)
    _stars(picture, dice, hour.stars)
    _sun(picture, hour, level)
    pen = ImageDraw.Draw(picture)
    for layer, (base, high) in enumerate(((0.58, 0.13), (0.59, 0.07))):
        pen.polygon(_crest(dice, wide, tall, base, high), fill=hour.hills[layer])
    _sea(picture, hour, level, t)
    _boat(picture, hour, (0.12 + 0.09 * t) * wide, level + 0.1 * tall, 0.16 * tall, t)
    pen = ImageDraw.Draw(picture)
    cliff = [(0.60, 1.0), (0.66, 0.78), (0.72, 0.7), (0.8, 0.665), (0.9, 0.66), (1.0, 0.63)]
    pen.polygon([(x * wide, y * tall) for x, y in cliff] + [(wide, tall)], fill=hour.hills[2])
    _tower(picture, hour, 0.82 * wide, 0.67 * tall, 0.42 * tall, t)
    return picture.resize((width, height), Image.Resampling.LANCZOS)


def portrait(width: int, height: int) -> Image.Image:
    """Draw a friendly face before a round sun, mouth closed, looking straight ahead."""
    wide, tall = width * _FINE, height * _FINE
    picture = _gradient(wide, tall, "#0f4c5c", "#e9a15b", 1.0)
    unit, x, y = tall / 100, wide / 2, tall * 0.46
    pen = ImageDraw.Draw(picture)

    def oval(dx: float, dy: float, rx: float, ry: float, fill: Ink) -> None:
        left, top = x + (dx - rx) * unit, y + (dy - ry) * unit
        pen.ellipse((left, top, left + 2 * rx * unit, top + 2 * ry * unit), fill=fill)

    oval(0, -4, 41, 41, "#f6c177")
    oval(0, -3, 29.5, 33, "#33211d")  # hair behind
    pen.rounded_rectangle(
        (x - 29 * unit, y - 4 * unit, x + 29 * unit, y + 34 * unit), 14 * unit, fill="#33211d"
    )
    oval(0, 66, 45, 31, "#c8553d")  # shoulders
    pen.rectangle((x - 8 * unit, y + 20 * unit, x + 8 * unit, y + 42 * unit), fill="#cf9274")
    oval(0, 39, 13, 8, "#cf9274")
    oval(0, 2, 22, 28, "#e8b492")
    for side in (-1, 1):
        oval(side * 22, 4, 3.6, 6, "#dda583")
        oval(side * 12.5, 10, 5, 3.4, "#eba78a")
        oval(side * 9, -1, 4.6, 3.1, "#fffaf3")
        oval(side * 9, -1, 2.7, 2.9, "#3d5a4c")
        oval(side * 9, -1, 1.3, 1.4, "#14110f")
        oval(side * 9 + 1, -2.1, 0.7, 0.7, "#ffffff")
        brow = (x + (side * 9 - 6) * unit, y - 10 * unit, x + (side * 9 + 6) * unit, y - 2 * unit)
        pen.arc(brow, 205, 335, fill="#33211d", width=round(1.3 * unit))
    pen.arc(_box(x, y + 7 * unit, 3 * unit, 3 * unit), 20, 160, "#c98a6b", round(unit))
    pen.chord(_box(x, y + 14.6 * unit, 7.4 * unit, 3.6 * unit), 5, 175, fill="#b9574f")
    pen.line([(x - 7 * unit, y + 15 * unit), (x + 7 * unit, y + 15 * unit)], "#8c3b38",
             round(0.7 * unit))  # fmt: skip
    fringe = [(-24, -6), (-21, -24), (-9, -34), (9, -34), (21, -24), (24, -6), (16, -16), (2, -21)]
    pen.polygon([(x + dx * unit, y + dy * unit) for dx, dy in [*fringe, (-14, -17)]], "#33211d")
    return picture.resize((width, height), Image.Resampling.LANCZOS)


def poster(width: int, height: int) -> Image.Image:
    """Draw a bold abstract print: discs, rays and bands in five inks."""
    wide, tall = width * _FINE, height * _FINE
    inks = ("#f3e3c3", "#e4572e", "#17616b", "#f2a541", "#1b1b3a")
    picture = Image.new("RGB", (wide, tall), inks[0])
    pen = ImageDraw.Draw(picture)
    centre, reach = (0.62 * wide, 0.42 * tall), math.hypot(wide, tall)
    for ray in range(0, 24, 2):
        ends = [(centre[0] + reach * math.cos(a), centre[1] + reach * math.sin(a))
                for a in (math.tau * ray / 24, math.tau * (ray + 1) / 24)]  # fmt: skip
        pen.polygon([centre, *ends], fill=inks[3] if ray % 4 else "#f7c977")
    for ring, ink in enumerate((inks[4], inks[1], inks[0], inks[2], inks[3])):
        pen.ellipse(_box(*centre, *[(0.34 - 0.06 * ring) * tall] * 2), fill=ink)
    for band in range(5):
        top = (0.66 + 0.075 * band) * tall
        curve = [(x * wide / 40, top + 0.035 * tall * math.sin(x / 4 + band)) for x in range(41)]
        pen.polygon([*curve, (wide, tall), (0, tall)], fill=inks[(2, 4, 1, 2, 4)[band]])
    return picture.resize((width, height), Image.Resampling.LANCZOS)


def _box(x: float, y: float, rx: float, ry: float) -> tuple[float, float, float, float]:
    return x - rx, y - ry, x + rx, y + ry


def _gradient(wide: int, tall: int, top: Ink, bottom: Ink, end: float) -> Image.Image:
    ramp = (np.linspace(0, 1 / end, tall).clip(0, 1) * 255).astype(np.uint8)
    mask = Image.fromarray(np.repeat(ramp[:, None], 2, axis=1)).resize((wide, tall))
    return Image.composite(
        Image.new("RGB", (wide, tall), bottom), Image.new("RGB", (wide, tall), top), mask
    )


def _stars(picture: Image.Image, dice: np.random.Generator, strength: float) -> None:
    pen = ImageDraw.Draw(picture, "RGBA")
    for x, y, size in dice.uniform(0, 1, (140, 3)):
        radius = picture.height * (0.0006 + 0.0016 * size**3)
        shine = round(235 * strength * (0.3 + 0.7 * size) * (1 - 0.8 * y))
        place = (x * picture.width, y * picture.height * 0.55)
        pen.ellipse(_box(*place, radius, radius), fill=(255, 250, 235, shine))


def _sun(picture: Image.Image, hour: Hour, level: float) -> None:
    x, y = 0.36 * picture.width, level * (1 - hour.sun_height)
    radius = 0.062 * picture.height
    glow = Image.new("L", (picture.width // 8, picture.height // 8))
    pen = ImageDraw.Draw(glow)
    pen.ellipse(_box(x / 8, y / 8, radius / 3, radius / 3), fill=170)
    glow = glow.filter(ImageFilter.GaussianBlur(radius / 6)).resize(picture.size)
    picture.paste(hour.sun, (0, 0), glow)
    ImageDraw.Draw(picture).ellipse(_box(x, y, radius, radius), fill=hour.sun)


def _crest(
    dice: np.random.Generator, wide: int, tall: int, base: float, high: float
) -> list[tuple[float, float]]:
    x = np.linspace(0, 1, 160)
    shape = np.zeros_like(x)
    for octave in range(5):
        phase = dice.uniform(0, math.tau)
        shape += 0.5**octave * (1 - np.abs(np.sin(x * 2.2 * 2**octave + phase)))
    y = (base - high * shape / 1.6) * tall
    return [(0, tall), *zip((x * wide).tolist(), y.tolist(), strict=True), (wide, tall)]


def _sea(picture: Image.Image, hour: Hour, level: float, t: float) -> None:
    wide, tall = picture.width, round(picture.height - level)
    water = _gradient(wide, tall, *hour.sea, 1.0)
    pen = ImageDraw.Draw(water, "RGBA")
    dice = np.random.default_rng(11)
    sun = Image.new("RGB", (1, 1), hour.sun).getpixel((0, 0))
    for near, phase, way in dice.uniform(0, 1, (170, 3)):
        y = near**1.7 * tall
        path = 0.36 * wide + (way - 0.5) * wide * (0.1 + 0.35 * near)
        x = path + 0.02 * wide * math.sin(t * (0.9 + phase) + phase * 20)
        half, thin = (0.008 + 0.045 * near) * wide, (0.0012 + 0.004 * near) * picture.height
        shine = round(150 * (1 - 0.6 * near) * (0.55 + 0.45 * math.sin(t * 2.1 + phase * 40)))
        pen.ellipse(_box(x, y, half, thin), fill=(*_channels(sun), max(0, shine)))
    picture.paste(water, (0, round(level)))


def _channels(pixel: object) -> tuple[int, int, int]:
    return pixel[:3] if isinstance(pixel, tuple) else (255, 255, 255)  # pyright: ignore[reportUnknownVariableType]  # Pillow's pixels are tuples of any


def _boat(picture: Image.Image, hour: Hour, x: float, y: float, size: float, t: float) -> None:
    pen = ImageDraw.Draw(picture)
    lean, bob = 0.05 * math.sin(t * 1.6), 0.03 * math.sin(t * 2.2)

    def at(dx: float, dy: float) -> tuple[float, float]:
        return x + (dx - dy * lean) * size, y + (dy + bob + dx * lean) * size

    pen.polygon([at(-0.42, -0.06), at(0.5, -0.06), at(0.36, 0.1), at(-0.3, 0.1)], hour.hills[2])
    pen.polygon([at(0.0, -1.0), at(0.0, -0.12), at(0.5, -0.12)], hour.tower[0])
    pen.polygon([at(-0.04, -0.86), at(-0.04, -0.12), at(-0.38, -0.12)], hour.tower[1])


def _tower(picture: Image.Image, hour: Hour, x: float, foot: float, high: float, t: float) -> None:
    lamp = foot - high * 0.9
    if hour.lamp > 0:
        _beam(picture, hour, (x, lamp), t)
    pen = ImageDraw.Draw(picture)
    for part in range(6):  # bands, narrower towards the top
        low, top = foot - high * 0.8 * part / 6, foot - high * 0.8 * (part + 1) / 6
        wide, slim = ((0.13 - 0.055 * step / 6) * high for step in (part, part + 1))
        fill = hour.tower if part % 2 == 0 else ("#c8402f", "#8f2a2c")
        pen.polygon([(x - wide, low), (x + wide, low), (x + slim, top), (x - slim, top)], fill[1])
        edge = [(x + wide * 0.2, low), (x + slim * 0.2, top)]
        pen.polygon([(x - wide, low), *edge, (x - slim, top)], fill[0])
    top = foot - high * 0.8
    pen.rectangle((x - 0.1 * high, top - 0.02 * high, x + 0.1 * high, top), hour.hills[2])
    pen.rectangle(_box(x, lamp, 0.055 * high, 0.09 * high), "#ffe9a8" if hour.lamp else "#cfe3ea")
    pen.polygon([(x - 0.085 * high, lamp - 0.08 * high), (x + 0.085 * high, lamp - 0.08 * high),
                 (x, lamp - 0.2 * high)], "#8f2a2c")  # fmt: skip


def _beam(picture: Image.Image, hour: Hour, lamp: tuple[float, float], t: float) -> None:
    small = Image.new("L", (picture.width // 8, picture.height // 8))
    pen = ImageDraw.Draw(small)
    x, y = lamp[0] / 8, lamp[1] / 8
    reach, aim = picture.width / 8, math.pi + 0.14 + 0.25 * math.sin(0.8 * t)
    pen.polygon([(x, y), *((x + reach * math.cos(aim + d), y + reach * math.sin(aim + d))
                           for d in (-0.07, 0.07))], fill=round(105 * hour.lamp))  # fmt: skip
    pen.ellipse(_box(x, y, reach / 22, reach / 22), fill=round(200 * hour.lamp))
    soft = small.filter(ImageFilter.GaussianBlur(small.height / 60))
    fade = np.linspace(0.1, 1.0, small.width)
    mask = Image.fromarray((np.asarray(soft) * fade[None]).astype(np.uint8))
    picture.paste("#fff1c4", (0, 0), mask.resize(picture.size, Image.Resampling.BICUBIC))
