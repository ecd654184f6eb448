"""Pictures as devices and programs write them: one row each."""

import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import numpy as np
import pillow_heif
from numpy.typing import NDArray
from PIL import Image, PngImagePlugin

from tests.integration.media.device_colours import (
    ADOBE,
    BLUE,
    GREEN,
    P3,
    PROPHOTO,
    QUADRANTS,
    RED,
    SRGB,
    YELLOW,
    in_hlg,
    in_pq,
    in_space,
    picture,
    profile,
)

WHITE = (255, 255, 255)
FIRST = "first_picture_used"
GREYS = tuple((round(0.299 * r + 0.587 * g + 0.114 * b),) * 3 for r, g, b in QUADRANTS)


@dataclass(frozen=True)
class Picture:
    """A row: what made the file, how, and what has to be stored of it."""

    device: str
    make: Callable[[], bytes]
    size: tuple[int, int] = (384, 256)
    colours: tuple[tuple[int, ...], ...] = QUADRANTS
    tolerance: int = 8
    notes: tuple[str, ...] = ()


def encoded(image: Image.Image, format_: str, **options: Any) -> bytes:
    out = BytesIO()
    image.save(out, format_, **options)
    return out.getvalue()


def jpeg(image: Image.Image | None = None, **options: Any) -> bytes:
    return encoded(image or picture(), "JPEG", **{"quality": 95, "subsampling": 0, **options})


def chunk(name: bytes, content: bytes) -> bytes:
    body = name + content
    return struct.pack(">I", len(content)) + body + struct.pack(">I", zlib.crc32(body))


def png_with(*chunks: bytes, image: bytes | None = None) -> bytes:
    """Return a PNG with ``chunks`` between its header and its pixels."""
    whole = image or encoded(picture(), "PNG")
    return whole[:33] + b"".join(chunks) + whole[33:]


def png16(pixels: NDArray[np.uint16], *chunks: bytes) -> bytes:
    height, width = pixels.shape[:2]
    rows = pixels.astype(">u2").reshape(height, -1).view(np.uint8)
    data = zlib.compress(np.hstack([np.zeros((height, 1), np.uint8), rows]).tobytes())
    header = struct.pack(">IIBBBBB", width, height, 16, 2, 0, 0, 0)
    parts = [chunk(b"IHDR", header), *chunks, chunk(b"IDAT", data), chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def eight(pixels: NDArray[np.uint16]) -> Image.Image:
    return Image.fromarray(pixels.astype(np.uint8))


def heic(image: Image.Image, **options: Any) -> bytes:
    out = BytesIO()
    saved = {"quality": 90, "chroma": 444, "enc_params": {"preset": "ultrafast"}, **options}
    pillow_heif.from_pillow(image).save(out, **saved)
    return out.getvalue()


def heic_of(pixels: NDArray[np.uint16], **options: Any) -> bytes:
    """Return an HEIC in 10 bit of 16-bit ``pixels``."""
    height, width = pixels.shape[:2]
    out = BytesIO()
    pillow_heif.encode(
        "RGB;16",
        (width, height),
        pixels.astype("<u2").tobytes(),
        out,
        quality=95,
        chroma=444,
        **options,
    )
    return out.getvalue()


def avif(image: Image.Image, primaries: int = 0, transfer: int = 0, **options: Any) -> bytes:
    """Return an AVIF; with ``primaries`` it says that its colours are those (H.273)."""
    made = encoded(image, "AVIF", quality=95, subsampling="4:4:4", speed=10, **options)
    if primaries:
        at = made.index(b"colrnclx") + 8
        made = made[:at] + struct.pack(">HH", primaries, transfer) + made[at + 4 :]
    return made


def turned(image: Image.Image, orientation: int) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return jpeg(image, exif=exif)


def mirrored(format_: str, **options: Any) -> bytes:
    """Return a selfie that is to be mirrored."""
    exif = Image.Exif()
    exif[0x0112] = 2
    mirror = picture().transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    return encoded(mirror, format_, exif=exif, **options)


def in_adobe_rgb_by_exif() -> bytes:
    """Return a JPEG of a camera that writes no profile, but says in EXIF what its colours are."""
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0xA001] = 2
    return jpeg(eight(in_space(ADOBE, 2.2)), exif=exif)


def moving(format_: str) -> bytes:
    first, second = picture(), picture().transpose(Image.Transpose.ROTATE_180)
    options = {"lossless": True} if format_ == "WEBP" else {}
    return encoded(
        first, format_, save_all=True, append_images=[second, first], duration=100, **options
    )


def over_nothing(mode: str) -> Image.Image:
    """Return the picture with a hidden black top right and bottom left, which are transparent."""
    made = picture(mode="RGBA")
    made.paste((0, 0, 0, 0), (192, 0, 384, 128))
    made.paste((0, 0, 0, 0), (0, 128, 192, 256))
    return made.convert(mode)


def with_colour_key() -> bytes:
    """Return an RGB PNG in which the green of the top right means transparent."""
    return png_with(chunk(b"tRNS", struct.pack(">HHH", *GREEN)))


def burst() -> bytes:
    """Return an HEIC of three pictures, of which the second is the main one."""
    file = pillow_heif.HeifFile()
    for image in (Image.new("RGB", (384, 256)), picture(), Image.new("RGB", (384, 256), "white")):
        file.add_from_pillow(image)
    out = BytesIO()
    file.save(out, quality=90, chroma=444, primary_index=1)
    return out.getvalue()


def bad_crc() -> bytes:
    text = bytearray(chunk(b"tEXt", b"Comment\0hello"))
    text[-1] ^= 1
    return png_with(bytes(text))


def long_text() -> bytes:
    text = PngImagePlugin.PngInfo()
    text.add_text("workflow", '{"a":1}' * 250_000, zip=True)
    return encoded(picture(), "PNG", pnginfo=text)


def ultra_hdr() -> bytes:
    """Return a JPEG with a gain map behind it, as Pixel and Galaxy write it."""
    return encoded(
        picture(), "MPO", save_all=True, append_images=[picture(96, 64, "L")], quality=95
    )


CICP_P3 = chunk(b"cICP", bytes([12, 13, 0, 1]))
CICP_PQ = chunk(b"cICP", bytes([9, 16, 0, 1]))
CHRM_P3 = chunk(b"cHRM", struct.pack(">8I", *(
    round(v * 100_000) for xy in (P3[3], *P3[:3]) for v in xy
)))  # fmt: skip
GAMA = chunk(b"gAMA", struct.pack(">I", 45_455))
GAMA_1 = chunk(b"gAMA", struct.pack(">I", 100_000))

PICTURES = (
    Picture(
        "iPhone, 24 MP JPEG", lambda: jpeg(picture(5712, 4284), quality=85), size=(3325, 2494)
    ),
    Picture(
        "iPhone held upright, 48 MP JPEG",
        lambda: turned(picture(8064, 6048).transpose(Image.Transpose.ROTATE_90), 6),
        size=(3325, 2494),
    ),
    Picture(
        "Galaxy, 50 MP JPEG", lambda: jpeg(picture(8160, 6120), quality=85), size=(3325, 2494)
    ),
    Picture(
        "iPhone, P3 JPEG",
        lambda: jpeg(eight(in_space(P3, 2.2)), icc_profile=profile(P3, 2.2)),
    ),
    Picture("iPhone, HEIC", lambda: heic(picture())),
    Picture("iPhone, 24 MP HEIC", lambda: heic(picture(5712, 4284), chroma=420), (3325, 2494)),
    Picture(
        "iPhone, P3 HEIC",
        lambda: heic(eight(in_space(P3, 2.2)), icc_profile=profile(P3, 2.2)),
    ),
    Picture(
        "HEIC with P3 by number",
        lambda: heic(
            eight(in_space(P3, 2.2)),
            color_primaries=12,
            transfer_characteristics=13,
            matrix_coefficients=6,
            full_range_flag=1,
        ),
    ),
    Picture(
        "HLG HEIC (Canon, Sony)",
        lambda: heic_of(
            in_hlg(),
            color_primaries=9,
            transfer_characteristics=18,
            matrix_coefficients=9,
            full_range_flag=1,
        ),
        tolerance=25,
    ),
    Picture(
        "PQ HEIC (Canon HDR PQ)",
        lambda: heic_of(
            in_pq(),
            color_primaries=9,
            transfer_characteristics=16,
            matrix_coefficients=9,
            full_range_flag=1,
        ),
        tolerance=25,
    ),
    Picture("burst HEIC", burst, notes=("main_picture_used",)),
    Picture("transparent HEIC", lambda: heic(over_nothing("RGBA")),
            colours=(RED, WHITE, WHITE, YELLOW)),
    Picture("AVIF", lambda: avif(picture())),
    Picture("AVIF with a P3 profile",
            lambda: avif(eight(in_space(P3, 2.2)), icc_profile=profile(P3, 2.2))),
    Picture("P3 AVIF by number", lambda: avif(eight(in_space(P3, 2.2)), 12, 13)),
    Picture("PQ AVIF", lambda: avif(eight(in_pq(8)), 9, 16), tolerance=25),
    Picture("HLG AVIF", lambda: avif(eight(in_hlg(8)), 9, 18), tolerance=25),
    Picture("Pixel, Ultra HDR JPEG", ultra_hdr),
    Picture("12 MP WebP", lambda: encoded(picture(4032, 3024), "WEBP", method=0),
            (3325, 2494), tolerance=10),
    Picture("P3 WebP", lambda: encoded(
        eight(in_space(P3, 2.2)), "WEBP", lossless=True, icc_profile=profile(P3, 2.2))),
    Picture("camera in Adobe RGB",
            lambda: jpeg(eight(in_space(ADOBE, 2.2)), icc_profile=profile(ADOBE, 2.2))),
    Picture("camera in Adobe RGB, by EXIF alone", in_adobe_rgb_by_exif),
    Picture("Lightroom, 16-bit ProPhoto PNG", lambda: png16(
        in_space(PROPHOTO, 1.8, 16),
        chunk(b"iCCP", b"x\0\0" + zlib.compress(profile(PROPHOTO, 1.8))))),
    Picture("scanner, grey with gamma 1.8", lambda: jpeg(
        picture(mode="L").point(lambda v: round(((v / 255 + 0.055) / 1.055) ** (2.4 / 1.8) * 255)),
        icc_profile=profile(None, 1.8)), colours=GREYS),
    Picture("grey with the profile of RGB",
            lambda: jpeg(picture(mode="L"), icc_profile=profile(SRGB, 2.2)), colours=GREYS),
    Picture("colours with the profile of grey",
            lambda: jpeg(picture(), icc_profile=profile(None, 1.8))),
    Picture("CMYK JPEG with a profile", lambda: jpeg(
        Image.merge("CMYK", [Image.new("L", (384, 256), v) for v in (0, 255, 255, 0)]),
        icc_profile=profile(None, 1, cmyk=True)), colours=((203, 0, 0),) * 4, tolerance=12),
    Picture("CMYK JPEG, progressive, 24 MP", lambda: jpeg(
        picture(5712, 4284, "CMYK"), progressive=True, quality=80), (3325, 2494)),
    Picture("JPEG with a broken profile", lambda: jpeg(icc_profile=b"\0" * 60_000)),
    Picture("JPEG with a profile of 3 MB", lambda: jpeg(
        icc_profile=profile(SRGB, 2.2) + bytes(3_000_000))),
    Picture("PNG, P3 by cICP", lambda: png_with(
        CICP_P3, image=encoded(eight(in_space(P3, 2.2)), "PNG"))),
    Picture("PNG, P3 by cHRM and gAMA", lambda: png_with(
        CHRM_P3, GAMA, image=encoded(eight(in_space(P3, 2.2)), "PNG"))),
    Picture("PNG, linear by gAMA", lambda: png_with(
        GAMA_1, image=encoded(eight(in_space(SRGB, 1.0)), "PNG")), tolerance=10),
    Picture("PNG, gAMA of sRGB", lambda: png_with(GAMA), tolerance=1),
    Picture("PNG, HDR by cICP", lambda: png16(in_pq(), CICP_PQ), tolerance=25),
    Picture("PNG, sRGB against a wrong gAMA",
            lambda: png_with(chunk(b"sRGB", b"\0"), GAMA_1), tolerance=1),
    Picture("PNG, RGBA", lambda: encoded(over_nothing("RGBA"), "PNG"),
            colours=(RED, WHITE, WHITE, YELLOW)),
    Picture("PNG, LA", lambda: encoded(over_nothing("LA"), "PNG"),
            colours=(GREYS[0], WHITE, WHITE, GREYS[3])),
    Picture("PNG, palette with tRNS", lambda: encoded(
        over_nothing("RGBA").quantize(8), "PNG"), colours=(RED, WHITE, WHITE, YELLOW)),
    Picture("PNG, one colour means clear", with_colour_key, colours=(RED, WHITE, BLUE, YELLOW)),
    Picture("PNG, 1 bit, black means clear", lambda: encoded(
        Image.new("1", (384, 256)), "PNG", transparency=0), colours=(WHITE,) * 4),
    Picture("PNG, 16-bit grey", lambda: encoded(
        Image.fromarray(np.full((256, 384), 20_000, np.uint16)), "PNG"),
        colours=((78, 78, 78),) * 4),
    Picture("WebP, RGBA", lambda: encoded(over_nothing("RGBA"), "WEBP", lossless=True),
            colours=(RED, WHITE, WHITE, YELLOW)),
    Picture("Windows, BMP", lambda: encoded(picture(), "BMP")),
    Picture("GIF", lambda: moving("GIF"), notes=(FIRST,)),
    Picture("GIF of one picture", lambda: encoded(picture(), "GIF")),
    Picture("GIF, transparent", lambda: encoded(over_nothing("RGBA"), "GIF"),
            colours=(RED, WHITE, WHITE, YELLOW)),
    Picture("APNG", lambda: moving("PNG"), notes=(FIRST,)),
    Picture("animated WebP", lambda: moving("WEBP"), notes=(FIRST,)),
    Picture("Telegram, sticker", lambda: encoded(
        over_nothing("RGBA").resize((512, 341), Image.Resampling.NEAREST), "WEBP", lossless=True),
        size=(512, 341), colours=(RED, WHITE, WHITE, YELLOW)),
    Picture("PNG with a wrong checksum of a text", bad_crc),
    Picture("ComfyUI, PNG with 1.7 MB of text", long_text),
    Picture("JPEG without its last two bytes", lambda: jpeg()[:-2]),
    Picture("progressive JPEG without its last two bytes", lambda: jpeg(progressive=True)[:-2]),
    Picture("PNG without its end", lambda: encoded(picture(), "PNG")[:-12]),
    Picture("JPEG with a film behind it", lambda: jpeg() + b"\0\0\0\x18ftypmp42" + bytes(100_000)),
    Picture("PNG with an archive behind it",
            lambda: encoded(picture(), "PNG") + b"PK\x03\x04" + bytes(5000)),
    Picture("selfie, mirrored JPEG", lambda: mirrored("JPEG", quality=95, subsampling=0)),
    Picture("selfie, mirrored PNG", lambda: mirrored("PNG")),
    Picture("selfie, mirrored WebP", lambda: mirrored("WEBP", lossless=True)),
    Picture("selfie, mirrored AVIF", lambda: mirrored("AVIF", quality=95)),
)  # fmt: skip
