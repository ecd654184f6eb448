"""Films as devices make them: what is stored looks and lasts as a player shows it."""

import itertools
import struct
from pathlib import Path

import av
import numpy as np
import pytest

from core.domain.limits import MediaLimits
from core.domain.media import MediaKind
from core.media.decode import load_sound
from core.media.intake.store import MediaStore
from tests.support import recordings as made
from tests.support.recordings import BT709, HDR, LINEAR, QUADRANTS, X264, hevc, x265

VIDEO, AUDIO = MediaKind.VIDEO, MediaKind.AUDIO
QUICK = ("-cpu-used", "8", "-deadline", "realtime")  # libvpx


def tagged(primaries: str, transfer: str, matrix: str) -> tuple[str, ...]:
    tags = ("-color_primaries", primaries, "-color_trc", transfer, "-colorspace", matrix)
    return (*X264, *tags)


COLOURS = {
    # name: (filters, encoder, largest difference of a channel)
    "hlg.mov": (f"{LINEAR},zscale=t=arib-std-b67{HDR}", hevc("arib-std-b67"), 25),
    "hdr10.mp4": (f"{LINEAR},zscale=t=smpte2084{HDR}", hevc("smpte2084"), 25),
    "hlg untagged primaries.mov": (
        f"{LINEAR},zscale=t=arib-std-b67{HDR}",
        x265("transfer=arib-std-b67", "colormatrix=bt2020nc"),
        25,
    ),
    "p3.mov": (
        f"{BT709},zscale=p=smpte432:t=bt709:m=bt709",
        tagged("smpte432", "bt709", "bt709"),
        8,
    ),
    "2020.mp4": (
        f"{BT709},zscale=p=2020:t=2020_10:m=2020_ncl,format=yuv420p10le",
        hevc("bt2020-10"),
        8,
    ),
    "only the matrix of 2020.mp4": (
        "scale=out_color_matrix=bt2020:out_range=tv",
        (*X264, "-colorspace", "bt2020nc"),
        8,
    ),
    "525.mp4": (
        f"{BT709},zscale=p=170m:t=601:m=170m",
        tagged("smpte170m", "smpte170m", "smpte170m"),
        15,  # the green has no red at all in these primaries
    ),
    "625.mp4": (
        f"{BT709},zscale=p=bt470bg:t=601:m=470bg",
        tagged("bt470bg", "smpte170m", "bt470bg"),
        8,
    ),
    "full range.mp4": (
        "scale=out_color_matrix=bt709:out_range=pc",
        (*tagged("bt709", "bt709", "bt709"), "-color_range", "pc"),
        8,
    ),
    "untagged sd.mp4": ("scale=out_color_matrix=bt601:out_range=tv", X264, 8),
    "untagged hd.mp4": (
        "scale=1280:720:flags=neighbor,scale=out_color_matrix=bt709:out_range=tv",
        X264,
        8,
    ),
    "srgb.mp4": (BT709, tagged("bt709", "iec61966-2-1", "bt709"), 8),
    "rgb.mp4": ("format=rgb24", ("-c:v", "libx264rgb", "-preset", "ultrafast"), 8),
}


@pytest.mark.parametrize("name", COLOURS)
async def test_colours_of_every_kind_are_stored_as_screens_show_them(
    name: str, tmp_path: Path, store: MediaStore
) -> None:
    filters, encoder, near = COLOURS[name]
    source = made.still_film(tmp_path, name, encoder, filters=filters, seconds=0.3)

    file = await store.admit(source, "video", VIDEO)

    found = made.quadrants(store.path_of(file))
    assert made.worst(found) <= near, found
    for quadrant, wanted in zip(found, QUADRANTS, strict=True):
        assert max(quadrant) - min(quadrant) > 0.85 * (max(wanted) - min(wanted))
    with av.open(str(store.path_of(file))) as kept:
        codec = kept.streams.video[0].codec_context
        assert (codec.colorspace, codec.color_trc, codec.color_primaries) == (1, 1, 1)


@pytest.mark.parametrize(
    ("name", "encoder", "pixels"),
    [
        ("alpha.webm", ("-c:v", "libvpx-vp9", *QUICK), "yuva420p"),
        ("alpha8.webm", ("-c:v", "libvpx", "-auto-alt-ref", "0", *QUICK), "yuva420p"),
        ("alpha.mov", ("-c:v", "prores_ks", "-profile:v", "4444"), "yuva444p10le"),
        ("animation.mov", ("-c:v", "qtrle"), "argb"),
    ],
)  # fmt: skip
async def test_transparent_films_are_composed_on_white(
    name: str, encoder: tuple[str, ...], pixels: str, tmp_path: Path, store: MediaStore
) -> None:
    filters = f"format=rgba,colorchannelmixer=aa=0.5,format={pixels}"
    source = made.still_film(tmp_path, name, encoder, filters=filters, seconds=0.3)

    file = await store.admit(source, "video", VIDEO)

    wanted = [((r + 255) // 2, (g + 255) // 2, (b + 255) // 2) for r, g, b in QUADRANTS]
    assert made.worst(made.quadrants(store.path_of(file)), wanted) <= 8


async def test_a_trimmed_clip_moves_from_its_first_frame_and_has_its_own_length(
    tmp_path: Path, store: MediaStore
) -> None:
    whole = made.moving_film(tmp_path, "m.mp4", *X264, "-g", "300", "-c:a", "aac", seconds=4)
    source = tmp_path / "trim.mp4"
    made.ffmpeg("-ss", "0.7", "-i", whole, "-c", "copy", source)

    file = await store.admit(source, "video", VIDEO)

    assert file.seconds == pytest.approx(3.3, abs=0.04)
    stored = made.frames(store.path_of(file))
    changes = [np.abs(a.astype(int) - b).mean() for a, b in itertools.pairwise(stored)]
    assert min(changes[:60]) > 0.2
    cut = made.frames(whole)[21]
    assert np.abs(stored[0].astype(int) - cut).mean() < 6
    sound = await store.admit(source, "audio", AUDIO)
    assert sound.seconds == pytest.approx(3.3, abs=0.05)


MATRICES = {
    # a, b, c, d of the display matrix; where top left, top right, bottom left, bottom right are
    "hflip": ((-1, 0, 0, 1), (1, 0, 3, 2)),
    "vflip": ((1, 0, 0, -1), (2, 3, 0, 1)),
    "half turn": ((-1, 0, 0, -1), (3, 2, 1, 0)),
    "quarter clockwise": ((0, 1, -1, 0), (2, 0, 3, 1)),
    "quarter counterclockwise": ((0, -1, 1, 0), (1, 3, 0, 2)),
    "transpose": ((0, 1, 1, 0), (0, 2, 1, 3)),
    "transverse": ((0, -1, -1, 0), (3, 1, 2, 0)),
    "nearly upright": ((0.99, 0.12, -0.12, 0.99), (0, 1, 2, 3)),
    "nearly a mirrored quarter": ((0.1, 0.99, 0.99, -0.1), (0, 2, 1, 3)),
    "scaled": ((2, 0, 0, 2), (0, 1, 2, 3)),
}


@pytest.mark.parametrize("name", MATRICES)
async def test_the_whole_display_matrix_is_followed(
    name: str, tmp_path: Path, store: MediaStore
) -> None:
    (a, b, c, d), places = MATRICES[name]
    source = made.still_film(tmp_path, "plain.mp4", X264, seconds=0.2)
    data = bytearray(source.read_bytes())
    at = data.index(b"tkhd") + 44
    values = (a, b, 0, c, d, 0, 0, 0, 0.25)
    matrix = [round(value * (1 << 30 if n % 3 == 2 else 65_536)) for n, value in enumerate(values)]
    matrix[8] = 1 << 30
    data[at : at + 36] = struct.pack(">9i", *matrix)
    source.write_bytes(data)

    file = await store.admit(source, "video", VIDEO)

    turned = abs(b) > abs(a)
    assert (file.width, file.height) == ((256, 384) if turned else (384, 256))
    wanted = [QUADRANTS[place] for place in places]
    assert made.worst(made.quadrants(store.path_of(file)), wanted) <= 8


@pytest.mark.parametrize("name", ["sar.mp4", "sar.mkv", "sar.mov"])
async def test_pixels_that_the_container_stretches_are_stretched(
    name: str, tmp_path: Path, store: MediaStore
) -> None:
    narrow = made.still_film(
        tmp_path, "narrow.mp4", X264, filters="scale=192:256,setsar=1", seconds=0.2
    )
    source = tmp_path / name
    made.ffmpeg("-i", narrow, "-c", "copy", "-aspect", "3:2", source)

    file = await store.admit(source, "video", VIDEO)

    assert (file.width, file.height) == (384, 256)


async def test_the_default_tracks_are_used(tmp_path: Path, store: MediaStore) -> None:
    source = tmp_path / "two.mkv"
    inputs = ("-f", "lavfi", "-i", "color=red:s=64x64:r=30:d=1", "-f", "lavfi", "-i")
    sounds = ("anullsrc=r=48000:d=1", "-f", "lavfi", "-i", "sine=440:r=48000:d=1")
    more = ("-f", "lavfi", "-i", "color=blue:s=64x64:r=30:d=1")
    maps = [word for n in (0, 1, 2, 3) for word in ("-map", str(n))]
    defaults = ("-disposition:v:0", "0", "-disposition:v:1", "default", "-disposition:a:0", "0")
    made.ffmpeg(
        *inputs, *sounds, *more, *maps, *X264, "-c:a", "aac", *defaults,
        "-disposition:a:1", "default", source,
    )  # fmt: skip

    file = await store.admit(source, "video", VIDEO)

    assert made.worst(made.quadrants(store.path_of(file)), [(0, 0, 255)] * 4) <= 10
    assert loudness(store.path_of(file)) > 0.02


def loudness(path: Path) -> float:
    """The root of the mean square of all samples."""
    with av.open(str(path)) as kept:
        parts = [np.asarray(frame.to_ndarray(), np.float32) for frame in kept.decode(audio=0)]
        scale = 32_768 if parts[0].max() > 4 else 1
    return float(np.sqrt(np.mean(np.concatenate(parts, axis=1) ** 2))) / scale


async def test_many_tracks_do_not_end_a_film_early(tmp_path: Path, store: MediaStore) -> None:
    film = made.moving_film(tmp_path, "m.mp4", *X264, "-c:a", "aac", seconds=3)
    words = tmp_path / "s.srt"
    words.write_text("1\n00:00:00,000 --> 00:00:02,000\nhi\n")
    source = tmp_path / "many.mkv"
    maps = ["-map", "0", *(word for _ in range(30) for word in ("-map", "1"))]
    made.ffmpeg("-i", film, "-i", words, *maps, "-c", "copy", "-c:s", "srt", source)

    file = await store.admit(source, "video", VIDEO)
    sound = await store.admit(source, "audio", AUDIO)

    assert file.seconds == pytest.approx(3.0, abs=0.05)
    assert sound.seconds == pytest.approx(3.0, abs=0.05)
    assert file.notes == ()


@pytest.mark.parametrize("name", ["cut.mp4", "cut.mkv", "cut.webm", "cut.avi", "cut.mov"])
async def test_a_film_whose_end_is_missing_says_how_much_was_read(
    name: str, tmp_path: Path, store: MediaStore
) -> None:
    vp8 = ("-c:v", "libvpx", "-cpu-used", "8", "-deadline", "realtime", "-c:a", "libopus")
    codecs = vp8 if name == "cut.webm" else (*X264, "-c:a", "aac")
    start = ("-movflags", "+faststart") if name.endswith(("mp4", "mov")) else ()
    whole = made.moving_film(tmp_path, f"whole-{name}", *codecs, *start, seconds=4)
    source = tmp_path / name
    data = whole.read_bytes()
    source.write_bytes(data[: len(data) * 7 // 10])

    file = await store.admit(source, "video", VIDEO)

    assert 1.5 < file.seconds < 3.6
    (note,) = file.notes
    assert note.code == "film_read_in_part"
    assert note.data["read_s"] == pytest.approx(file.seconds, abs=0.1)


async def test_a_film_longer_than_any_clip_is_kept_as_far_as_it_can_be_used(
    tmp_path: Path,
) -> None:
    store = MediaStore(tmp_path / "media", MediaLimits(use_seconds=2.0))
    source = made.moving_film(tmp_path, "long.mp4", *X264, "-c:a", "aac", seconds=5)

    file = await store.admit(source, "video", VIDEO)

    assert 2.0 <= file.seconds < 3.0
    assert [note.code for note in file.notes] == ["film_used_in_part"]
    with av.open(str(store.path_of(file))) as kept:
        sound = kept.streams.audio[0]
        assert float(sound.duration * sound.time_base) == pytest.approx(file.seconds, abs=0.1)


async def test_a_screen_recording_keeps_the_rate_of_its_busy_part(
    tmp_path: Path, store: MediaStore
) -> None:
    select = ("-vf", "select='lt(t,2)+gte(t,9.96)'", "-fps_mode", "vfr")
    source = made.moving_film(tmp_path, "vfr.mp4", *select, *X264, seconds=10, sound=False)

    file = await store.admit(source, "video", VIDEO)

    assert file.fps == pytest.approx(30, abs=0.05)
    assert file.seconds == pytest.approx(10, abs=0.05)
    stored = made.frames(store.path_of(file))
    assert len({frame.tobytes() for frame in stored[:60]}) >= 58


@pytest.mark.parametrize("name", ["dvd.mkv", "camcorder.mp4", "dvb.mkv"])
async def test_interlaced_films_have_no_combs(name: str, tmp_path: Path, store: MediaStore) -> None:
    codec = {
        "dvd.mkv": ("-c:v", "mpeg2video", "-q:v", "2", "-flags", "+ilme+ildct"),
        "camcorder.mp4": (*X264, "-crf", "8", "-flags", "+ilme+ildct", "-x264-params", "tff=1"),
        "dvb.mkv": (
            "-c:v",
            "mpeg2video",
            "-q:v",
            "2",
            "-flags",
            "+ilme+ildct",
            "-field_order",
            "bb",
        ),
    }[name]
    order = "bottom" if name == "dvb.mkv" else "top"
    source = tmp_path / name
    bar = "color=black:s=384x256:r=50:d=1[b];color=white:s=40x256:r=50:d=1[w];[b][w]overlay=x=n*6"
    weave = f"tinterlace=mode=interleave_{order},setfield={'bff' if order == 'bottom' else 'tff'}"
    made.ffmpeg("-filter_complex", f"{bar},{weave},format=yuv420p", *codec, source)

    file = await store.admit(source, "video", VIDEO)

    assert file.fps == pytest.approx(25, abs=0.05)
    picture = made.frames(store.path_of(file))[12][..., 1].astype(int)
    combs = np.abs(2 * picture[1:-1] - picture[:-2] - picture[2:])
    assert combs.mean() < 2.0


async def test_a_change_of_size_in_mid_stream_is_letterboxed(
    tmp_path: Path, store: MediaStore
) -> None:
    wide = made.moving_film(tmp_path, "wide.ts", *X264, seconds=1, sound=False)
    tall = made.still_film(
        tmp_path, "tall.ts", X264, filters=f"{BT709},transpose=clock,setsar=1", seconds=1
    )
    joined = tmp_path / "joined.ts"
    joined.write_bytes(wide.read_bytes() + tall.read_bytes())
    source = tmp_path / "joined.mkv"
    made.ffmpeg("-i", joined, "-c", "copy", source)

    file = await store.admit(source, "video", VIDEO)

    assert (file.width, file.height) == (384, 256)
    last = made.frames(store.path_of(file))[-3]
    assert last[:, :100].max() < 30
    assert last[:, -100:].max() < 30
    shown = last[:, 107:277]
    assert np.abs(shown[64, 40].astype(int) - QUADRANTS[2]).max() <= 12


async def test_recordings_in_one_file_whose_clocks_start_again_are_played_one_after_another(
    tmp_path: Path, store: MediaStore
) -> None:
    part = made.moving_film(tmp_path, "part.ts", *X264, "-c:a", "mp2", seconds=2)
    source = tmp_path / "camera.ts"
    source.write_bytes(part.read_bytes() * 3)

    file = await store.admit(source, "video", VIDEO)

    assert file.seconds == pytest.approx(6.0, abs=0.2)
    stored = made.frames(store.path_of(file))
    assert np.abs(stored[75].astype(int) - stored[15]).mean() < 6
    heard = load_sound(store.path_of(file), 48_000, 1).samples[0]
    for second in range(6):
        assert np.abs(heard[second * 48_000 + 9600 :][:24_000]).max() > 0.05


async def test_a_stream_that_begins_in_the_middle_of_a_group_begins_with_its_first_picture(
    tmp_path: Path, store: MediaStore
) -> None:
    whole = made.moving_film(tmp_path, "whole.ts", *X264, "-g", "30", "-c:a", "mp2", seconds=4)
    data = whole.read_bytes()
    source = tmp_path / "camera.ts"
    source.write_bytes(data[len(data) * 3 // 10 // 188 * 188 :])

    file = await store.admit(source, "video", VIDEO)

    assert file.seconds == pytest.approx(2.0, abs=0.1)
    stored = made.frames(store.path_of(file))
    assert np.abs(stored[0].astype(int) - stored[1]).mean() > 0.2


@pytest.mark.parametrize(
    ("codec", "container"),
    [("ac3", "mkv"), ("eac3", "mkv"), ("ac3", "mp4"), ("mp2", "mkv"), ("dca", "mkv")],
)
async def test_sound_tracks_of_discs_and_television_are_decoded(
    codec: str, container: str, tmp_path: Path, store: MediaStore
) -> None:
    source = made.moving_film(
        tmp_path, f"a.{container}", *X264, "-c:a", codec, "-strict", "-2", "-ac", "2"
    )

    file = await store.admit(source, "video", VIDEO)

    assert file.sample_rate == 48_000
    assert loudness(store.path_of(file)) > 0.02


def with_unknown_sound(path: Path, track: int) -> Path:
    """Rename the codec of one sound track of an MP4 to one that nobody can decode."""
    data = bytearray(path.read_bytes())
    entry = description = -1
    for _ in range(track + 1):
        description = data.index(b"esds", description + 1)
        entry = data.rindex(b"mp4a", 0, description)
    data[entry : entry + 4], data[description : description + 4] = b"xyzq", b"xyzd"
    path.write_bytes(data)
    return path


async def test_a_sound_track_that_cannot_be_read_falls_back_to_the_next(
    tmp_path: Path, store: MediaStore
) -> None:
    source = tmp_path / "spatial.mp4"
    tone = ("-f", "lavfi", "-i", "sine=440:r=48000:d=1")
    picture = ("-f", "lavfi", "-i", "testsrc2=s=64x64:r=30:d=1")
    maps = ("-map", "0", "-map", "1", "-map", "2")
    made.ffmpeg(*picture, *tone, *tone, *maps, *X264, "-c:a", "aac", source)

    file = await store.admit(with_unknown_sound(source, 0), "video", VIDEO)
    sound = await store.admit(source, "audio", AUDIO)

    assert loudness(store.path_of(file)) > 0.02
    assert [note.code for note in file.notes] == ["other_sound_track"]
    assert sound.seconds == pytest.approx(1.0, abs=0.06)


async def test_a_film_whose_sound_cannot_be_read_is_used_without_it(
    tmp_path: Path, store: MediaStore
) -> None:
    source = made.moving_film(tmp_path, "spatial.mp4", *X264, "-c:a", "aac", seconds=1)

    file = await store.admit(with_unknown_sound(source, 0), "video", VIDEO)

    assert file.sample_rate == 0
    assert [note.code for note in file.notes] == ["sound_left_out"]


@pytest.mark.parametrize("codec", ["hevc", "h264"])
async def test_what_is_kept_is_at_most_twice_as_large_as_what_was_sent(
    codec: str, tmp_path: Path, store: MediaStore
) -> None:
    encoder = x265("crf=30") if codec == "hevc" else (*X264, "-crf", "30")
    grain = ("-vf", "noise=alls=12:allf=t")
    source = made.moving_film(
        tmp_path, "a.mp4", *grain, *encoder, "-c:a", "aac", "-b:a", "64k", seconds=4, size="640x360"
    )

    file = await store.admit(source, "video", VIDEO)

    assert file.size_bytes <= 2 * source.stat().st_size


async def test_slow_motion_of_240_frames_a_second_is_admitted(
    tmp_path: Path, store: MediaStore
) -> None:
    source = made.moving_film(
        tmp_path, "slow.mov", *X264, seconds=40, fps=240, size="64x48", sound=False
    )

    file = await store.admit(source, "video", VIDEO)

    assert file.fps == pytest.approx(30, abs=0.05)
    assert file.seconds >= 20


LARGEST = {
    # what a phone or a computer writes in a minute of 4K, by one second of it
    "iphone.mov": (*x265("bframes=3", "ref=4", "crf=34"), "-pix_fmt", "yuv420p10le"),
    "pixel.mp4": ("-c:v", "libsvtav1", "-preset", "12", "-crf", "55", "-pix_fmt", "yuv420p10le"),
    "export.mp4": ("-c:v", "libx264", "-preset", "veryfast", "-refs", "16", "-crf", "36"),
}


@pytest.mark.load
@pytest.mark.parametrize(
    "name",
    ["iphone.mov", *(pytest.param(one, marks=pytest.mark.torture) for one in list(LARGEST)[1:])],
)
async def test_a_minute_of_4k_is_admitted_as_far_as_a_clip_can_use_it(
    name: str, tmp_path: Path, store: MediaStore
) -> None:
    second = made.moving_film(
        tmp_path, f"second-{name}", *LARGEST[name], seconds=1, size="3840x2160", sound=False
    )
    source = tmp_path / name
    made.ffmpeg("-stream_loop", "59", "-i", second, "-c", "copy", source)

    file = await store.admit(source, "video", VIDEO)

    assert (file.width, file.height) == (1920, 1080)
    assert file.seconds == pytest.approx(20.0, abs=0.05)
    assert [note.code for note in file.notes] == ["film_used_in_part"]
    assert file.size_bytes <= 2 * source.stat().st_size
