"""The six scenes: each yields its pictures in order, with how much light and grain they bear."""

import math
from collections.abc import Iterator
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter, ImageOps

from core.draft.draw import Floats, Shot, View, ink
from core.draft.landscape import landscape
from core.media.decode import video_frames
from core.modes import Mode
from core.presets import Camera

_THROAT, _TEETH = np.array((58.0, 16.0, 22.0)), np.array((232.0, 222.0, 212.0))
Statistics: TypeAlias = tuple[Floats, Floats]  # mean and covariance of colours


def pictures(shot: Shot) -> Iterator[tuple[Image.Image, float]]:
    """Yield every picture of ``shot``, each with the strength (0…1) of light and grain on it."""
    match shot.request.mode:
        case Mode.T2V | Mode.A2V:
            return landscape(shot)
        case Mode.I2V:
            return _push(shot)
        case Mode.LIPSYNC:
            return _portrait(shot)
        case Mode.KEYFRAME:
            return _between(shot)
        case Mode.STYLE:
            return _restyled(shot)


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
    """Return the mouth's middle (x, y) and width: the reddest rows low in the largest face."""
    small = np.asarray(image.resize((96, 96)).convert("YCbCr"), np.int16)
    red = small[..., 2]
    skin = (abs(small[..., 1] - 109) < 22) & (abs(red - 152) < 19) & (small[..., 0] > 50)
    skin &= np.hypot(*(np.mgrid[0:96, 0:96] - 46)) < 40
    x, y, wide = 0.5, 0.62, 0.13
    if skin.sum() > 300:
        rows, columns = (np.flatnonzero((n := skin.sum(axis=a)) > n.max() * 0.45) for a in (1, 0))
        x, wide = float(columns.mean()) / 96, float(np.ptp(columns)) / 96 * 0.32
        low, high = (round(rows[0] + share * float(np.ptp(rows))) for share in (0.6, 0.95))
        middle = slice(round(96 * (x - wide / 3)), round(96 * (x + wide / 3)) + 1)
        y = (low + float(red[low : high + 1, middle].mean(axis=1).argmax()) + 0.5) / 96
    return round(x * image.width), round(y * image.height), max(8, round(wide * image.width))


def _opened(
    pixels: NDArray[np.float32], mouth: tuple[int, int, int], wide: float
) -> NDArray[np.uint8]:
    """Return ``pixels`` with the mouth open by ``wide``: lips part, what lies below moves down."""
    x, y, span = mouth
    out, reach = pixels.astype(np.uint8), round(span * 0.9)
    left, right = max(0, x - span // 2), min(out.shape[1], x + span // 2)
    top, foot = max(0, y - reach // 2), min(len(out), y + reach)
    columns = np.arange(left, right, dtype=np.intp)
    rows = np.arange(top, foot, dtype=np.float64)[:, None]
    lower = wide * span * 0.5 * np.clip(1 - ((columns - x) / (span / 2)) ** 2, 0, 1) ** 0.8 + 1e-3
    upper = lower * 0.3
    below = y + (rows - y - lower) * (foot - y) / (foot - y - lower)
    above = top + (rows - top) * (y - top) / (y - top - upper)
    source = np.where(rows > y, np.maximum(below, y), np.minimum(above, y))
    whole = np.floor(source).clip(top, foot - 2).astype(np.intp)
    part = (source - whole)[..., None]
    warped = pixels[whole, columns] * (1 - part) + pixels[whole + 1, columns] * part
    inside = np.minimum(rows - y + upper, y + lower - rows).clip(0, min(1, 8 * wide))[..., None]
    teeth = ((y - upper + 0.38 * (lower + upper)) - rows).clip(0, 1)[..., None]
    dark = _THROAT + (_TEETH - _THROAT) * teeth
    out[top:foot, left:right] = (warped + (dark - warped) * inside).clip(0, 255)
    return out


def _between(shot: Shot) -> Iterator[tuple[Image.Image, float]]:
    """From the first image to the last, both exact, through a cloud that the seed shapes."""
    first, last, count = shot.image("first"), shot.image("last"), shot.request.sampling.frames
    cloud = Image.fromarray(shot.look.random(5).integers(0, 256, (5, 7), np.uint8))
    cloud = cloud.resize(shot.size, Image.Resampling.BICUBIC)
    for index in range(count):
        share = index / (count - 1)
        # soft over 380 steps of the cloud: empty at the first frame and full at the last
        level = 255 - 635 * share * share * (3 - 2 * share)
        mask = cloud.point([round(min(255, max(0, (v - level) * 255 / 380))) for v in range(256)])
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
    goal = _statistics(np.asarray(style)[::8, ::8])
    seen: Statistics | None = None
    source = shot.order.path_of(shot.request.media()["video"])
    frames = video_frames(source, sampling.fps, sampling.frames, sampling.size)
    unit = min(shot.size) / 256
    darken = [min(220, max(0, (value - 5) * 9)) for value in range(256)]
    for index, pixels in enumerate(frames):
        now = _statistics(pixels[::8, ::8])
        mean, spread = seen or now
        seen = 0.9 * mean + 0.1 * now[0], 0.9 * spread + 0.1 * now[1]  # slowly, or it flickers
        picture = Image.fromarray(pixels)
        toned = picture.convert("RGB", _transfer(seen, goal))
        flat = toned.reduce(2).quantize(palette=palette, dither=Image.Dither.NONE)
        flat = flat.convert("RGB").resize(shot.size, Image.Resampling.BILINEAR)
        edges = picture.convert("L").filter(ImageFilter.BoxBlur(unit / 2))
        edges = edges.filter(ImageFilter.FIND_EDGES).point(darken)
        edges = ImageOps.expand(edges.crop((2, 2, shot.size[0] - 2, shot.size[1] - 2)), 2)
        inked = Image.blend(toned, flat, 0.6)
        inked.paste(ink(shot.look.deep), (0, 0), edges)
        yield shot.at(index)[2].of_picture(inked), 0.5


def _statistics(pixels: NDArray[np.uint8]) -> Statistics:
    flat = pixels.reshape(-1, 3).astype(np.float64)
    return flat.mean(axis=0), np.cov(flat.T) + 4 * np.eye(3)


def _transfer(seen: Statistics, goal: Statistics) -> tuple[float, ...]:
    """Return the affine map that gives colours of one statistic the other's, as 3 rows of 4."""
    (from_mean, from_cov), (to_mean, to_cov) = seen, goal
    root = _power(from_cov, 0.5)
    back = _power(from_cov, -0.5)
    matrix = back @ _power(root @ to_cov @ root, 0.5) @ back
    return tuple(np.column_stack([matrix, to_mean - matrix @ from_mean]).ravel().tolist())


def _power(matrix: Floats, exponent: float) -> Floats:
    values, vectors = np.linalg.eigh(matrix)
    return (vectors * values.clip(1e-6) ** exponent) @ vectors.T
