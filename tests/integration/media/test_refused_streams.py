"""Sound and films that are refused: liars, bombs, and files that want to open other files."""

import asyncio
import struct
from collections.abc import AsyncGenerator, Awaitable, Callable
from pathlib import Path
from typing import Any

import av
import psutil
import pytest
import pytest_asyncio

from core.domain.limits import MediaLimits
from core.domain.media import MediaKind
from core.errors import (
    MediaCodecRefused,
    MediaDamaged,
    MediaFormatRefused,
    MediaKindRefused,
    MediaNeedsTime,
    MediaRefused,
    MediaTooLarge,
    MediaTooLong,
    MediaTooManyFrames,
    MediaTooManyPixels,
    MediaUnreadable,
)
from core.media.intake.store import MediaStore
from tests.integration.media.device_recordings import dolby_5

AUDIO, VIDEO = MediaKind.AUDIO, MediaKind.VIDEO
Make = Callable[..., Path]
Refusal = Callable[[Path, MediaKind], Awaitable[MediaRefused]]
SECRET = b"the-secret-of-the-neighbour"


class Listener:
    """A server that only notes that somebody came."""

    port = 0
    visits = 0

    async def visited(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.visits += 1
        writer.close()
        await writer.wait_closed()


@pytest_asyncio.fixture
async def listener() -> AsyncGenerator[Listener]:
    found = Listener()
    server = await asyncio.start_server(found.visited, "127.0.0.1", 0)
    found.port = server.sockets[0].getsockname()[1]
    async with server:
        yield found


def playlists(target: str) -> dict[str, str]:
    return {
        "hls": f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{target}\n#EXT-X-ENDLIST\n",
        "hls after space": f"\n \n#EXTM3U\n#EXTINF:1,\n{target}\n",
        "ffconcat": f"ffconcat version 1.0\nfile '{target}'\n",
        "dash": (
            '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static">'
            f"<Period><AdaptationSet><Representation><BaseURL>{target}</BaseURL>"
            "</Representation></AdaptationSet></Period></MPD>"
        ),
        "sdp": f"v=0\no=- 0 0 IN IP4 127.0.0.1\nm=video {target} RTP/AVP 96\n",
    }


@pytest.mark.parametrize("kind", sorted(playlists("")))
@pytest.mark.parametrize("aim", ["neighbour", "absolute", "file", "http"])
async def test_playlists_under_a_films_name_reach_neither_a_file_nor_the_network(
    kind: str, aim: str, tmp_path: Path, film: Make, refusal: Refusal, listener: Listener, cost: Any
) -> None:
    film(tmp_path / "neighbour.mp4")
    target = {
        "neighbour": "neighbour.mp4",
        "absolute": str(tmp_path / "neighbour.mp4"),
        "file": f"file://{tmp_path}/neighbour.mp4",
        "http": f"http://127.0.0.1:{listener.port}/latest/meta-data/",
    }
    trap = tmp_path / "clip.mp4"
    trap.write_text(playlists(target[aim])[kind])

    with cost() as spent:
        error = await refusal(trap, VIDEO)

    assert isinstance(error, MediaFormatRefused)
    assert error.found == ("plain_text" if kind == "sdp" else "playlist")
    assert listener.visits == 0
    assert not spent.children


def box(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", 8 + len(content)) + name + content


def alias_to(path: str) -> bytes:
    """A QuickTime alias: a data reference by the absolute path of another file."""
    text = path.encode() + b"\0" * (len(path) % 2)
    content = b"".join(
        (
            b"\0\0\0\0",  # version and flags: not in this file
            bytes(10), b"\0" + bytes(27), bytes(12), b"\0" + bytes(63), bytes(16),
            struct.pack(">HH", 1, 1), bytes(16),
            struct.pack(">HH", 2, len(text)), text,
            struct.pack(">HH", 0xFFFF, 0),
        )
    )  # fmt: skip
    return box(b"alis", content)


def pointing_at(content: bytes, path: str) -> bytes:
    """Return an MP4 whose samples are said to lie in the file at ``path``."""
    at = content.index(b"dref") - 4
    old = int.from_bytes(content[at : at + 4])
    new = box(b"dref", struct.pack(">II", 0, 1) + alias_to(path))
    grown = bytearray(content)
    for name in (b"moov", b"trak", b"mdia", b"minf", b"dinf"):
        size_at = content.rindex(name, 0, at) - 4
        size = int.from_bytes(content[size_at : size_at + 4]) + len(new) - old
        grown[size_at : size_at + 4] = struct.pack(">I", size)
    grown[at : at + old] = new
    return bytes(grown)


async def test_a_film_that_refers_to_another_file_reads_only_itself(
    tmp_path: Path, film: Make, refusal: Refusal
) -> None:
    other = film(tmp_path / "other.mov")
    trap = tmp_path / "clip.mov"
    trap.write_bytes(pointing_at(other.read_bytes(), str(other)))
    open_door = {"enable_drefs": "1", "use_absolute_path": "1"}
    with av.open(str(trap), options=open_door) as unprotected:
        assert sum(packet.size for packet in unprotected.demux()) > 0  # the trap is a real one

    error = await refusal(trap, VIDEO)

    assert isinstance(error, MediaUnreadable)


async def test_a_film_with_a_playlist_inside_an_accepted_container_opens_nothing(
    tmp_path: Path, refusal: Refusal, listener: Listener
) -> None:
    address = f"http://127.0.0.1:{listener.port}/x.mp4".encode()
    trap = tmp_path / "clip.mov"
    url = box(b"rdrf", bytes(4) + b"url " + struct.pack(">I", len(address)) + address)
    reference = box(b"rmra", box(b"rmda", url))
    trap.write_bytes(box(b"ftyp", b"qt  " + bytes(4) + b"qt  ") + box(b"moov", reference))

    assert isinstance(await refusal(trap, VIDEO), MediaUnreadable)
    assert listener.visits == 0


@pytest.mark.parametrize("codec", ["libx264", "libvpx"])
async def test_ten_hours_are_refused_by_the_packets_whatever_the_header_says(
    codec: str, tmp_path: Path, film: Make, refusal: Refusal, cost: Any
) -> None:
    times = [0.0, 1.0, 36_000.0, 36_001.0]
    source = film(tmp_path / "a.mkv", codec=codec, times=times)
    hidden = source.read_bytes().replace(struct.pack(">d", 36_001_042.0), struct.pack(">d", 1000.0))
    source.write_bytes(hidden)

    with cost() as spent:
        error = await refusal(source, VIDEO)

    assert isinstance(error, MediaTooLong)
    assert error.seconds > 30_000
    assert error.limit_s == 60
    assert spent.seconds < 5


async def test_a_minute_and_a_second_of_sound_are_refused_with_its_length(
    tmp_path: Path, sound: Make, refusal: Refusal
) -> None:
    source = sound(tmp_path / "a.wav", "pcm_s16le", rate=8000, layout="mono", seconds=61)

    error = await refusal(source, AUDIO)

    assert isinstance(error, MediaTooLong)
    assert error.seconds == pytest.approx(61)


async def test_a_film_of_one_claimed_frame_a_second_with_thousands_is_too_much_work(
    tmp_path: Path, film: Make, refusal: Refusal, cost: Any
) -> None:
    times = [n / 1000 for n in range(7600)]
    source = film(tmp_path / "a.mkv", codec="mpeg4", size=(16, 16), times=times, claimed_fps=1)

    with cost() as spent:
        error = await refusal(source, VIDEO)

    assert isinstance(error, MediaTooManyFrames)
    assert error.fps == pytest.approx(1000, rel=0.01)
    assert spent.seconds < 5


@pytest.mark.parametrize("delay", [0, 10])
async def test_a_gif_of_a_hundred_thousand_frames_is_refused_cheaply(
    delay: int, tmp_path: Path, refusal: Refusal, cost: Any
) -> None:
    frame = b"!\xf9\x04\0" + struct.pack("<H", delay) + b"\0\0,\0\0\0\0\1\0\1\0\0\2\2D\1\0"
    source = tmp_path / "a.gif"
    source.write_bytes(b"GIF89a\1\0\1\0\x80\0\0\0\0\0\xff\xff\xff" + frame * 100_000 + b";")

    with cost() as spent:
        error = await refusal(source, VIDEO)

    assert isinstance(error, MediaTooLong | MediaTooManyFrames)
    assert spent.child_bytes < 300_000_000
    assert spent.seconds < 5


def giant_gif(tmp_path: Path, film: Make) -> bytes:
    frame = b",\0\0\0\0\1\0\1\0\0\2\2D\1\0"
    size = struct.pack("<HH", 16_384, 16_384)
    return b"GIF89a" + size + b"\x80\0\0\0\0\0\xff\xff\xff" + frame * 2 + b";"


def giant_vp8(tmp_path: Path, film: Make) -> bytes:
    whole = film(tmp_path / "small.webm", codec="libvpx").read_bytes()
    dimensions = struct.pack("<HH", 64, 48)
    at = whole.index(b"\x9d\x01\x2a" + dimensions) + 3
    whole = whole[:at] + struct.pack("<HH", 16_383, 16_383) + whole[at + 4 :]
    # PixelWidth and PixelHeight of the track
    return whole.replace(b"\xb0\x81\x40", b"\xb0\x81\x7f").replace(b"\xba\x81\x30", b"\xba\x81\x7f")


@pytest.mark.parametrize("make", [giant_gif, giant_vp8])
async def test_pictures_of_16k_by_16k_are_refused_before_they_cost_memory(
    make: Callable[[Path, Make], bytes], tmp_path: Path, film: Make, refusal: Refusal, cost: Any
) -> None:
    source = tmp_path / "giant"
    source.write_bytes(make(tmp_path, film))

    with cost() as spent:
        error = await refusal(source, VIDEO)

    assert isinstance(error, MediaTooManyPixels | MediaDamaged)
    assert spent.child_bytes < 200_000_000
    assert spent.seconds < 5


async def test_the_size_is_that_of_the_pictures_not_of_the_header(
    tmp_path: Path, film: Make, store: MediaStore
) -> None:
    source = film(tmp_path / "small.mp4", codec="mpeg4", frames=3)
    whole = source.read_bytes()
    at = whole.index(b"mp4v") + 28  # width and height of the sample entry
    source.write_bytes(whole[:at] + struct.pack(">HH", 16_384, 16_384) + whole[at + 4 :])

    file = await store.admit(source, "video", VIDEO)

    assert (file.width, file.height) == (64, 48)


@pytest.mark.parametrize("keep", [0.3, 0.6, 0.97])
@pytest.mark.parametrize("first", ["mdat", "moov"])
async def test_cut_films_are_refused_or_admitted_as_long_as_they_really_are(
    first: str, keep: float, tmp_path: Path, film: Make, store: MediaStore
) -> None:
    options = {"movflags": "faststart"} if first == "moov" else {}
    source = film(tmp_path / "a.mp4", frames=48, options=options)
    whole = source.read_bytes()
    if first == "moov":  # always cut inside the pictures, behind a header that promises them all
        start = whole.index(b"mdat")
        source.write_bytes(whole[: start + int((len(whole) - start) * keep)])
    else:
        source.write_bytes(whole[: int(len(whole) * keep)])

    try:
        file = await store.admit(source, "video", VIDEO)
    except MediaRefused:
        assert list(store.folder.iterdir()) == []
    else:
        assert first == "moov"
        assert file.seconds < 2.0


async def test_a_truncated_index_is_damage(tmp_path: Path, film: Make, refusal: Refusal) -> None:
    source = film(tmp_path / "a.mp4", frames=48, options={"movflags": "faststart"})
    whole = source.read_bytes()
    source.write_bytes(whole[: whole.index(b"stbl") + 40])

    error = await refusal(source, VIDEO)

    assert isinstance(error, MediaDamaged)


@pytest.mark.parametrize(
    "head",
    [
        b"ID3\x04\0\0\0\0\0\0", b"fLaC", b"OggS\0", b"\x1a\x45\xdf\xa3",
        b"\0\0\0\x18ftypisom", b"RIFF\xff\xff\xff\xffWAVEfmt ", b"\xff\xf1\x50\x80",
    ],
)  # fmt: skip
@pytest.mark.parametrize("kind", [AUDIO, VIDEO])
async def test_noise_behind_good_first_bytes_is_refused(
    head: bytes, kind: MediaKind, tmp_path: Path, refusal: Refusal
) -> None:
    source = tmp_path / "noise"
    source.write_bytes(head + bytes(range(256)) * 300)

    assert isinstance(
        await refusal(source, kind), MediaDamaged | MediaUnreadable | MediaKindRefused
    )


async def test_films_without_sound_and_sounds_without_pictures_are_told_apart(
    tmp_path: Path, film: Make, sound: Make, refusal: Refusal
) -> None:
    silent = await refusal(film(tmp_path / "a.mp4"), AUDIO)
    blind = await refusal(sound(tmp_path / "b.mp4", "aac"), VIDEO)

    assert silent.data() == {"role": "image", "reason": "no_audio"}
    assert blind.data() == {"role": "image", "reason": "no_video"}


async def test_codecs_that_are_not_on_the_list_are_refused_by_name(
    tmp_path: Path, film: Make, refusal: Refusal
) -> None:
    error = await refusal(film(tmp_path / "a.mkv", codec="snow"), VIDEO)

    assert isinstance(error, MediaCodecRefused)
    assert error.data() == {"role": "image", "codec": "SNOW", "fix": "fix_h264"}


async def test_dolby_vision_that_only_its_own_decoder_shows_is_refused_by_name(
    tmp_path: Path, refusal: Refusal
) -> None:
    error = await refusal(dolby_5(tmp_path), VIDEO)

    assert isinstance(error, MediaCodecRefused)
    assert error.data() == {
        "role": "image",
        "codec": "Dolby Vision (profile 5)",
        "fix": "fix_h264",
    }


async def test_too_many_bytes_are_refused_unread(tmp_path: Path, refusal: Refusal) -> None:
    source = tmp_path / "a.mp4"
    with source.open("wb") as file:
        file.truncate(50_000_001)

    assert isinstance(await refusal(source, VIDEO), MediaTooLarge)


async def test_a_decoder_that_takes_too_long_is_ended_and_leaves_nothing(
    tmp_path: Path, film: Make, cost: Any
) -> None:
    source = film(tmp_path / "a.mp4", frames=200, size=(640, 480))
    store = MediaStore(tmp_path / "media", MediaLimits(decode_seconds=0.3))

    with cost() as spent, pytest.raises(MediaNeedsTime):
        await store.admit(source, "video", VIDEO)

    assert list(store.folder.iterdir()) == []
    assert spent.seconds < 5


async def test_a_cancelled_admission_ends_its_child_and_leaves_nothing(
    tmp_path: Path, film: Make, store: MediaStore, cost: Any
) -> None:
    source = film(tmp_path / "a.mp4", frames=200, size=(640, 480))

    with cost() as spent:
        admission = asyncio.create_task(store.admit(source, "video", VIDEO))
        await asyncio.to_thread(spent.begun.wait)
        admission.cancel()
        with pytest.raises(asyncio.CancelledError):
            await admission

    assert list(store.folder.iterdir()) == []
    assert not any(psutil.pid_exists(child) for child in spent.children)


def test_a_full_disk_closes_the_intake_and_leaves_nothing(
    tmp_path: Path, on_small_disk: Any
) -> None:
    script = """
import asyncio, json
import numpy as np
from PIL import Image
from core.errors import IntakeClosed
from core.domain.limits import MediaLimits
from core.domain.media import MediaKind
from core.media.intake.store import MediaStore

source = disk.parent / "noise.png"
Image.fromarray(np.random.default_rng(1).integers(0, 256, (600, 600, 3), np.uint8)).save(source)
try:
    asyncio.run(MediaStore(disk, MediaLimits()).admit(source, "image", MediaKind.IMAGE))
except IntakeClosed as error:
    print(json.dumps({"data": error.data(), "left": [path.name for path in disk.iterdir()]}))
"""
    assert on_small_disk(script, 200) == {"data": {"reason": "disk"}, "left": []}
