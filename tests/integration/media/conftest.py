"""Files to be admitted, made by the tests themselves, and a watch on what admitting them costs."""

import json
import resource
import struct
import subprocess
import sys
import threading
import zlib
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import psutil
import pytest

from core.domain.limits import MediaLimits
from core.domain.media import MediaKind
from core.errors import MediaRefused
from core.media.intake.store import MediaStore

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def store(tmp_path: Path) -> MediaStore:
    return MediaStore(tmp_path / "media", MediaLimits())


@pytest.fixture
def refusal(store: MediaStore) -> Callable[[Path, MediaKind], Awaitable[MediaRefused]]:
    """The refusal of a file, after which nothing is left in the store."""

    async def refused(path: Path, kind: MediaKind) -> MediaRefused:
        with pytest.raises(MediaRefused) as caught:
            await store.admit(path, "image", kind)
        assert not store.folder.exists() or list(store.folder.iterdir()) == []
        assert caught.value.role == "image"
        return caught.value

    return refused


@dataclass
class Cost:
    """What a block took: the children's processor time, and the most memory of one and of this."""

    seconds: float = 0.0
    child_bytes: int = 0
    grown_bytes: int = 0
    children: set[int] = field(default_factory=set[int])
    begun: threading.Event = field(default_factory=threading.Event)  # a child runs


@pytest.fixture
def cost() -> Callable[[], Any]:
    @contextmanager
    def measured() -> Generator[Cost]:
        found = Cost()
        here = psutil.Process()
        before = here.memory_info().rss
        done = threading.Event()

        def look() -> None:
            while not done.wait(0.003):
                found.grown_bytes = max(found.grown_bytes, here.memory_info().rss - before)
                for child in here.children(recursive=True):
                    with suppress(psutil.Error):
                        if "core.media.intake.child" in child.cmdline():
                            found.children.add(child.pid)
                            found.begun.set()
                            found.child_bytes = max(found.child_bytes, child.memory_info().rss)

        watcher = threading.Thread(target=look)
        watcher.start()
        begun = _children_s()
        try:
            yield found
        finally:
            found.seconds = _children_s() - begun
            done.set()
            watcher.join()

    return measured


def _children_s() -> float:
    """Return the processor time of all children that ended: no other process can stretch it."""
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    return spent.ru_utime + spent.ru_stime


def chunk(name: bytes, content: bytes) -> bytes:
    body = name + content
    return struct.pack(">I", len(content)) + body + struct.pack(">I", zlib.crc32(body))


@pytest.fixture
def png() -> Callable[..., bytes]:
    """PNG files of any claimed size, whatever their data are; ``extra`` goes before the data."""

    def made(width: int, height: int, data: bytes, extra: bytes = b"", tail: bytes = b"") -> bytes:
        header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)  # 8-bit grey
        return b"".join(
            (
                b"\x89PNG\r\n\x1a\n",
                chunk(b"IHDR", header),
                extra,
                chunk(b"IDAT", data),
                tail,
                chunk(b"IEND", b""),
            )
        )

    return made


@pytest.fixture
def png_chunk() -> Callable[[bytes, bytes], bytes]:
    return chunk


def write_film(
    path: Path,
    *,
    container: str | None = None,
    codec: str = "libx264",
    sound: str | None = None,
    times: list[float] | None = None,
    frames: int = 24,
    fps: int = 24,
    claimed_fps: int | None = None,
    size: tuple[int, int] = (64, 48),
    rotation: int = 0,
    sound_from_s: float = 0.0,
    layout: str = "stereo",
    options: dict[str, str] | None = None,
) -> Path:
    """Write a film whose picture n has the brightness 20 + 8·(n mod 24), left half only."""
    with av.open(str(path), "w", container, options or {}) as out:
        video = out.add_stream(codec, rate=claimed_fps or fps)
        video.width, video.height = size
        video.pix_fmt = "bgr8" if codec == "gif" else "yuv420p"
        video.time_base = Fraction(1, 1000)
        video.codec_context.time_base = Fraction(1, 1000)
        if rotation:
            video.set_display_rotation(rotation)
        audio = out.add_stream(sound, rate=48_000, layout=layout) if sound else None
        moments = [index / fps for index in range(frames)] if times is None else times
        for index, moment in enumerate(moments):
            pixels = np.full((size[1], size[0], 3), 16, np.uint8)
            pixels[:, : size[0] // 2] = 20 + 8 * (index % 24)
            frame = av.VideoFrame.from_ndarray(pixels, "rgb24").reformat(format=video.pix_fmt)
            frame.pts, frame.time_base = round(moment * 1000), Fraction(1, 1000)
            out.mux(video.encode(frame))
        out.mux(video.encode(None))
        if audio is not None:
            seconds = moments[-1] + 1 / fps
            write_click(out, audio, seconds, sound_from_s)
    return path


def write_click(out: Any, audio: Any, seconds: float, begins_s: float = 0.0) -> None:
    """Encode silence with one click half a second after the beginning of the film."""
    channels = audio.layout.nb_channels
    samples = np.zeros((channels, round((seconds - begins_s) * 48_000)), np.float32)
    samples[:, round((0.5 - begins_s) * 48_000)] = 0.9
    frame = av.AudioFrame.from_ndarray(samples, "fltp", audio.layout.name)
    frame.sample_rate, frame.pts = 48_000, round(begins_s * 48_000)
    frame.time_base = Fraction(1, 48_000)
    out.mux(audio.encode(frame))
    out.mux(audio.encode(None))


@pytest.fixture
def film() -> Callable[..., Path]:
    return write_film


@pytest.fixture
def sound() -> Callable[..., Path]:
    """Sound files: a tone of 440 Hz, as loud in every channel."""

    def made(
        path: Path,
        codec: str,
        *,
        container: str | None = None,
        rate: int = 48_000,
        layout: str = "stereo",
        seconds: float = 1.0,
    ) -> Path:
        with av.open(str(path), "w", container) as out:
            stream = out.add_stream(codec, rate=rate, layout=layout)
            at = np.arange(round(seconds * rate)) / rate
            wave = (0.5 * np.sin(2 * np.pi * 440 * at)).astype(np.float32)
            channels = av.AudioLayout(layout).nb_channels
            frame = av.AudioFrame.from_ndarray(np.tile(wave, (channels, 1)), "fltp", layout)
            frame.sample_rate, frame.pts, frame.time_base = rate, 0, Fraction(1, rate)
            out.mux(stream.encode(frame))
            out.mux(stream.encode(None))
        return path

    return made


@pytest.fixture
def on_small_disk(tmp_path: Path) -> Callable[[str, int], Any]:
    """Run a script in a process of its own, on a file system with so many kilobytes.

    The script finds the folder as ``disk`` and prints JSON as its last line.
    """

    def run(script: str, kilobytes: int) -> Any:
        folder = tmp_path / "disk"
        folder.mkdir()
        mount = f"mount -t tmpfs -o size={kilobytes}k tmpfs {folder}"
        enter = ["unshare", "--user", "--map-root-user", "--mount", "bash", "-ec"]
        with suppress(FileNotFoundError):
            if subprocess.run([*enter, mount], capture_output=True, check=False).returncode == 0:
                code = f"from pathlib import Path\ndisk = Path({str(folder)!r})\n{script}"
                command = f'{mount}; exec "$0" -W error -c "$1"'
                done = subprocess.run(
                    [*enter, command, sys.executable, code],
                    cwd=ROOT,
                    capture_output=True,
                    text=True,
                    check=False,
                )
                assert done.returncode == 0, done.stderr
                return json.loads(done.stdout.splitlines()[-1])
        pytest.skip("no small file system can be mounted here")

    return run
