"""The six scenes: each yields its pictures in order, and how much light and grain may lie on them."""

import contextlib
import math
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from core.draft.draw import Colour, Look, View, letters, mix
from core.draft.hearing import BANDS, Hearing
from core.executor import Order
from core.media.decode import load_image, video_frames
from core.modes import Mode
from core.presets import Camera, Preset
from core.requests import Request

LAYERS = {Preset.FAST: 5, Preset.BALANCED: 7, Preset.QUALITY: 9}


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


def pictures(shot: Shot) -> Iterator[tuple[Image.Image, float]]:
    """Yield every picture of ``shot``, each with the strength (0…1) of light and grain on it."""
    match shot.request.mode:
        case Mode.T2V | Mode.A2V:
            return _landscape(shot)
        case Mode.I2V:
            return _push(shot)
        case Mode.LIPSYNC:
            return _portrait(shot)
        case Mode.KEYFRAME:
            return _between(shot)
        case Mode.STYLE:
            return _restyled(shot)


def _landscape(shot: Shot) -> Iterator[tuple[Image.Image, float]]:
    """Ridges before a low sun; with a sound, they are its spectrum rolling towards the viewer."""
    (width, height), look, hearing = shot.size, shot.look, shot.hearing
    sampling, dice = shot.request.sampling, shot.look.random(4)
    layers = LAYERS[sampling.preset] * (2 if hearing else 1)
    waves = [_Ridge(dice, layer / (layers - 1)) for layer in range(layers)]
    sun_x, title = dice.uniform(0.3, 0.7), _title(shot)
    for index in range(sampling.frames):
        t, share, view = shot.at(index)
        loud, pitch = 0.35, 0.25 + 0.35 * share
        if hearing:
            loud, pitch = float(hearing.loudness[index]), float(hearing.pitch[index])
        frame = _sky(shot, sun_x, view, loud, pitch)
        for layer, wave in enumerate(waves):
            near = layer / (layers - 1)
            across = (np.arange(width) / width - 0.5) / (1 + (view.zoom - 1) * (0.3 + near))
            if hearing:
                past = max(0, index - round((1 - near) * 0.7 * sampling.fps))
                crest = wave.spectrum(across, hearing.bands[past])
            else:
                crest = wave.hills(across + view.x * (0.4 + 2 * near), t)
            level = 0.5 + (crest - 0.5 - view.y * (0.5 + near)) * (1 + (view.zoom - 1) * near)
            _ridge(frame, level * height, _tone(look, near), look, near)
        picture = Image.fromarray(frame)
        if title:
            fade = min(1.0, 0.25 + share * 5, 0.25 + (1 - share) * 6)
            picture.paste(title, (round(-8 + 8 * fade), 0), title.getchannel("A").point(
                lambda value, fade=fade: int(value * fade)))  # fmt: skip
        yield picture, 0.8


class _Ridge:
    """One line of hills; ``near`` is 0 at the horizon and 1 before the camera."""

    def __init__(self, dice: np.random.Generator, near: float) -> None:
        self._near = near
        self._pitch = dice.uniform(0.8, 1.3) * (2.6 - 1.4 * near) * 2 ** np.arange(5)
        self._phase = dice.uniform(0, math.tau, 5)
        self._high = 0.55 ** np.arange(5) * dice.uniform(0.9, 1.1)

    def hills(self, across: NDArray[Any], t: float) -> NDArray[Any]:
        """Return the crest, 0 top … 1 bottom, drifting by with ``t`` seconds."""
        at = (across[:, None] + 0.02 * t * (0.3 + 1.7 * self._near)) * self._pitch * 2
        sharp = 1 - np.abs(np.sin(at + self._phase))  # peaks far away, soft hills near
        shape = self._near * (0.5 + 0.5 * np.sin(at + self._phase)) + (1 - self._near) * sharp
        return 0.6 + 0.34 * self._near - (0.16 - 0.05 * self._near) * (shape @ self._high) / 1.6

    def spectrum(self, across: NDArray[Any], bands: NDArray[Any]) -> NDArray[Any]:
        """Return the crest for a moment of sound, low tones in the middle."""
        at = np.abs(across) * 1.9 * BANDS
        tall = np.interp(at, np.arange(BANDS), bands) * np.exp(-((across * 2.1) ** 2))
        rough = np.sin(across[:, None] * self._pitch * 9 + self._phase) @ self._high
        return 0.5 + 0.46 * self._near - 0.3 * tall * (0.55 + 0.45 * self._near) - 0.004 * rough


def _tone(look: Look, near: float) -> Colour:
    return mix(mix(look.glow, look.sky, 0.35 + 0.4 * near), look.deep, near**0.7)


def _sky(shot: Shot, x: float, view: View, loud: float, pitch: float) -> NDArray[np.uint8]:
    """Return the sky with a sun whose size follows ``loud`` and whose height follows ``pitch``."""
    (width, height), look = shot.size, shot.look
    rows, columns = np.mgrid[0 : height // 8, 0 : width // 8].astype(np.float32) * 8
    sky = mix(look.sky, look.deep, 0.25) + (look.glow - look.sky) * (rows / height / 0.62)[
        ..., None
    ].clip(0, 1) ** np.float32(1.3)
    far = np.hypot(
        columns - width * (x - view.x * 0.3), rows - height * (0.62 - 0.42 * pitch - view.y * 0.4)
    ) / (min(width, height) * view.zoom)
    size = 0.06 + 0.06 * loud
    halo = (0.2 + 0.6 * loud) * np.exp(-((far / (size * 3.2)) ** 2))
    disc = np.clip((size - far) / 0.012, 0, 1)
    light = np.maximum(halo, disc)[..., None].astype(np.float32)
    sky = sky + (mix(look.glow, np.full(3, 255, np.float32), 0.55) - sky) * light.clip(0, 1)
    small = Image.fromarray(sky.clip(0, 255).astype(np.uint8))
    return np.array(small.resize((width, height), Image.Resampling.BICUBIC))


def _ridge(
    frame: NDArray[np.uint8], crest: NDArray[Any], tone: Colour, look: Look, near: float
) -> None:
    """Paint everything below ``crest`` (px from the top, per column), with mist at its foot."""
    height = len(frame)
    top, solid = (int(np.clip(edge, 0, height)) for edge in (crest.min() - 1, crest.max() + 2))
    rows = np.arange(top, height, dtype=np.float32)[:, None]
    mist = ((rows / height - crest.mean() / height) * 2.2).clip(0, 0.45 * (1 - near))
    paint = tone + (look.glow - tone) * mist[..., None]
    frame[solid:] = paint[solid - top :].astype(np.uint8)
    band, rows = frame[top:solid], rows[: solid - top]
    cover = (rows - crest.astype(np.float32) + 0.5).clip(0, 1)[..., None]
    rim = np.exp(-((rows - crest) / (height / 160)).clip(0, 9))[..., None] * (0.5 - 0.2 * near)
    paint = paint[: solid - top]
    band[:] = (band + (paint + (look.glow - paint) * rim - band) * cover).astype(np.uint8)


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
    glow = tuple(int(value) for value in shot.look.glow)
    pen.rectangle((unit, base - 0.6 * unit, 3.2 * unit, base - 0.48 * unit), (*glow, 255))
    for number, line in enumerate(lines):
        place = (unit, base + 1.3 * unit * number)
        pen.text(place, line, (255, 255, 255, 245), letters(unit))
    shade = Image.new("RGBA", card.size, (0, 0, 0, 255))
    shade.putalpha(card.getchannel("A").filter(ImageFilter.GaussianBlur(unit / 5)))
    return Image.alpha_composite(shade, card)


def _push(shot: Shot) -> Iterator[tuple[Image.Image, float]]:
    """The image under a moving camera."""
    image = shot.image("image")
    for index in range(shot.request.sampling.frames):
        yield shot.at(index)[2].of_picture(image), 0.7


def _portrait(shot: Shot) -> Iterator[tuple[Image.Image, float]]:
    """The portrait speaks: its mouth opens with the loudness, its head nods a little with it."""
    image, hearing = shot.image("image"), shot.hearing
    mouth, pixels = _mouth(image), np.asarray(image, np.float32)
    for index in range(shot.request.sampling.frames):
        t, _, view = shot.at(index)
        wide = float(hearing.loudness[index]) if hearing else 0.0
        speaking = Image.fromarray(_opened(pixels, mouth, wide))
        nod = View(view.zoom * 1.03, view.x + 0.004 * math.sin(t * 1.7), view.y - 0.006 * wide)
        yield nod.of_picture(speaking), 0.4


def _mouth(image: Image.Image) -> tuple[int, int, int]:
    """Return the mouth's middle (x, y) and width: low in the largest patch of skin colour."""
    small = np.asarray(image.resize((96, 96)).convert("YCbCr"), np.int16)
    skin = (abs(small[..., 1] - 109) < 22) & (abs(small[..., 2] - 152) < 19) & (small[..., 0] > 50)
    skin &= np.hypot(*(np.mgrid[0:96, 0:96] - 46)) < 40
    x, y, wide = 0.5, 0.62, 0.17
    if skin.sum() > 300:
        rows = np.flatnonzero(skin.sum(axis=1) > skin.sum(axis=1).max() * 0.45)
        columns = np.flatnonzero(skin.sum(axis=0) > skin.sum(axis=0).max() * 0.45)
        x, wide = float(columns.mean()) / 96, float(np.ptp(columns)) / 96 * 0.42
        y = (rows[0] + 0.76 * float(np.ptp(rows))) / 96
    return round(x * image.width), round(y * image.height), max(8, round(wide * image.width))


def _opened(
    pixels: NDArray[np.float32], mouth: tuple[int, int, int], wide: float
) -> NDArray[np.uint8]:
    """Return ``pixels`` with the mouth open by ``wide``: lips part, what lies below moves down."""
    x, y, span = mouth
    out, reach = pixels.astype(np.uint8), round(span * 0.9)
    left, right = max(0, x - span // 2), min(out.shape[1], x + span // 2)
    top, foot = max(0, y - reach // 2), min(len(out), y + reach)
    across = (np.arange(left, right) - x) / (span / 2)
    lower = wide * span * 0.42 * (1 - across**2).clip(0) ** 0.8 + 1e-3
    upper = lower * 0.3
    rows = np.arange(top, foot, dtype=np.float32)[:, None]
    below = y + (rows - y - lower) * (foot - y) / (foot - y - lower)
    above = top + (rows - top) * (y - top) / (y - top - upper)
    source = np.where(rows > y, below.clip(y), above.clip(None, y)) - top
    whole = np.floor(source).clip(0, foot - top - 2).astype(int)
    patch = pixels[top:foot, left:right]
    columns, part = np.arange(right - left), (source - whole)[..., None]
    warped = patch[whole, columns] * (1 - part) + patch[whole + 1, columns] * part
    inside = np.minimum(rows - y + upper, y + lower - rows).clip(0, 1)[..., None]
    teeth = ((y - upper + 0.38 * (lower + upper)) - rows).clip(0, 1)[..., None]
    dark = np.array((58, 16, 22)) + (np.array((232, 222, 212)) - (58, 16, 22)) * teeth
    out[top:foot, left:right] = (warped + (dark - warped) * inside).clip(0, 255)
    return out


def _between(shot: Shot) -> Iterator[tuple[Image.Image, float]]:
    """From the first image to the last, both exact, through a cloud that the seed shapes."""
    first, last, count = shot.image("first"), shot.image("last"), shot.request.sampling.frames
    cloud = Image.fromarray(shot.look.random(5).integers(0, 256, (5, 7), np.uint8))
    cloud = cloud.resize(shot.size, Image.Resampling.BICUBIC)
    for index in range(count):
        share = index / (count - 1)
        # soft over 128 steps of the cloud, empty at the first frame and full at the last
        level = 255 - 383 * share * share * (3 - 2 * share)
        mask = cloud.point([round(min(255, max(0, (v - level) * 2))) for v in range(256)])
        leaving, arriving = _passage(shot.request.sampling.camera, share)
        blend = Image.composite(arriving.of_picture(last), leaving.of_picture(first), mask)
        yield blend, 0.6 * math.sin(math.pi * share) if index < count - 1 else 0.0


def _passage(camera: Camera, share: float) -> tuple[View, View]:
    """Return the views of what goes (still at 0) and of what comes (still at 1)."""
    still, back = View(1, 0, 0), View.of(camera, 1 - share)
    if camera is Camera.DOLLY_OUT:
        return still, View.of(camera, share)
    if camera is Camera.DOLLY_IN:
        return View.of(camera, share), still
    return View.of(camera, share), View(back.zoom, -back.x, -back.y)


def _restyled(shot: Shot) -> Iterator[tuple[Image.Image, float]]:
    """The video's motion and edges in the colours of the style image."""
    sampling, style = shot.request.sampling, shot.image("image")
    palette = style.resize((96, 96)).quantize(12)
    goal, seen = _statistics(np.asarray(style)[::8, ::8]), None
    source = shot.order.path_of(shot.request.media()["video"])
    frames = video_frames(source, sampling.fps, sampling.frames, sampling.size)
    with contextlib.closing(frames):
        for index, pixels in enumerate(frames):
            now = _statistics(pixels[::8, ::8])
            seen = now if seen is None else tuple(0.9 * a + 0.1 * b for a, b in zip(seen, now))
            picture = Image.fromarray(pixels)
            toned = picture.convert("RGB", _transfer(seen, goal))
            flat = toned.quantize(palette=palette, dither=Image.Dither.NONE).convert("RGB")
            edges = picture.convert("L").filter(ImageFilter.GaussianBlur(1.2))
            edges = edges.filter(ImageFilter.FIND_EDGES).point(lambda value: min(230, value * 9))
            inked = Image.blend(toned, flat, 0.55)
            inked.paste(tuple(int(value) for value in shot.look.deep), (0, 0), edges)
            yield shot.at(index)[2].of_picture(inked), 0.5


def _statistics(pixels: NDArray[np.uint8]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return the mean and the covariance of the colours."""
    flat = pixels.reshape(-1, 3).astype(np.float64)
    return flat.mean(axis=0), np.cov(flat.T) + 4 * np.eye(3)


def _transfer(seen, goal) -> tuple[float, ...]:
    """Return the affine map that gives colours of one statistic the other's, as 3 rows of 4."""
    (from_mean, from_cov), (to_mean, to_cov) = seen, goal
    root = _power(from_cov, 0.5)
    back = _power(from_cov, -0.5)
    matrix = back @ _power(root @ to_cov @ root, 0.5) @ back
    return tuple(np.column_stack([matrix, to_mean - matrix @ from_mean]).ravel().tolist())


def _power(matrix: NDArray[Any], exponent: float) -> NDArray[Any]:
    values, vectors = np.linalg.eigh(matrix)
    return (vectors * values.clip(1e-6) ** exponent) @ vectors.T
