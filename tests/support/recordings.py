"""Films and sounds as devices and programs make them, encoded by an ffmpeg program."""

import functools
import subprocess
from collections.abc import Sequence
from pathlib import Path

import av
import imageio_ffmpeg
import numpy as np
from av.video.reformatter import Interpolation
from numpy.typing import NDArray
from PIL import Image

# top left, top right, bottom left, bottom right
QUADRANTS = ((200, 40, 40), (40, 180, 60), (40, 60, 200), (220, 200, 40))
WIDTH, HEIGHT = 384, 256
_MEMORY_KB = 4_000_000
_SECONDS = 120

# from the test picture to linear light, where paper is 1
BT709 = (
    "scale=out_color_matrix=bt709:out_range=tv,format=yuv444p16le,"
    "setparams=color_primaries=bt709:color_trc=bt709:colorspace=bt709:range=tv"
)
LINEAR = f"{BT709},zscale=t=linear:npl=203,format=gbrpf32le"
X264 = ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p")


def x265(*parameters: str) -> tuple[str, ...]:
    """Arguments of a quick HEVC encode of 10 bits."""
    joined = ":".join(("log-level=none", "pools=2", *parameters))
    return ("-c:v", "libx265", "-preset", "ultrafast", "-x265-params", joined, "-tag:v", "hvc1")


HDR = ":m=2020_ncl:p=2020:npl=203,format=yuv420p10le"


def hevc(transfer: str) -> tuple[str, ...]:
    """Arguments of an HEVC encode in the colours of BT.2020."""
    return x265("colorprim=bt2020", f"transfer={transfer}", "colormatrix=bt2020nc", "range=limited")


def picture(folder: Path) -> Path:
    """Write the test picture of four quadrants."""
    path = folder / "quadrants.png"
    if not path.exists():
        image = Image.new("RGB", (WIDTH, HEIGHT), QUADRANTS[3])
        for colour, left, top in zip(QUADRANTS, (0, 1, 0), (0, 0, 1), strict=False):
            x, y = left * WIDTH // 2, top * HEIGHT // 2
            image.paste(colour, (x, y, x + WIDTH // 2, y + HEIGHT // 2))
        image.save(path)
    return path


def ffmpeg(*arguments: str | Path) -> None:
    """Run the program with bounded memory and time."""
    program = _program()
    command = f'ulimit -v {_MEMORY_KB}; exec "$@"'
    quiet = ("-hide_banner", "-nostdin", "-v", "error", "-y", "-threads", "2")
    done = subprocess.run(
        ["bash", "-c", command, "bash", program, *quiet, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]


def still_film(
    folder: Path, name: str, video: Sequence[str], *, filters: str = BT709, seconds: float = 1
) -> Path:
    """Encode the test picture, standing still, through ``filters``."""
    path = folder / name
    source = ("-loop", "1", "-framerate", "30", "-t", str(seconds), "-i", picture(folder))
    ffmpeg(*source, "-vf", filters, *video, path)
    return path


def moving_film(
    folder: Path,
    name: str,
    *options: str,
    seconds: float = 2,
    fps: int = 30,
    size: str = "384x256",
    sound: bool = True,
) -> Path:
    """Encode a pattern that moves in every frame, with a tone of 440 Hz."""
    path = folder / name
    pattern = f"testsrc2=s={size}:r={fps}:d={seconds}"
    tone = ("-f", "lavfi", "-i", f"sine=440:r=48000:d={seconds}") if sound else ()
    ffmpeg("-f", "lavfi", "-i", pattern, *tone, *options, path)
    return path


def quadrants(path: Path, index: int = 0) -> list[tuple[int, int, int]]:
    """Measure the colour in the middle of each quadrant of one stored frame."""
    pixels = frames(path)[index]
    height, width = pixels.shape[:2]
    found: list[tuple[int, int, int]] = []
    for y in (height // 4, 3 * height // 4):
        for x in (width // 4, 3 * width // 4):
            red, green, blue = pixels[y - 4 : y + 4, x - 4 : x + 4].reshape(-1, 3).mean(axis=0)
            found.append((round(red), round(green), round(blue)))
    return found


def frames(path: Path) -> list[NDArray[np.uint8]]:
    """Decode all frames of a stored film, rounding as screens do."""
    exact = Interpolation.BICUBIC | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT
    with av.open(str(path)) as film:
        return [
            np.asarray(frame.to_ndarray(format="rgb24", interpolation=int(exact)), np.uint8)
            for frame in film.decode(video=0)
        ]


def worst(
    found: Sequence[tuple[int, int, int]], wanted: Sequence[tuple[int, int, int]] = QUADRANTS
) -> int:
    """The largest difference of any channel."""
    return int(np.abs(np.array(found) - np.array(wanted)).max())


@functools.cache
def _program() -> str:
    return imageio_ffmpeg.get_ffmpeg_exe()
