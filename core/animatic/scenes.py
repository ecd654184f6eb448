"""The scenes: each yields its pictures in order, with how much light and grain they bear.

A mode is drawn by its files: a video is restyled, several pictures follow each other, the camera
pushes into one, and where there is none, hills are drawn. A mode that has more to show brings a
scene of its own.
"""

import math
import textwrap
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import TypeAlias

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageOps

from core.animatic.drawing import Floats, Shot, View, font, ink
from core.domain.continuation import film_frames, film_of, shown_frames
from core.domain.keyframes import picture_frames
from core.domain.media import MediaKind
from core.domain.modes import MODES, Mode
from core.domain.presets import Camera
from core.media.decode import video_frames

Scene: TypeAlias = Callable[[Shot], Iterator[tuple[Image.Image, float]]]


def pictures(shot: Shot) -> Iterator[tuple[Image.Image, float]]:
    """Yield every picture of ``shot``, each with the strength (0…1) of light and grain on it."""
    return (_own_scenes().get(shot.request.mode) or _scene_of(shot))(shot)


def _own_scenes() -> dict[Mode, Scene]:
    """Return the scenes that say more than the files of their mode do."""
    return {Mode.LIPSYNC: _portrait, Mode.EXTEND: _going_on}


def _scene_of(shot: Shot) -> Scene:
    """Choose the scene by the files of ``shot``."""
    images = len(shot.roles(MediaKind.IMAGE))
    if shot.roles(MediaKind.VIDEO):
        return _restyled if images else _film
    return (_hills, _push, _between)[min(images, 2)]


def _hills(shot: Shot) -> Iterator[tuple[Image.Image, float]]:
    """Hills before a low sun; with a sound, they are its spectrum rolling towards the viewer."""
    (width, height), look, heard = shot.size, shot.look, shot.hearing
    dice, octaves, across = look.random(4), 2.0 ** np.arange(5), np.linspace(-0.5, 0.5, width)
    sun_x, phases = dice.uniform(0.3, 0.7), dice.uniform(0, 6.3, (8, 5))
    for index in range(shot.request.sampling.frames):
        t, share, view = shot.at(index)
        loud, pitch = (heard.loudness[index], heard.pitch[index]) if heard else (0.35, share * 0.4)
        sun = sun_x - view.x * 0.3, 0.5 - 0.42 * pitch - view.y * 0.4
        picture = _sky(shot, (2 * width, 2 * height), sun, loud)
        pen = ImageDraw.Draw(picture)  # at twice the size, for smooth edges
        for near, phase in zip(np.linspace(0, 1, 8), phases, strict=True):
            at = across / (1 + (view.zoom - 1) * (0.3 + near))
            at += view.x * (0.4 + 2 * near) + 0.02 * t * (0.3 + 1.7 * near)
            wave = np.sin(at[:, None] * (6 - 3 * near) * octaves + phase) @ (1 / octaves)
            line = 0.62 + 0.3 * near - 0.06 * wave - view.y * (0.5 + near)
            if heard:
                tones: Floats = heard.bands[max(0, index - round((1 - near) * 12))]
                line -= 0.3 * np.interp(abs(across) * 80, np.arange(len(tones)), tones)
            crest = np.stack([np.arange(width), line * height], 1).ravel() * 2
            tone = look.glow + (look.deep - look.glow) * (0.3 + 0.7 * near)
            pen.polygon([*crest.tolist(), 2 * width, 2 * height, 0, 2 * height], ink(tone))
            pen.line(crest.tolist(), ink((tone + look.glow) / 2), 1 + height // 160)
        picture = picture.reduce(2)
        _write_title(picture, shot)
        yield picture, 0.8


def _sky(shot: Shot, size: tuple[int, int], sun: tuple[float, float], loud: float) -> Image.Image:
    """Draw the sky, its ``sun`` larger and brighter when ``loud``."""
    look, unit, (x, y) = shot.look, min(size), (sun[0] * size[0], sun[1] * size[1])
    depth, light = Image.linear_gradient("L").resize(size), ink(look.glow * 0.4 + 153)
    sky = ImageOps.colorize(depth, ink(look.sky), ink(look.glow))
    reach = round((0.4 + 0.4 * loud) * unit)
    halo = 255 * (0.25 + 0.55 * loud) * np.exp(-8 * (np.arange(256) / 181) ** 2)
    shine = Image.radial_gradient("L").point(halo.tolist()).resize((2 * reach, 2 * reach))
    sky.paste(light, (round(x) - reach, round(y) - reach), shine)
    ImageDraw.Draw(sky).circle((x, y), (0.055 + 0.06 * loud) * unit, light)
    return sky


def _write_title(picture: Image.Image, shot: Shot) -> None:
    unit = max(9.0, min(shot.size[0] / 22, shot.size[1] / 13))
    text = textwrap.fill(shot.request.prompt, 34, max_lines=3, placeholder=" …")
    place, wide, edge = (unit, shot.size[1] - unit), round(unit / 14), ink(shot.look.deep)
    pen = ImageDraw.Draw(picture)
    pen.text(place, text, "white", font(unit), "ld", stroke_width=wide, stroke_fill=edge)


def _push(shot: Shot) -> Iterator[tuple[Image.Image, float]]:
    image = shot.image(shot.roles(MediaKind.IMAGE)[0])
    for index in range(shot.request.sampling.frames):
        yield shot.at(index)[2].of_picture(image), 0.7


def _portrait(shot: Shot) -> Iterator[tuple[Image.Image, float]]:
    """The portrait speaks: its jaw falls with the loudness, its head nods a little with it."""
    image, heard = shot.image("image"), shot.hearing
    x, y, span = _mouth(image)
    box = (max(0, x - span // 2), y, min(image.width, x + span // 2), min(image.height, y + span))
    lip, (high, wide) = np.asarray(image.crop(box)), (box[3] - y, box[2] - box[0])
    down, right = np.mgrid[0:high, -1 : 1 : wide * 1j]
    for index in range(shot.request.sampling.frames):
        (t, _, view), loud = shot.at(index), float(heard.loudness[index]) if heard else 0.0
        gap = 0.45 * loud * span * (1 - right**2) ** 0.8 + 1e-3
        source = ((down - gap) * high / (high - gap)).clip(0, high - 1).round().astype(np.intp)
        jaw = np.take_along_axis(lip, source[..., None], 0)
        throat = np.where((down < 0.3 * gap)[..., None], (232, 222, 212), (58, 16, 22))
        inside = (gap - down).clip(0, min(1.0, 8 * loud))[..., None]
        speaking = image.copy()
        speaking.paste(Image.fromarray((jaw + (throat - jaw) * inside).astype(np.uint8)), box[:2])
        nod = View(view.zoom * 1.03, view.x + 0.004 * math.sin(t * 1.7), view.y - 0.006 * loud)
        yield nod.of_picture(speaking), 0.4


def _mouth(image: Image.Image) -> tuple[int, int, int]:
    """Find the mouth's middle (x, y) and width: the reddest row low in what has skin's colour."""
    small = np.asarray(image.resize((96, 96)).convert("YCbCr"), np.int16)
    skin = (abs(small - (150, 109, 152)) < (100, 22, 19)).all(2)
    skin &= np.hypot(*(np.mgrid[0:96, 0:96] - 46)) < 40
    x, y, wide = 48.0, 60.0, 12.0
    if skin.sum() > 300:
        rows, columns = (np.flatnonzero((n := skin.sum(axis=a)) > n.max() * 0.45) for a in (1, 0))
        x, wide = float(columns.mean()), float(np.ptp(columns)) * 0.32
        low, high = (round(rows[0] + share * float(np.ptp(rows))) for share in (0.6, 0.95))
        red = small[low : high + 1, round(x - wide / 3) : round(x + wide / 3) + 1, 2]
        y = low + float(red.mean(axis=1).argmax()) + 0.5
    scale = image.width / 96
    return round(x * scale), round(y * image.height / 96), max(8, round(wide * scale))


def _between(shot: Shot) -> Iterator[tuple[Image.Image, float]]:
    """From each image to the next, all exact and in time, through a cloud that the seed shapes."""
    camera, places = shot.request.sampling.camera, picture_frames(shot.request)
    legs = list(pairwise((frame, shot.image(role)) for role, frame in places.items()))
    small = Image.fromarray(shot.look.random(5).integers(0, 256, (5, 7), np.uint8))
    cloud, still = small.resize(shot.size, Image.Resampling.BICUBIC), View(1, 0, 0)
    for index in range(shot.request.sampling.frames):
        passed = [leg for leg in legs if leg[0][0] <= index]
        (begins, first), (ends, last) = passed[-1] if passed else legs[0]
        share = min(1.0, max(0.0, (index - begins) / (ends - begins)))
        eased = share * share * (3 - 2 * share) * 425 - 170  # the cloud parts over 100 levels
        mask = cloud.point([min(255, max(0, level / 1.5 + eased)) for level in range(256)])
        back = View.of(camera, share if camera is Camera.DOLLY_OUT else 1 - share)
        leaving = still if camera is Camera.DOLLY_OUT else View.of(camera, share)
        arriving = still if camera is Camera.DOLLY_IN else View(back.zoom, -back.x, -back.y)
        blend = Image.composite(arriving.of_picture(last), leaving.of_picture(first), mask)
        yield blend, 0.6 * math.sin(math.pi * share) if share < 1 else 0.0


def _restyled(shot: Shot) -> Iterator[tuple[Image.Image, float]]:
    """The video's motion and edges in the colours of the style image."""
    style, tint = shot.image(shot.roles(MediaKind.IMAGE)[0]), None
    darken = [min(220, max(0, (value - 4) * 5)) for value in range(256)]
    palette, goal = style.resize((96, 96)).quantize(12), np.asarray(style)[::8, ::8]
    for index, pixels in enumerate(_frames(shot)):
        seen = pixels[::8, ::8].mean((0, 1)), pixels[::8, ::8].std((0, 1)) + 2
        now = np.stack([gain := goal.std((0, 1)) / seen[1], goal.mean((0, 1)) - gain * seen[0]])
        tint = now if tint is None else 0.9 * tint + 0.1 * now  # slowly: no flicker
        levels = np.arange(256)[:, None] * tint[0] + tint[1]
        toned = Image.fromarray(pixels).point(levels.clip(0, 255).round().T.ravel().tolist())
        flat = toned.reduce(2).quantize(palette=palette, dither=Image.Dither.NONE).convert("RGB")
        inked = Image.blend(toned, flat.resize(shot.size, Image.Resampling.BILINEAR), 0.5)
        edges = Image.fromarray(pixels).convert("L").filter(ImageFilter.FIND_EDGES).point(darken)
        inked.paste(ink(shot.look.deep), (2, 2), ImageOps.crop(edges, 2))  # a rim is no edge
        yield shot.at(index)[2].of_picture(inked), 0.5


def _going_on(shot: Shot) -> Iterator[tuple[Image.Image, float]]:
    """Go on from the film's last picture: its last second to and fro, and the camera leaves."""
    film = film_of(shot.request)
    path, sampling = shot.files[MODES[shot.request.mode].continues], shot.request.sampling
    count, shown = film_frames(film, sampling.fps) if film else 1, shown_frames(shot.request) + 1
    end = video_frames(path, sampling.fps, shown, sampling.size, start=count - shown)
    tail = [Image.fromarray(pixels) for pixels in end]
    (_, _, begun), turn = shot.at(0), max(1, len(tail) - 1)
    for index in range(sampling.frames):
        back = abs((index + turn) % (2 * turn) - turn)  # 0, 1 … and back again, from the end on
        view = shot.at(index)[2]
        seen = _from_afar(tail[-1 - back], begun.zoom / view.zoom)
        moved = View(max(1.0, view.zoom / begun.zoom), view.x - begun.x, view.y - begun.y)
        yield moved.of_picture(seen), 0.5 * min(1.0, index / sampling.fps)


def _from_afar(picture: Image.Image, distance: float) -> Image.Image:
    """Return ``picture`` smaller by ``distance``, where that is above 1, before its own blur."""
    if distance <= 1:
        return picture
    small = picture.resize([max(1, round(side / distance)) for side in picture.size])
    far = picture.filter(ImageFilter.GaussianBlur(picture.width / 40))
    far.paste(small, ((far.width - small.width) // 2, (far.height - small.height) // 2))
    return far


def _film(shot: Shot) -> Iterator[tuple[Image.Image, float]]:
    for index, pixels in enumerate(_frames(shot)):
        yield shot.at(index)[2].of_picture(Image.fromarray(pixels)), 0.5


def _frames(shot: Shot) -> Iterator[Floats]:
    """Yield the frames of the source video at the clip's size, rate and length."""
    source, sampling = shot.files[shot.roles(MediaKind.VIDEO)[0]], shot.request.sampling
    return video_frames(source, sampling.fps, sampling.frames, sampling.size)
