"""What the largest file of each accepted class costs the child that decodes it.

``python bench/media_cost.py [part of a name]`` prints a row for each class: processor time, the
most memory of the child, the size of the result. ``MediaLimits`` follows from this table: the
memory that one file may have is the largest of these and a tenth, and its processor time allows a
machine a quarter as fast.
"""

import asyncio
import resource
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import numpy as np
import pillow_heif
import psutil
from imageio_ffmpeg import get_ffmpeg_exe
from PIL import Image

from core.domain.limits import MediaLimits
from core.domain.media import MediaKind
from core.errors import MediaRefused
from core.media.intake.store import MediaStore

Make = Callable[[Path], None]


def photo(width: int, height: int, mode: str = "RGB") -> Image.Image:
    """Return a picture with detail everywhere: shades of 32 px, and noise."""
    chance = np.random.default_rng(1)
    cells = chance.integers(0, 255, (height // 32 + 1, width // 32 + 1, 3), np.uint8)
    return Image.fromarray(cells).resize((width, height), Image.Resampling.BICUBIC).convert(mode)


def picture(width: int, height: int, format_: str, mode: str = "RGB", **options: object) -> Make:
    def make(path: Path) -> None:
        photo(width, height, mode).save(path, format_, **options)

    return make


def heic(width: int, height: int) -> Make:
    def make(path: Path) -> None:
        out = BytesIO()
        quick = {"preset": "ultrafast"}
        pillow_heif.from_pillow(photo(width, height)).save(out, quality=50, enc_params=quick)
        path.write_bytes(out.getvalue())

    return make


def hdr_heic(width: int, height: int) -> Make:
    def make(path: Path) -> None:
        deep = np.asarray(photo(width, height)).astype(np.uint16) * 257
        with path.open("wb") as out:
            pillow_heif.encode(
                "RGB;16", (width, height), deep.tobytes(), out, quality=50,
                enc_params={"preset": "ultrafast"}, color_primaries=9,
                transfer_characteristics=16, matrix_coefficients=9, full_range_flag=1,
            )  # fmt: skip

    return make


def hdr_avif(width: int, height: int) -> Make:
    def make(path: Path) -> None:
        image = path.with_name("deep.png")
        photo(width, height).save(image)
        tags = ("-color_primaries", "bt2020", "-color_trc", "smpte2084", "-colorspace", "bt2020nc")
        said = "setparams=color_primaries=bt2020:color_trc=smpte2084:colorspace=bt2020nc"
        ffmpeg(
            "-i",
            str(image),
            "-vf",
            f"format=yuv420p10le,{said}",
            *SVT_AV1,
            *TEN_BITS,
            *tags,
            "-f",
            "avif",
            str(path),
        )

    return make


def film(size: str, fps: int, *codec: str) -> Make:
    """Return what writes a minute of a moving pattern: one second of it, again and again."""

    def make(path: Path) -> None:
        container = "mov" if "prores_ks" in codec else "mp4"
        second = path.with_name("second")
        pattern = ("-f", "lavfi", "-i", f"testsrc2=s={size}:r={fps}:d=1")
        ffmpeg(*pattern, *codec, "-f", container, str(second))
        again = ("-stream_loop", "59", "-i", str(second), "-c", "copy", "-f", container)
        ffmpeg(*again, str(path))

    return make


def ffmpeg(*arguments: str) -> None:
    """Run the program with at most 8 GB and five minutes."""
    bounded = ("bash", "-c", 'ulimit -v 8000000; exec "$@"', "bash", get_ffmpeg_exe())
    subprocess.run([*bounded, "-v", "error", "-y", *arguments], check=True, timeout=300)


X265 = ("-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=none:ref=4:bframes=3")
SVT_AV1 = ("-c:v", "libsvtav1", "-preset", "12", "-svtav1-params", "log=0")
TEN_BITS = ("-pix_fmt", "yuv420p10le")

CLASSES: tuple[tuple[str, MediaKind, Make], ...] = (
    ("JPEG, iPhone 24 MP", MediaKind.IMAGE, picture(5712, 4284, "JPEG")),
    ("JPEG, iPhone 48 MP", MediaKind.IMAGE, picture(8064, 6048, "JPEG")),
    ("JPEG, Galaxy 200 MP", MediaKind.IMAGE, picture(16320, 12240, "JPEG", quality=60)),
    ("JPEG, 50 MP, progressive 4:4:4", MediaKind.IMAGE,
     picture(8160, 6144, "JPEG", progressive=True, subsampling=0)),
    ("JPEG, 25 MP, progressive CMYK", MediaKind.IMAGE,
     picture(5712, 4284, "JPEG", "CMYK", progressive=True)),
    ("JPEG, 50 MP, CMYK", MediaKind.IMAGE, picture(8160, 6144, "JPEG", "CMYK")),
    ("HEIC, iPhone 24 MP", MediaKind.IMAGE, heic(5712, 4284)),
    ("HEIC, iPhone 48 MP", MediaKind.IMAGE, heic(8064, 6048)),
    ("HEIC, panorama 63 MP", MediaKind.IMAGE, heic(16382, 3888)),
    ("HEIC, HDR 26 MP", MediaKind.IMAGE, hdr_heic(6240, 4160)),
    ("HEIC, HDR 45 MP", MediaKind.IMAGE, hdr_heic(8192, 5464)),
    ("AVIF, HDR 12 MP", MediaKind.IMAGE, hdr_avif(4032, 3024)),
    ("AVIF, 24 MP", MediaKind.IMAGE, picture(5712, 4284, "AVIF", speed=10)),
    ("AVIF, 24 MP with alpha", MediaKind.IMAGE, picture(5712, 4284, "AVIF", "RGBA", speed=10)),
    ("PNG, 50 MP", MediaKind.IMAGE, picture(8160, 6144, "PNG", compress_level=3)),
    ("PNG, 50 MP with alpha", MediaKind.IMAGE,
     picture(8160, 6144, "PNG", "RGBA", compress_level=3)),
    ("WebP, 20 MP with alpha", MediaKind.IMAGE, picture(5160, 3870, "WEBP", "RGBA", method=0)),
    ("GIF, 25 MP", MediaKind.IMAGE, picture(5712, 4284, "GIF")),
    ("HEVC, 4K30, 10 bits", MediaKind.VIDEO, film("3840x2160", 30, *X265, *TEN_BITS)),
    ("HEVC, 4K60, 10 bits", MediaKind.VIDEO, film("3840x2160", 60, *X265, *TEN_BITS)),
    ("HEVC, 1080p60, 10 bits", MediaKind.VIDEO, film("1920x1080", 60, *X265, *TEN_BITS)),
    ("H.264, 1080p240", MediaKind.VIDEO,
     film("1920x1080", 240, "-c:v", "libx264", "-preset", "veryfast")),
    ("H.264, 4K30, 16 references", MediaKind.VIDEO,
     film("3840x2160", 30, "-c:v", "libx264", "-preset", "veryfast", "-refs", "16")),
    ("AV1, 4K30, 10 bits", MediaKind.VIDEO, film("3840x2160", 30, *SVT_AV1, *TEN_BITS)),
    ("ProRes, 4K30", MediaKind.VIDEO,
     film("3840x2160", 30, "-c:v", "prores_ks", "-profile:v", "0")),
)  # fmt: skip


class Watch(threading.Thread):
    """Keeps the most memory that any child had."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.most = 0
        self.done = threading.Event()

    def run(self) -> None:
        """Look every 5 ms until the end."""
        here = psutil.Process()
        while not self.done.wait(0.005):
            for child in here.children():
                try:
                    self.most = max(self.most, child.memory_info().rss)
                except psutil.Error:
                    continue


async def measure(name: str, kind: MediaKind, make: Make, folder: Path) -> None:
    source = folder / "source"
    make(source)
    limits = MediaLimits(image_bytes=1 << 30, stream_bytes=1 << 30, decode_seconds=600)
    store = MediaStore(folder / "media", limits)
    watch = Watch()
    watch.start()
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    try:
        file = await store.admit(source, "x", kind)
        size = f"{file.size_bytes / 1e6:6.1f} MB stored"
    except MediaRefused as refusal:
        size = str(refusal)
    watch.done.set()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    sent = source.stat().st_size / 1e6
    print(f"{name:34} {sent:6.1f} MB  {seconds:5.1f} CPU-s  {watch.most / 1e6:4.0f} MB  {size}",
          flush=True)  # fmt: skip


def main() -> None:
    wanted = sys.argv[1] if len(sys.argv) > 1 else ""
    for name, kind, make in CLASSES:
        if wanted in name:
            with tempfile.TemporaryDirectory() as folder:
                asyncio.run(measure(name, kind, make, Path(folder)))


if __name__ == "__main__":
    main()
