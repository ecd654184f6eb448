"""What each mode shows, beyond being a clip."""

from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from PIL import Image

from core.animatic.audio_features import AudioFeatures
from core.animatic.drawing import Palette
from core.animatic.scenes import _mouth
from core.demo.paint import portrait
from core.domain.dimensions import Size
from core.domain.media import MediaKind, Sound
from core.domain.modes import MODES, MediaSlot, Mode, ModeSpec
from core.domain.presets import Camera
from core.domain.requests import make_request
from core.media.decode import load_image, load_sound, video_frames

RATE = 48_000
SIZE = Size(192, 128)


def tone(hertz: float, seconds: float, loud: Any = 0.5) -> np.ndarray:
    return loud * np.sin(2 * np.pi * hertz * np.arange(round(seconds * RATE)) / RATE)


def without_label(frame: np.ndarray) -> np.ndarray:
    return frame[32:]


async def test_keyframe_begins_and_ends_with_exactly_the_given_images(lab: Any, draw: Any) -> None:
    for camera in Camera:
        clip = await draw(Mode.KEYFRAME, camera=camera)
        for index, role in ((0, "first"), (-1, "last")):
            given = load_image(lab.folder / lab.files[f"keyframe.{role}"].name, SIZE)
            assert (without_label(clip.frames[index]) == without_label(given)).all(), camera


async def test_keyframe_comes_nearer_to_the_last_image_all_the_time(lab: Any, draw: Any) -> None:
    clip = await draw(Mode.KEYFRAME, camera=Camera.STATIC)
    last = load_image(lab.folder / lab.files["keyframe.last"].name, SIZE).astype(int)
    far = [np.abs(frame - last).mean() for frame in clip.frames]

    assert all(later < earlier + 1.5 for earlier, later in pairwise(far))
    assert far[len(far) // 2] < 0.7 * far[0]


async def test_a_mode_of_three_pictures_shows_each_of_them_in_turn(
    lab: Any, draw: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    slots = tuple(MediaSlot(role, MediaKind.IMAGE) for role in ("first", "middle", "last"))
    monkeypatch.setitem(MODES, Mode.KEYFRAME, ModeSpec(Mode.KEYFRAME, slots))
    monkeypatch.setitem(lab.files, "keyframe.middle", lab.files["other.image"])

    clip = await draw(Mode.KEYFRAME, camera=Camera.STATIC)

    for index, slot in zip((0, 8, 16), slots, strict=True):
        given = load_image(lab.folder / lab.files[f"keyframe.{slot.role}"].name, SIZE).astype(int)
        assert np.abs(without_label(clip.frames[index]) - without_label(given)).mean() < 12


async def test_a_mode_of_a_video_alone_shows_the_video_and_keeps_its_sound(
    lab: Any, draw: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = ModeSpec(Mode.STYLE, (MediaSlot("video", MediaKind.VIDEO),))
    monkeypatch.setitem(MODES, Mode.STYLE, spec)
    film = lab.folder / lab.files["style.video"].name
    source = list(video_frames(film, 16, 17, SIZE))

    clip = await draw(Mode.STYLE, camera=Camera.STATIC)

    assert clip.sound is not None
    for index in (0, 8, 16):
        away = without_label(clip.frames[index]).astype(int) - without_label(source[index])
        assert np.abs(away).mean() < 12


async def test_i2v_begins_with_the_image(lab: Any, draw: Any) -> None:
    given = load_image(lab.folder / lab.files["i2v.image"].name, SIZE).astype(int)
    clip = await draw(Mode.I2V)

    assert np.abs(without_label(clip.frames[0]) - without_label(given)).mean() < 12


async def test_lipsync_opens_the_mouth_while_the_voice_is_loud(lab: Any, draw: Any) -> None:
    voice = np.concatenate([tone(200, 0.55, 0.0), tone(200, 0.65)])
    clip = await draw(Mode.LIPSYNC, audio=lab.sound(voice), camera=Camera.STATIC, prompt="")
    x, y, wide = _mouth(Image.fromarray(clip.frames[0]))
    dark = (clip.frames[:, y : y + wide // 2, x - wide // 4 : x + wide // 4] < 70).mean(
        axis=(1, 2, 3)
    )

    assert dark[:8].max() < 0.05
    assert dark[11:].min() > 0.2


def test_the_mouth_is_found_in_a_portrait() -> None:
    x, y, wide = _mouth(portrait(400, 400))

    assert abs(x - 200) < 16
    assert abs(y - 0.61 * 400) < 16
    assert 30 < wide < 90


async def test_a2v_is_brighter_where_the_sound_is_louder(lab: Any, draw: Any) -> None:
    loud = np.repeat([0.05, 0.6, 0.1, 0.5], round(0.3 * RATE))
    clip = await draw(Mode.A2V, audio=lab.sound(tone(400, 1.2, loud)), camera=Camera.STATIC)
    heard = AudioFeatures.of(Sound(tone(400, 1.2, loud)[None], RATE), 17, 16)
    light = clip.frames[:, :64].mean(axis=(1, 2, 3))

    assert np.corrcoef(light, heard.loudness)[0, 1] > 0.8


async def test_a2v_lifts_the_sun_with_the_pitch(lab: Any, draw: Any) -> None:
    rows = []
    for hertz in (150, 3000):
        clip = await draw(Mode.A2V, audio=lab.sound(tone(hertz, 1.2)), camera=Camera.STATIC)
        light = clip.frames[8].sum(axis=2)
        rows.append(np.argwhere(light >= np.percentile(light[32:], 99))[:, 0].mean())

    assert rows[1] < rows[0] - 5


async def test_a2v_and_lipsync_keep_the_given_sound(lab: Any, draw: Any) -> None:
    for mode in (Mode.A2V, Mode.LIPSYNC):
        clip = await draw(mode)
        file = lab.folder / lab.files[f"{mode}.audio"].name
        assert (clip.sound.samples == load_sound(file, RATE, 2, 17 / 16).samples).all()


async def test_style_wears_the_colours_of_the_image_on_the_shapes_of_the_video(
    lab: Any, draw: Any
) -> None:
    style = load_image(lab.folder / lab.files["style.image"].name, SIZE).astype(float)
    clip = await draw(Mode.STYLE, camera=Camera.STATIC)
    film = lab.folder / lab.files["style.video"].name
    source = next(video_frames(film, 16, 17, SIZE)).astype(float)
    drawn = clip.frames[0].astype(float)

    def colours(picture: np.ndarray) -> np.ndarray:
        flat = without_label(picture).reshape(-1, 3)
        return np.concatenate([flat.mean(axis=0), flat.std(axis=0)])

    def shapes(picture: np.ndarray) -> np.ndarray:
        grey = without_label(picture).mean(axis=2)
        return (np.abs(np.diff(grey, axis=0))[:, :-1] + np.abs(np.diff(grey, axis=1))[:-1]).ravel()

    near = np.linalg.norm(colours(drawn) - colours(style))
    assert near < 0.5 * np.linalg.norm(colours(source) - colours(style))
    assert np.corrcoef(shapes(drawn), shapes(source))[0, 1] > 0.3  # of strangers: about 0


async def test_style_keeps_the_sound_of_the_video_and_invents_none(lab: Any, draw: Any) -> None:
    with_sound = await draw(Mode.STYLE)
    silent = await draw(Mode.STYLE, video=lab.files["other.video"])

    assert np.abs(with_sound.sound.samples).max() > 0.1
    assert silent.sound is None


@pytest.mark.parametrize(("word", "channel"), [("red", 0), ("green", 1), ("blue", 2)])
async def test_t2v_takes_its_colours_from_the_prompt(draw: Any, word: str, channel: int) -> None:
    clip = await draw(Mode.T2V, f"a {word} world")
    top = clip.frames[0][36:60].reshape(-1, 3).mean(axis=0)

    assert top.argmax() == channel


def test_unwanted_colours_are_left_out(lab: Any) -> None:
    with_red = Palette.of(lab.request(Mode.T2V, "red and blue"))
    without = Palette.of(lab.request(Mode.T2V, "red and blue", negative_prompt="red"))

    assert with_red.sky.argmax() == 0
    assert without.sky.argmax() == 2


async def test_ambience_is_quiet_and_begins_and_ends_in_silence(draw: Any) -> None:
    for mode in (Mode.T2V, Mode.I2V, Mode.KEYFRAME):
        samples = (await draw(mode)).sound.samples
        assert 0.005 < np.sqrt((samples**2).mean()) < 0.06
        assert np.abs(samples[:, [0, -1]]).max() < 0.001


def test_hearing_follows_loudness_and_pitch_and_knows_silence() -> None:
    low, high = tone(120, 0.5), tone(4000, 0.5)
    heard = AudioFeatures.of(
        Sound(np.concatenate([low, high])[None].astype(np.float32), RATE), 20, 20
    )
    silent = AudioFeatures.of(Sound(np.zeros((1, RATE), np.float32), RATE), 20, 20)

    assert heard.pitch[3] + 0.2 < heard.pitch[15]
    assert heard.loudness.max() == 1
    assert silent.loudness.max() == 0
    assert silent.bands.max() == 0


async def test_pictures_in_between_are_exact_in_their_time(lab: Any) -> None:
    files = {"second": lab.files["other.image"], "third": lab.files["style.image"]}
    plain = lab.request(Mode.KEYFRAME, camera=Camera.STATIC, times="0, 0.25, 0.75, 1")
    request = make_request(Mode.KEYFRAME, "", plain.sampling, {**plain.media(), **files})

    clip = await lab.draw(request)

    for index, role in ((0, "first"), (4, "second"), (12, "third"), (16, "last")):
        given = load_image(lab.folder / request.media()[role].name, SIZE).astype(int)
        far = np.abs(without_label(clip.frames[index]) - without_label(given)).mean()
        assert far < 12, role


async def test_a_film_goes_on_from_its_last_picture(lab: Any, draw: Any) -> None:
    film = lab.folder / lab.files["extend.video"].name
    (*_, last) = video_frames(film, 16, 16, SIZE)
    for camera in Camera:
        clip = await draw(Mode.EXTEND, camera=camera)

        assert np.abs(without_label(clip.frames[0]) - without_label(last.astype(int))).mean() < 3
        assert clip.repeated == 1
        moved = [np.abs(a.astype(int) - b).mean() for a, b in pairwise(clip.frames)]
        assert max(moved) < 25, camera


async def test_a_given_sound_goes_on_where_it_was(lab: Any) -> None:
    plain = lab.request(Mode.EXTEND)
    sampling = replace(plain.sampling, sound_from=0.1)
    media = {**plain.media(), "audio": lab.files["a2v.audio"]}

    clip = await lab.draw(make_request(Mode.EXTEND, "", sampling, media))

    sent = load_sound(lab.folder / media["audio"].name, RATE, 2).samples
    begins = round((0.1 - 1 / 16 - 0.04) * RATE)  # before the frame that the film has too
    silent, heard = max(0, -begins), clip.sound.samples.shape[1]
    assert not clip.sound.samples[:, :silent].any()
    same = min(heard - silent, sent.shape[1])
    assert np.array_equal(clip.sound.samples[:, silent : silent + same], sent[:, :same])
