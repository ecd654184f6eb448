"""Pictures of strangers: what is refused before it costs anything, and what becomes of others."""

import asyncio
import os
import random
import struct
import zlib
from collections.abc import Awaitable, Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import pillow_heif
import pytest
from PIL import Image, ImageCms

from core.domain.file_types import ACCEPTED
from core.domain.limits import MediaLimits
from core.domain.media import MediaKind
from core.errors import (
    MediaDamaged,
    MediaFormatRefused,
    MediaKindRefused,
    MediaNeedsMemory,
    MediaRefused,
    MediaTooLarge,
    MediaTooManyPixels,
    MediaUnreadable,
)
from core.i18n.messages import sentences
from core.media.intake.store import MediaStore
from core.testing.loop_lag import LoopLag

IMAGE = MediaKind.IMAGE
Refusal = Callable[[Path, MediaKind], Awaitable[MediaRefused]]
MANY = 100_000  # frames
pillow_heif.register_heif_opener()


def zeros(count: int) -> bytes:
    packer = zlib.compressobj(9)
    block = bytes(1 << 20)
    parts = [packer.compress(block) for _ in range(count >> 20)]
    return b"".join([*parts, packer.compress(bytes(count & 0xFFFFF)), packer.flush()])


def encoded(picture: Image.Image, format_: str, **options: Any) -> bytes:
    out = BytesIO()
    picture.save(out, format_, **options)
    return out.getvalue()


@pytest.mark.parametrize("side", [13_300, 30_000])
async def test_a_small_file_that_would_decode_to_gigabytes_is_refused_by_its_header(
    side: int, tmp_path: Path, png: Callable[..., bytes], refusal: Refusal, cost: Any
) -> None:
    data = zeros((side + 1) * side) if side < 20_000 else zlib.compress(b"")
    bomb = tmp_path / "cat.png"
    bomb.write_bytes(png(side, side, data))
    assert bomb.stat().st_size < 200_000

    with cost() as spent:
        error = await refusal(bomb, IMAGE)

    assert error.data() == {
        "role": "image", "width": side, "height": side, "limit_pixels": 51_000_000,
    }  # fmt: skip
    assert isinstance(error, MediaTooManyPixels)
    assert spent.children
    assert spent.child_bytes < 100_000_000
    assert spent.grown_bytes < 50_000_000
    assert spent.seconds < 5


async def test_data_beyond_the_size_in_the_header_cost_no_memory(
    tmp_path: Path, png: Callable[..., bytes], store: MediaStore, cost: Any
) -> None:
    liar = tmp_path / "small.png"
    liar.write_bytes(png(100, 100, zeros(100_000_000)))

    with cost() as spent:
        file = await store.admit(liar, "image", IMAGE)

    assert (file.width, file.height) == (100, 100)
    assert spent.child_bytes < 100_000_000


async def test_a_text_that_unpacks_to_gigabytes_is_never_unpacked(
    tmp_path: Path, png: Callable[..., bytes], png_chunk: Any, store: MediaStore, cost: Any
) -> None:
    bomb = tmp_path / "text.png"
    text = png_chunk(b"zTXt", b"Comment\0\0" + zeros(300_000_000))
    bomb.write_bytes(png(1, 1, zlib.compress(b"\0\0"), text))

    with cost() as spent:
        file = await store.admit(bomb, "image", IMAGE)

    assert (file.width, file.height) == (1, 1)
    assert spent.child_bytes < 100_000_000


def animated_png(png: Callable[..., bytes], png_chunk: Any) -> bytes:
    frame = zlib.compress(b"\0\0")
    control = struct.pack(">IIIIIHHBB", 0, 1, 1, 0, 0, 1, 100, 0, 0)
    more = png_chunk(b"fcTL", control) + png_chunk(b"fdAT", struct.pack(">I", 1) + frame)
    start = png_chunk(b"acTL", struct.pack(">II", MANY, 0)) + png_chunk(b"fcTL", control)
    return png(1, 1, frame, start, more * MANY)


def animated_webp() -> bytes:
    pictures = [Image.new("RGB", (4, 4), shade) for shade in ("red", "blue")]
    two = encoded(pictures[0], "WEBP", save_all=True, append_images=pictures[1:], lossless=True)
    at = two.index(b"ANMF")
    size = 8 + int.from_bytes(two[at + 4 : at + 8], "little")
    body = two[8:at] + two[at : at + size] * MANY
    return b"RIFF" + struct.pack("<I", len(body)) + body


@pytest.mark.parametrize("kind", ["apng", "webp", "gif"])
async def test_a_picture_of_a_hundred_thousand_frames_costs_no_more_than_its_first(
    kind: str, tmp_path: Path, png: Any, png_chunk: Any, store: MediaStore, cost: Any
) -> None:
    film = tmp_path / "still.png"
    gif = encoded(Image.new("P", (1, 1)), "GIF")
    start = gif.index(b",")
    content = {
        "apng": lambda: animated_png(png, png_chunk),
        "webp": animated_webp,
        "gif": lambda: gif[:start] + gif[start:-1] * MANY + b";",
    }
    film.write_bytes(content[kind]())

    with cost() as spent:
        file = await store.admit(film, "image", IMAGE)

    assert [note.code for note in file.notes] == ["first_picture_used"]
    assert spent.child_bytes < 300_000_000
    assert spent.seconds < 5


@pytest.mark.parametrize(
    ("name", "fix", "content"),
    [
        ("svg", "screenshot", b'<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg"/>'),
        ("svg", "screenshot", b'\xef\xbb\xbf<svg><image href="file:///etc/passwd"/></svg>'),
        ("postscript", "screenshot", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n"),
        ("postscript", "screenshot", b"\xc5\xd0\xd3\xc6" + bytes(60)),
        ("fits", "jpeg", b"SIMPLE  =                    T".ljust(2880)),
        ("pdf", "screenshot", b"%PDF-1.7\n1 0 obj"),
        ("pdf", "screenshot", b"\xef\xbb\xbf\n%PDF-1.4"),
        ("web_page", "file_itself", b"<!DOCTYPE html><html><script>alert(1)</script></html>"),
        ("web_page", "file_itself", b"  <html>"),
        ("tiff", "jpeg", b"II*\0\x08\0\0\0"),
        ("tiff", "jpeg", b"MM\0+\0\x08\0\0"),
        ("raw_photo", "raw", b"II*\0\x10\0\0\0CR\x02\0"),
        ("raw_photo", "raw", b"\0\0\0\x18ftypcrx \0\0\0\1crx isom"),
        ("raw_photo", "raw", b"MM\0*\0\0\0\x08".ljust(300, b"\0") + b"NIKON CORPORATION\0"),
        ("raw_photo", "raw", b"II*\0\x08\0\0\0".ljust(200, b"\0") + b"SONY\0ILCE-7"),
        ("raw_photo", "raw", b"FUJIFILMCCD-RAW 0201"),
        ("photoshop", "jpeg", b"8BPS\0\1"),
        ("gimp", "jpeg", b"gimp xcf v011"),
        ("jpeg_xl", "jpeg", b"\xff\x0a\xfa\x1f"),
        ("jpeg_xl", "jpeg", b"\0\0\0\x0cJXL \r\n\x87\n"),
        ("jpeg_2000", "jpeg", b"\0\0\0\x0cjP  \r\n\x87\n"),
        ("icon", "jpeg", b"\0\0\1\0\1\0\x10\x10"),
        ("hdr_picture", "jpeg", b"#?RADIANCE\n"),
        ("archive", "unpack", b"PK\x03\x04" + bytes(40)),
        ("compressed", "screenshot", b"\x1f\x8b\x08\0" + bytes(40)),
        ("program", "convert", b"\x7fELF\x02\x01\x01"),
        ("midi", "sound", b"MThd\0\0\0\6"),
        ("plain_text", "convert", b"Dear Clapper, here is my picture of a cat"),
        ("unknown_format", "convert", b"hello"),
        ("unknown_format", "convert", bytes(5000)),
    ],
)
async def test_what_is_no_accepted_picture_is_named_with_a_remedy_and_never_decoded(
    name: str, fix: str, content: bytes, tmp_path: Path, refusal: Refusal, cost: Any
) -> None:
    fake = tmp_path / "cat.png"
    fake.write_bytes(content)

    with cost() as spent:
        error = await refusal(fake, IMAGE)

    accepted = ACCEPTED[IMAGE]
    assert error == Same(MediaFormatRefused("image", name, accepted, f"fix_{fix}"))
    assert f"names.{name}" in sentences("en")
    assert f"names.fix_{fix}" in sentences("en")
    assert not spent.children


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("WAV", b"RIFF\x24\0\0\0WAVEfmt "),
        ("M4A", b"\0\0\0\x18ftypM4A \0\0\0\0"),
        ("AVI", b"RIFF\0\0\0\0AVI LIST"),
    ],
)
async def test_a_good_file_of_another_kind_is_told_from_an_unknown_one(
    name: str, content: bytes, tmp_path: Path, refusal: Refusal, cost: Any
) -> None:
    film = tmp_path / "cat.png"
    film.write_bytes(content)

    with cost() as spent:
        error = await refusal(film, IMAGE)

    assert error == Same(MediaKindRefused("image", name, ACCEPTED[IMAGE], "fix_send_picture"))
    assert not spent.children


async def test_empty_and_too_large_files_and_no_files_are_refused_undecoded(
    tmp_path: Path, refusal: Refusal
) -> None:
    nothing = tmp_path / "a.png"
    nothing.touch()
    large = tmp_path / "b.png"
    with large.open("wb") as file:
        file.truncate(50_000_001)

    assert await refusal(nothing, IMAGE) == Same(MediaUnreadable("image", "empty"))
    assert await refusal(large, IMAGE) == Same(MediaTooLarge("image", 50_000_001, 50_000_000))
    assert isinstance(await refusal(tmp_path, IMAGE), MediaUnreadable)
    assert await refusal(tmp_path / "c.png", IMAGE) == Same(MediaUnreadable("image", "missing"))
    assert await refusal(tmp_path / "c\0.png", IMAGE) == Same(MediaUnreadable("image", "missing"))


async def test_a_pipe_instead_of_a_file_does_not_make_anybody_wait(
    tmp_path: Path, refusal: Refusal
) -> None:
    os.mkfifo(tmp_path / "pipe.png")

    async with asyncio.timeout(120):
        assert isinstance(await refusal(tmp_path / "pipe.png", IMAGE), MediaUnreadable)


async def test_the_event_loop_stays_free_while_a_picture_is_admitted(
    tmp_path: Path, store: MediaStore
) -> None:
    source = tmp_path / "large.jpg"
    source.write_bytes(encoded(Image.new("RGB", (4000, 3000), "teal"), "JPEG"))

    async with LoopLag() as pulse:
        picture = await store.admit(source, "image", IMAGE)

    assert picture.width > 0
    assert 0 < pulse.longest_s < 0.25


class Same:
    """Equal to an error of the same code and data."""

    def __init__(self, error: MediaRefused) -> None:
        self.error = error

    def __eq__(self, other: object) -> bool:
        return isinstance(other, MediaRefused) and str(other) == str(self.error)

    __hash__ = None  # type: ignore[assignment]  # only compared

    def __repr__(self) -> str:
        return str(self.error)


@pytest.mark.parametrize("format_", ["PNG", "JPEG", "WEBP", "AVIF", "GIF", "HEIF"])
@pytest.mark.parametrize("harm", ["cut", "noise", "head only"])
async def test_damaged_pictures_are_refused(
    format_: str, harm: str, tmp_path: Path, refusal: Refusal
) -> None:
    whole = encoded(Image.effect_noise((200, 200), 90).convert("RGB"), format_)
    noise = random.Random(1).randbytes(len(whole) - 16)
    broken = {"cut": whole[: len(whole) // 2], "noise": whole[:16] + noise, "head only": whole[:16]}
    path = tmp_path / "x"
    path.write_bytes(broken[harm])

    error = await refusal(path, IMAGE)

    assert isinstance(error, MediaDamaged | MediaTooManyPixels)


async def test_a_photo_becomes_upright_and_loses_everything_but_its_pixels(
    tmp_path: Path, store: MediaStore
) -> None:
    photo = Image.new("RGB", (80, 40), "red")
    photo.paste("blue", (0, 0, 40, 40))  # left half; on top once upright
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was held upright
    exif[0x010E] = "Clappersville"
    exif.get_ifd(0x8825).update({1: "N", 2: (52.0, 31.0, 12.0)})
    source = tmp_path / "photo.jpg"
    source.write_bytes(
        encoded(photo, "JPEG", quality=95, exif=exif, icc_profile=bytes(900_000), comment=b"Clapp")
    )

    file = await store.admit(source, "image", IMAGE)

    with Image.open(store.path_of(file)) as kept:
        assert (kept.format, kept.mode, kept.size) == ("PNG", "RGB", (40, 80))
        assert (file.width, file.height) == (40, 80)
        assert kept.info == {}
        assert not kept.getexif()
        assert kept.getpixel((20, 10))[2] > 200  # type: ignore[index]  # a tuple
        assert kept.getpixel((20, 70))[0] > 200  # type: ignore[index]  # a tuple
    content = store.path_of(file).read_bytes()
    assert b"Clapp" not in content
    assert {content[at + 4 : at + 8] for at in chunks(content)} == {b"IHDR", b"IDAT", b"IEND"}


def chunks(content: bytes) -> list[int]:
    found, at = [], 8
    while at < len(content):
        found.append(at)
        at += 12 + int.from_bytes(content[at : at + 4])
    return found


async def test_what_hides_behind_the_picture_is_gone(tmp_path: Path, store: MediaStore) -> None:
    hidden = b"PK\x03\x04<?php system($_GET['c']); ?><script>alert(1)</script>"
    polyglot = tmp_path / "x.php.png"
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    picture = encoded(Image.new("RGB", (9, 7), "green"), "PNG", icc_profile=profile)
    polyglot.write_bytes(picture + hidden)
    plain = tmp_path / "plain.png"
    plain.write_bytes(encoded(Image.new("RGB", (9, 7), "green"), "PNG"))

    file = await store.admit(polyglot, "image", IMAGE)

    assert b"php" not in store.path_of(file).read_bytes()
    assert await store.admit(plain, "first", IMAGE) == file
    assert [path.name for path in store.folder.iterdir()] == [file.name]


@pytest.mark.parametrize(
    "name",
    [
        "-i",
        "C:\\Windows\\x.png",
        "..%2f..%2fetc%2fpasswd",
        "$(touch owned) `id`.png",
        "a\nb\t.png",
        "\u202egnp.exe",
        "x" * 250 + ".png",
        "concat:a|b",
        "💥.png",
    ],
)
async def test_names_are_never_used(name: str, tmp_path: Path, store: MediaStore) -> None:
    source = tmp_path / name
    source.write_bytes(encoded(Image.new("RGB", (8, 8), "green"), "PNG"))

    file = await store.admit(source, "image", IMAGE)

    assert file.name == f"{file.sha256}.png"
    assert [path.name for path in store.folder.iterdir()] == [file.name]
    assert {path.name for path in store.folder.parent.iterdir()} == {name, "media"}


def sixteen_bits() -> Image.Image:
    return Image.new("I;16", (8, 8), 128 * 257)


@pytest.mark.parametrize(
    ("picture", "format_", "expected"),
    [
        (Image.new("RGBA", (8, 8), (255, 0, 0, 0)), "PNG", (255, 255, 255)),
        (Image.new("RGBA", (8, 8), (255, 0, 0, 255)), "WEBP", (255, 0, 0)),
        (Image.new("LA", (8, 8), (0, 0)), "PNG", (255, 255, 255)),
        (Image.new("P", (8, 8), 0), "PNG", (0, 0, 0)),
        (Image.new("1", (8, 8), 1), "PNG", (255, 255, 255)),
        (Image.new("L", (8, 8), 77), "PNG", (77, 77, 77)),
        (sixteen_bits(), "PNG", (128, 128, 128)),
        (Image.new("CMYK", (8, 8), (0, 0, 0, 255)), "JPEG", (0, 0, 0)),
    ],
    ids=["clear", "opaque", "grey clear", "palette", "bit", "grey", "16 bit", "cmyk"],
)
async def test_every_kind_of_pixel_becomes_plain_rgb(
    picture: Image.Image, format_: str, expected: tuple[int, ...], tmp_path: Path, store: MediaStore
) -> None:
    source = tmp_path / "x"
    source.write_bytes(
        encoded(picture, format_, **({"lossless": True} if format_ == "WEBP" else {}))
    )

    file = await store.admit(source, "image", IMAGE)

    with Image.open(store.path_of(file)) as kept:
        assert kept.mode == "RGB"
        assert kept.getpixel((4, 4)) == expected


@pytest.mark.parametrize("format_", ["PNG", "JPEG", "WEBP"])
async def test_a_large_picture_is_decoded_within_the_memory_limit(
    format_: str, tmp_path: Path, store: MediaStore, cost: Any
) -> None:
    size = (5160, 3870) if format_ == "WEBP" else (6000, 3990)
    options = {"progressive": True, "subsampling": 0} if format_ == "JPEG" else {}
    mode = "RGB" if format_ == "JPEG" else "RGBA"
    source = tmp_path / "large"
    source.write_bytes(encoded(Image.new(mode, size, "teal"), format_, **options))

    with cost() as spent:
        file = await store.admit(source, "image", IMAGE)

    assert file.width / file.height == pytest.approx(size[0] / size[1], rel=0.01)
    assert file.width * file.height <= 3840 * 2160
    assert spent.child_bytes < MediaLimits().decode_memory
    assert spent.grown_bytes < 50_000_000


async def test_a_child_that_needs_more_memory_than_ordered_is_refused_not_killed(
    tmp_path: Path,
) -> None:
    source = tmp_path / "large"
    source.write_bytes(encoded(Image.new("RGB", (5000, 4000)), "PNG"))
    store = MediaStore(tmp_path / "media", MediaLimits(decode_memory=60_000_000))

    with pytest.raises(MediaNeedsMemory) as caught:
        await store.admit(source, "image", IMAGE)

    assert caught.value.fix == "fix_smaller_picture"


@pytest.mark.parametrize(("suffix", "codec"), [("mp4", "libx264"), ("webm", "libvpx-vp9")])
async def test_a_silent_film_gives_its_first_picture_as_chats_make_films_of_gifs(
    suffix: str, codec: str, tmp_path: Path, film: Callable[..., Path], store: MediaStore
) -> None:
    source = film(tmp_path / f"a.{suffix}", codec=codec)

    file = await store.admit(source, "image", IMAGE)

    assert [note.code for note in file.notes] == ["first_picture_used"]
    with Image.open(store.path_of(file)) as kept:
        assert (kept.size, kept.mode) == ((64, 48), "RGB")
        assert kept.getpixel((8, 8)) == pytest.approx((20, 20, 20), abs=5)


async def test_a_film_with_sound_is_no_picture(
    tmp_path: Path, film: Callable[..., Path], refusal: Refusal
) -> None:
    error = await refusal(film(tmp_path / "a.mp4", sound="aac"), IMAGE)

    accepted = ACCEPTED[IMAGE]
    expected = MediaKindRefused("image", "film_with_sound", accepted, "fix_send_picture")
    assert error == Same(expected)
