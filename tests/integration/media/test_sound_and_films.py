"""Sound and films of strangers: every accepted format in, one format of ours out."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from core.domain.dimensions import Size
from core.domain.limits import MediaLimits
from core.domain.media import MediaKind
from core.media.decode import load_sound, video_frames
from core.media.intake.store import MediaStore

AUDIO, VIDEO = MediaKind.AUDIO, MediaKind.VIDEO
Make = Callable[..., Path]


@pytest.mark.parametrize(
    ("name", "codec", "container"),
    [
        ("a.wav", "pcm_s16le", None),
        ("b.wav", "pcm_f32le", None),
        ("a.mp3", "libmp3lame", None),
        ("a.flac", "flac", None),
        ("voice.ogg", "libopus", None),
        ("a.m4a", "aac", "ipod"),
        ("a.aac", "aac", "adts"),
        ("a.webm", "libopus", None),
        ("a.mov", "alac", None),
    ],
)
async def test_every_accepted_sound_becomes_a_flac_of_the_same_length(
    name: str, codec: str, container: str | None, tmp_path: Path, store: MediaStore, sound: Make
) -> None:
    source = sound(tmp_path / name, codec, container=container, seconds=1.5)

    file = await store.admit(source, "audio", AUDIO)

    assert (file.suffix, file.kind, file.sample_rate) == (".flac", AUDIO, 48_000)
    assert file.seconds == pytest.approx(1.5, abs=0.06)  # lossy codecs pad
    assert store.path_of(file).read_bytes().startswith(b"fLaC")
    heard = load_sound(store.path_of(file), 16_000, 1)
    assert heard.samples.shape[1] == pytest.approx(file.seconds * 16_000, abs=2)
    middle = np.abs(np.fft.rfft(heard.samples[0, 4000:20_000]))
    assert np.argmax(middle) == 440
    assert np.abs(heard.samples).max() == pytest.approx(0.5, abs=0.1)


@pytest.mark.parametrize(
    ("rate", "layout", "becomes", "channels"),
    [
        (44_100, "stereo", 44_100, 2),
        (96_000, "stereo", 48_000, 2),
        (4_000, "mono", 8_000, 1),
        (48_000, "5.1", 48_000, 2),
    ],
)
async def test_rates_up_to_48_khz_and_two_channels_are_kept(
    rate: int,
    layout: str,
    becomes: int,
    channels: int,
    tmp_path: Path,
    store: MediaStore,
    sound: Make,
) -> None:
    source = sound(tmp_path / "a.wav", "pcm_s16le", rate=rate, layout=layout)

    file = await store.admit(source, "audio", AUDIO)

    assert file.sample_rate == becomes
    assert file.seconds == pytest.approx(1.0, abs=0.01)
    with av.open(str(store.path_of(file))) as kept:
        assert kept.streams.audio[0].channels == channels


@pytest.mark.parametrize(
    ("name", "codec", "with_sound"),
    [
        ("a.mp4", "libx264", "aac"),
        ("a.mov", "libx264", "pcm_s16le"),
        ("a.webm", "libvpx", "libopus"),
        ("b.webm", "libvpx-vp9", "libopus"),
        ("a.mkv", "libx264", "libmp3lame"),
        ("b.mp4", "mpeg4", None),
        ("a.gif", "gif", None),
    ],
)
async def test_every_accepted_film_becomes_an_mp4_with_its_pictures_and_sound(
    name: str, codec: str, with_sound: str | None, tmp_path: Path, store: MediaStore, film: Make
) -> None:
    source = film(tmp_path / name, codec=codec, sound=with_sound)

    file = await store.admit(source, "video", VIDEO)

    assert (file.suffix, file.width, file.height) == (".mp4", 64, 48)
    assert file.fps == pytest.approx(24, abs=0.05)
    assert file.seconds == pytest.approx(1.0, abs=0.05)
    assert file.sample_rate == (48_000 if with_sound else 0)
    path = store.path_of(file)
    pictures = list(video_frames(path, 24, 24, Size(64, 48)))
    near = 13 if codec != "gif" else 36  # a palette of 3, 3 and 2 bits
    for index in range(0, 24, 5):
        assert pictures[index][24, 10].mean() == pytest.approx(20 + 8 * index, abs=near)
    assert pictures[20][24, 50].mean() < 40
    if with_sound:
        heard = np.abs(load_sound(path, 48_000, 1, seconds=1.0).samples[0])
        assert np.argmax(heard) == pytest.approx(24_000, abs=48)  # a millisecond


async def test_the_sound_of_a_film_may_serve_as_a_sound(
    tmp_path: Path, store: MediaStore, film: Make
) -> None:
    file = await store.admit(film(tmp_path / "a.mp4", sound="aac"), "audio", AUDIO)

    assert (file.suffix, file.width) == (".flac", 0)
    assert file.seconds == pytest.approx(1.0, abs=0.05)


async def test_sound_that_begins_later_than_the_picture_stays_in_its_place(
    tmp_path: Path, store: MediaStore, film: Make
) -> None:
    source = film(tmp_path / "a.mkv", sound="libmp3lame", sound_from_s=0.3)

    file = await store.admit(source, "video", VIDEO)

    heard = np.abs(load_sound(store.path_of(file), 48_000, 1, seconds=1.0).samples[0])
    assert np.argmax(heard) == pytest.approx(24_000, abs=1500)  # mp3's own delay is in it


@pytest.mark.parametrize(
    ("frames", "claimed", "fps", "seconds"),
    [
        ([n / 60 for n in range(60)], 60, 30, 1.0),
        ([n / 25 for n in range(50)], 25, 25, 2.0),
        ([n / 24 for n in range(48)], 1, 24, 2.0),  # the header lies
        ([n / 4 for n in range(8)], 4, 8, 2.0),
        ([0, 0.1, 0.2, 0.9, 1.0, 1.5, 1.6, 2.0], 30, 10.5, 2.0),  # as screen recorders do
    ],
    ids=["60", "25", "liar", "slow", "variable"],
)
async def test_the_frame_rate_is_measured_and_made_constant(
    frames: list[float],
    claimed: int,
    fps: float,
    seconds: float,
    tmp_path: Path,
    store: MediaStore,
    film: Make,
) -> None:
    source = film(tmp_path / "a.mkv", times=frames, claimed_fps=claimed)

    file = await store.admit(source, "video", VIDEO)

    assert file.fps == pytest.approx(fps, rel=0.06)
    assert file.seconds == pytest.approx(seconds, abs=0.2)
    with av.open(str(store.path_of(file))) as kept:
        stream = kept.streams.video[0]
        stamps = [frame.time for frame in kept.decode(stream)]
        assert float(stream.average_rate) == pytest.approx(file.fps)
        assert len(stamps) == round(file.fps * file.seconds)
        assert np.diff(stamps) == pytest.approx(1 / file.fps, abs=1e-3)


@pytest.mark.parametrize("turned", [90, -90, 180])
async def test_phone_films_are_turned_upright(
    turned: int, tmp_path: Path, store: MediaStore, film: Make
) -> None:
    source = film(tmp_path / "a.mp4", rotation=turned)

    file = await store.admit(source, "video", VIDEO)

    assert (file.width, file.height) == ((64, 48) if turned == 180 else (48, 64))
    last = list(video_frames(store.path_of(file), 24, 24, Size(file.width, file.height)))[20]
    bright = {90: last[-8:, :], -90: last[:8, :], 180: last[:, -8:]}[turned]
    dark = {90: last[:8, :], -90: last[-8:, :], 180: last[:, :8]}[turned]
    assert bright.mean() > 150
    assert dark.mean() < 50


async def test_large_films_are_scaled_down_with_their_shape(
    tmp_path: Path, store: MediaStore, film: Make, cost: Any
) -> None:
    source = film(tmp_path / "a.mp4", codec="mpeg4", size=(3840, 2160), frames=3)

    with cost() as spent:
        file = await store.admit(source, "video", VIDEO)

    assert file.width * file.height <= 1920 * 1088
    assert file.width / file.height == pytest.approx(16 / 9, rel=0.01)
    assert spent.child_bytes < 300_000_000
    assert spent.grown_bytes < 50_000_000


async def test_sound_in_one_channel_stays_as_loud_in_a_film(
    tmp_path: Path, store: MediaStore, film: Make
) -> None:
    loudest: list[float] = []
    for layout in ("mono", "stereo"):
        source = film(tmp_path / f"{layout}.mov", sound="pcm_s16le", layout=layout)
        file = await store.admit(source, "video", VIDEO)
        heard = load_sound(store.path_of(file), 48_000, 2, seconds=1.0).samples
        loudest += [float(channel.max()) for channel in np.abs(heard)]

    assert loudest == pytest.approx([loudest[2]] * 4, rel=0.1)


async def test_nothing_of_the_source_but_its_content_is_kept(
    tmp_path: Path, store: MediaStore
) -> None:
    source = tmp_path / "a.m4a"
    with av.open(str(source), "w", "ipod") as out:
        out.metadata.update({"title": "Clappersville", "comment": "Clappersville"})
        stream = out.add_stream("aac", rate=48_000, layout="mono")
        stream.metadata["language"] = "deu"
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 48_000), np.float32), "fltp", "mono")
        frame.sample_rate = 48_000
        out.mux(stream.encode(frame))
        out.mux(stream.encode(None))

    file = await store.admit(source, "audio", AUDIO)

    assert b"Clappers" not in store.path_of(file).read_bytes()


async def test_the_same_film_gives_the_same_file(
    tmp_path: Path, store: MediaStore, film: Make
) -> None:
    source = film(tmp_path / "a.mp4", sound="aac")

    first = await store.admit(source, "video", VIDEO)
    again = await store.admit(source, "image", VIDEO)

    assert first == again
    assert [path.name for path in store.folder.iterdir()] == [first.name]


async def test_a_film_of_the_longest_length_is_admitted_whole(tmp_path: Path, film: Make) -> None:
    store = MediaStore(tmp_path / "media", MediaLimits(stream_seconds=3))
    source = film(tmp_path / "a.mp4", frames=72, sound="aac")

    file = await store.admit(source, "video", VIDEO)

    assert file.seconds == pytest.approx(3.0)
