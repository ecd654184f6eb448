"""Check a clip that another machine made, before anybody is shown it, in the confined child."""

import os
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryFile

from core.domain.limits import MediaLimits
from core.domain.media import Clip, MediaKind
from core.errors import MediaDamaged
from core.media.intake.formats import detect_file, picture_reader
from core.media.intake.protocol import RecodeResult, RecodeTask
from core.media.intake.sandbox import run_sandbox
from core.runtime.atomic_files import sha256_of
from core.runtime.threads import in_thread

_ROLE = "clip"
_FILM = "mov"
_MOST_FPS = 240.0
_MOST_POSTER_BYTES = 64_000_000


class ClipCheck:
    """Sees that the files of a clip are what is said of them."""

    def __init__(self, limits: MediaLimits) -> None:
        """Take what one decoding may cost."""
        self._limits = limits

    async def require(self, clip: Clip) -> None:
        """Do nothing where size, SHA-256, container and measures of ``clip`` are right.

        Raises:
            MediaDamaged: they are not.

        Other refusals come from the sandbox.
        """
        size = (await in_thread(lambda _: clip.path.stat())).st_size
        digest = await in_thread(lambda _: sha256_of(clip.path))
        if size != clip.size_bytes or digest != clip.sha256:
            raise MediaDamaged(_ROLE)
        film = await self._run(clip.path, MediaKind.VIDEO, clip.seconds)
        frames = round(film.fps * film.seconds)
        same_rate = abs(film.fps - clip.fps) <= 0.01 * clip.fps
        if (film.width, film.height, frames) != (clip.width, clip.height, clip.frames):
            raise MediaDamaged(_ROLE)
        if not same_rate or (clip.has_sound and not film.sample_rate):
            raise MediaDamaged(_ROLE)
        await self._run(clip.poster, MediaKind.IMAGE, 0.0)

    async def _run(self, path: Path, kind: MediaKind, seconds: float) -> RecodeResult:
        with ExitStack() as doors:
            source = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
            doors.callback(os.close, source)
            found = detect_file(lambda at, count: os.pread(source, count, at))
            film = kind is MediaKind.VIDEO
            if found is None or kind not in found.kinds or (film and found.reader != _FILM):
                raise MediaDamaged(_ROLE)
            output = doors.enter_context(TemporaryFile())
            task = RecodeTask(
                source_fd=source,
                output_fd=output.fileno(),
                role=_ROLE,
                kind=kind,
                reader=found.reader if film else picture_reader(found),
                max_pixels=self._limits.video_pixels,
                keep_pixels=self._limits.video_pixels,
                max_seconds=seconds + 1,
                use_seconds=seconds + 1,
                max_fps=_MOST_FPS,
                memory_bytes=self._limits.decode_memory,
                cpu_seconds=self._limits.decode_seconds,
                output_bytes=_MOST_POSTER_BYTES,
                finished=film,
            )
            return await run_sandbox(task)
