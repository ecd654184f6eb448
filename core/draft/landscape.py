"""The scene without a picture: ridges under a low sun, or a sound rolling by as ridges."""

import math
import textwrap
from collections.abc import Iterator

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from core.draft.draw import Floats, Shot, View, ink, letters, mix
from core.draft.hearing import BANDS
from core.presets import Preset

LAYERS = {Preset.DRAFT: 4, Preset.FAST: 5, Preset.BALANCED: 7, Preset.QUALITY: 9}


def landscape(shot: Shot) -> Iterator[tuple[Image.Image, float]]:
    """Ridges before a low sun; with a sound, they are its spectrum rolling towards the viewer."""
    (width, height), hearing, dice = shot.size, shot.hearing, shot.look.random(4)
    sampling, title = shot.request.sampling, _title(shot)
    depths = np.linspace(0, 1, LAYERS[sampling.preset] + (5 if hearing else 0))
    ridges = [_Ridge(dice, float(near)) for near in depths]
    sun_x, across = dice.uniform(0.3, 0.7), np.arange(width) / width - 0.5
    for index in range(sampling.frames):
        t, share, view = shot.at(index)
        loud, pitch, past = 0.35, 0.25 + 0.35 * share, None
        if hearing:
            loud, pitch = hearing.loudness[index], 0.45 + hearing.pitch[index]
            past = hearing.bands[max(0, index - round(0.7 * sampling.fps)) : index + 1]
        picture = _sky(shot, sun_x, view, float(loud), float(pitch))
        crests = [ridge.crest(across, view, t, past) * height for ridge in ridges]
        feet = [crest.max() + 1 for crest in crests[1:]] + [height]
        for ridge, crest, foot in zip(ridges, crests, feet, strict=True):
            ridge.paint(picture, crest, float(foot), shot)
        if title:
            shown = min(1.0, 0.3 + share * 5, 0.3 + (1 - share) * 5)
            mask = title.getchannel("A").point([round(alpha * shown) for alpha in range(256)])
            picture.paste(title, (0, 0), mask)
        yield picture, 0.8


class _Ridge:
    """One line of hills; ``near`` is 0 at the horizon and 1 before the camera."""

    def __init__(self, dice: np.random.Generator, near: float) -> None:
        self._near = near
        self._pitch = dice.uniform(0.8, 1.3) * (5 - 3 * near) * 2 ** np.arange(5)
        self._phase = dice.uniform(0, math.tau, 5)
        self._high = 0.5 ** np.arange(5) * dice.uniform(0.9, 1.1)

    def crest(self, across: Floats, view: View, t: float, past: Floats | None) -> Floats:
        """Return the height of the line at ``across``, 0 top … 1 bottom of the frame.

        Without a sound it drifts by with ``t`` seconds; with the bands of the ``past`` moments it
        is one of them, the newest in front, with the low tones in the middle.
        """
        near, closer = self._near, view.zoom - 1
        at = across / (1 + closer * (0.3 + near)) + view.x * (0.4 + 2 * near)
        if past is None:
            at = at + 0.02 * t * (0.3 + 1.7 * near)
            wave = np.sin(at[:, None] * self._pitch + self._phase)
            shape = near * (0.5 + 0.5 * wave) + (1 - near) * (1 - np.abs(wave))  # peaks, then hills
            line = 0.6 + 0.34 * near - (0.1 - 0.03 * near) * (shape @ self._high)
        else:
            low_first = np.asarray(past[round(near * (len(past) - 1))], np.float64)
            tones = np.arange(BANDS, dtype=np.float64)
            tall = np.interp(np.abs(at) * 1.8 * BANDS, tones, low_first)
            soft = np.hanning(len(across) // 24 + 3)
            tall = np.convolve(tall * np.exp(-((at * 2.2) ** 2)), soft / soft.sum(), "same")
            line = 0.48 + 0.48 * near - 0.34 * tall * (0.5 + 0.5 * near)
            line -= 0.006 * np.sin(at[:, None] * self._pitch * 4 + self._phase) @ self._high
        return 0.5 + (line - 0.5 - view.y * (0.5 + near)) * (1 + closer * near)

    def paint(self, picture: Image.Image, crest: Floats, foot: float, shot: Shot) -> None:
        """Paint from ``crest`` down to ``foot`` (px from the top), with a rim of light and mist."""
        look, near, (width, height) = shot.look, self._near, picture.size
        tone, shine, haze = mix(mix(look.glow, look.sky, 0.35), look.deep, near**0.7), 90, 0.4
        if shot.hearing:
            tone, shine, haze = mix(look.deep, look.sky, 0.35 * (1 - near)), 230, 0.0
        top, end = (int(np.clip(edge, 0, height)) for edge in (crest.min() - 1, foot + 1))
        if top >= end:
            return
        rows = np.arange(top, end, dtype=np.float32)[:, None]
        mist = ((rows - crest.mean()) / height * 2.2).clip(0, haze * (1 - near))
        column = (tone + (look.glow - tone) * mist).astype(np.uint8)[:, None]
        steep = np.hypot(1, np.gradient(crest))  # so that a line is as thick on a slope
        below = (rows - crest.astype(np.float32)) / steep.astype(np.float32)
        cover = (below + np.float32(0.5)).clip(0, 1)
        rim = cover * (1 - below * np.float32(90 / height)).clip(0, 1) ** 2
        body = Image.fromarray(column).resize((width, end - top), Image.Resampling.NEAREST)
        picture.paste(body, (0, top), Image.fromarray((cover * 255).astype(np.uint8)))
        edge = Image.fromarray((rim * shine).astype(np.uint8))
        picture.paste(ink(look.glow), (0, top, width, end), edge)


def _sky(shot: Shot, x: float, view: View, loud: float, pitch: float) -> Image.Image:
    """Return the sky with a sun whose size follows ``loud`` and whose height follows ``pitch``."""
    (width, height), look = shot.size, shot.look
    rows, columns = np.mgrid[0 : height // 8, 0 : width // 8].astype(np.float32) * 8
    fall = (rows / height / 0.62).clip(0, 1)[..., None] ** 1.3
    zenith, white = mix(look.sky, look.deep, 0.25), np.full(3, 255, np.float32)
    sky, sun = zenith + (look.glow - zenith) * fall, mix(look.glow, white, 0.6)
    x, y = width * (x - view.x * 0.3), height * (0.62 - 0.42 * pitch - view.y * 0.4)
    radius = (0.055 + 0.06 * loud) * min(width, height) * view.zoom
    far = np.hypot(columns - x, rows - y) / radius
    sky += (sun - sky) * ((0.25 + 0.55 * loud) * np.exp(-((far / 3.4) ** 2)))[..., None]
    picture = Image.fromarray(sky.clip(0, 255).astype(np.uint8))
    picture = picture.resize((width, height), Image.Resampling.BICUBIC)
    disc = Image.new("L", (round(radius * 2) * 4, round(radius * 2) * 4))
    ImageDraw.Draw(disc).ellipse((0, 0, *disc.size), 255)
    disc = disc.reduce(4)
    picture.paste(ink(sun), (round(x - radius), round(y - radius)), disc)
    return picture


def _title(shot: Shot) -> Image.Image | None:
    """Return the prompt as lettering, over a shade that keeps it readable; None without one."""
    (width, height), prompt = shot.size, " ".join(shot.request.prompt.split())
    if not prompt:
        return None
    lines = textwrap.wrap(prompt, 34, max_lines=3, placeholder=" …")
    unit = min(width / 22, height / 13)
    card = Image.new("RGBA", shot.size)
    pen = ImageDraw.Draw(card)
    base = height - unit * (1.1 + 1.3 * len(lines))
    pen.rectangle(
        (unit, base - 0.6 * unit, 3.2 * unit, base - 0.48 * unit), (*ink(shot.look.glow), 255)
    )
    for number, line in enumerate(lines):
        place = (unit, base + 1.3 * unit * number)
        pen.text(place, line, (255, 255, 255, 245), letters(unit))
    shade = Image.new("RGBA", card.size, (0, 0, 0, 255))
    shade.putalpha(card.getchannel("A").filter(ImageFilter.GaussianBlur(unit / 5)))
    return Image.alpha_composite(shade, card)
