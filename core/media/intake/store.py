"""The folder of admitted inputs: files that people send are re-encoded into it, or refused."""

import os
import shutil
import stat
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from core.domain.adjustments import Adjustment
from core.domain.continuation import film_from
from core.domain.file_types import ACCEPTED
from core.domain.limits import MediaLimits
from core.domain.media import Clip, MediaFile, MediaKind
from core.domain.media_cut import LATEST_S, MediaCut
from core.errors import MediaFormatRefused, MediaTooLarge, MediaUnreadable
from core.media.intake.formats import (
    HEAD_BYTES,
    Format,
    Read,
    describe_refused,
    detect_file,
    picture_reader,
)
from core.media.intake.protocol import RecodeResult, RecodeTask
from core.media.intake.reasons import kind_refused
from core.media.intake.sandbox import run_sandbox
from core.media.intake.turns import DecodingTurns
from core.runtime.atomic_files import part_beside, publish, sha256_of
from core.runtime.permissions import make_private_folder
from core.runtime.threads import in_thread

# no clip is larger than 1920×1088, so more would only cost disk; pictures keep room for cropping
_KEEP_PIXELS = {MediaKind.IMAGE: 3840 * 2160, MediaKind.AUDIO: 0, MediaKind.VIDEO: 1920 * 1088}
_KEEP_FPS = 30.0
_OUTPUT_BYTES = 256_000_000


class MediaStore:
    """Admits files into ``folder``; one per data directory."""

    def __init__(self, folder: Path, limits: MediaLimits) -> None:
        self.folder = folder
        self._limits = limits
        self._turns = DecodingTurns()

    def path_of(self, file: MediaFile) -> Path:
        """Return where ``file`` lies."""
        return self.folder / file.name

    async def admit(
        self,
        source: Path,
        role: str,
        kind: MediaKind,
        owner: str = "",
        cut: MediaCut | None = None,
    ) -> MediaFile:
        """Check, decode and re-encode ``source``, and keep the result under its own hash.

        The bytes are decoded in a child process that can reach nothing else. The result has no
        metadata: pictures are upright RGB, sound has at most two channels and 48 kHz, films have a
        constant rate of at most 30 fps and at most 1920×1088 pixels.

        Args:
            source: a regular file as somebody sent it; its name means nothing and is never used.
            role: the slot that it is for; only named in errors.
            kind: what it has to be.
            owner: whose turn it takes; files of one owner wait for each other.
            cut: the part that is used; None: all of it.

        Returns:
            The admitted file; the same for the same content.

        Raises:
            MediaTooLarge: more bytes than allowed.
            MediaUnreadable: missing, empty, damaged or too expensive to decode.

        Other refusals come from the sandbox: MediaFormatRefused, MediaTooManyPixels, MediaTooLong,
        and IntakeClosed where the disk is full. Whatever is raised, nothing was kept.
        """
        async with self._turns.turn(owner, kind):
            with ExitStack() as doors:
                source_fd = _opened(source, role)
                doors.callback(os.close, source_fd)
                found = self._inspect(source_fd, role, kind)
                make_private_folder(self.folder)
                part = part_beside(self.folder / "new")
                output_fd = os.open(part, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
                doors.callback(part.unlink, missing_ok=True)
                doors.callback(os.close, output_fd)
                task = self._task(source_fd, output_fd, role, kind, found)
                task = task if cut is None else _with_cut(task, cut)
                made = await run_sandbox(task)
                return await in_thread(lambda _: self._keep(part, kind, made))

    async def keep_clip(self, clip: Clip) -> MediaFile:
        """Keep ``clip``, which we finished, as an input of what goes on from it.

        It is the same file under another name, so nothing is lost of it.

        Raises:
            OSError: it is not there any more, or the disk is full.
        """
        file = film_from(clip)
        await in_thread(lambda _: self._link(clip.path, self.path_of(file)))
        return file

    def _link(self, source: Path, target: Path) -> None:
        make_private_folder(self.folder)
        if target.is_file():
            return
        part = part_beside(target)
        try:
            try:
                part.hardlink_to(source)
            except OSError:  # a file system without hard links, or another one
                shutil.copyfile(source, part)
            publish(part, target)
        finally:
            part.unlink(missing_ok=True)

    def _inspect(self, source_fd: int, role: str, kind: MediaKind) -> Format:
        """Read the first bytes and detect the format; see :meth:`check`.

        Raises:
            MediaUnreadable: no file, or an empty one.
        """
        status = os.fstat(source_fd)
        if not stat.S_ISREG(status.st_mode):
            raise MediaUnreadable(role, "empty")
        return self.check(
            status.st_size, lambda at, count: os.pread(source_fd, count, at), role, kind
        )

    def check(self, size_bytes: int, read: Read, role: str, kind: MediaKind) -> Format:
        """Check a file of ``size_bytes``, and return its format.

        Raises:
            MediaUnreadable: nothing.
            MediaTooLarge: more bytes than allowed.
            MediaFormatRefused: not one of the accepted formats.
            kind_refused: it is of another kind.
        """
        if size_bytes == 0:
            raise MediaUnreadable(role, "empty")
        picture = kind is MediaKind.IMAGE
        limit = self._limits.image_bytes if picture else self._limits.stream_bytes
        if size_bytes > limit:
            raise MediaTooLarge(role, size_bytes, limit)
        found = detect_file(read)
        if found is None:
            name, fix = describe_refused(read(0, HEAD_BYTES))
            raise MediaFormatRefused(role, name, ACCEPTED[kind], fix)
        if kind not in found.kinds:
            raise kind_refused(role, kind, found.name, ACCEPTED[kind])
        return found

    def usable_kinds(self, read: Read, kinds: Sequence[MediaKind]) -> tuple[MediaKind, ...]:
        """Return which of ``kinds`` the file that ``read`` reads can be used as, in their order.

        What moves is a still picture last of all.
        """
        found = detect_file(read)
        usable = [kind for kind in kinds if found is not None and kind in found.kinds]
        if found is not None and MediaKind.VIDEO in found.kinds:
            usable.sort(key=lambda kind: kind is MediaKind.IMAGE)
        return tuple(usable)

    def _task(
        self, source_fd: int, output_fd: int, role: str, kind: MediaKind, found: Format
    ) -> RecodeTask:
        picture = kind is MediaKind.IMAGE
        return RecodeTask(
            source_fd=source_fd,
            output_fd=output_fd,
            role=role,
            kind=kind,
            reader=picture_reader(found) if picture else found.reader,
            skipped=found.behind,
            max_pixels=self._limits.image_pixels if picture else self._limits.video_pixels,
            keep_pixels=_KEEP_PIXELS[kind],
            max_seconds=self._limits.stream_seconds,
            use_seconds=self._limits.use_seconds,
            max_fps=_KEEP_FPS,
            memory_bytes=self._limits.decode_memory,
            cpu_seconds=self._limits.decode_seconds,
            output_bytes=_OUTPUT_BYTES,
        )

    def _keep(self, part: Path, kind: MediaKind, made: RecodeResult) -> MediaFile:
        file = MediaFile(
            sha256=sha256_of(part),
            suffix=made.suffix,
            kind=kind,
            size_bytes=part.stat().st_size,
            width=made.width,
            height=made.height,
            seconds=made.seconds,
            fps=made.fps,
            sample_rate=made.sample_rate,
            notes=tuple(Adjustment(note.code, dict(note.data)) for note in made.notes),
        )
        publish(part, self.path_of(file))
        return file


def _with_cut(task: RecodeTask, cut: MediaCut) -> RecodeTask:
    """Let ``task`` use a part only; a long file may be read where the part has an end."""
    if cut.end_s is None or cut.end_s - cut.start_s > task.max_seconds:
        return replace(task, cut=cut)
    return replace(task, cut=cut, max_seconds=max(task.max_seconds, LATEST_S))


def _opened(source: Path, role: str) -> int:
    """Open ``source`` to be read; a pipe or device does not block.

    Raises:
        MediaUnreadable: it is not there, or not for us.
    """
    try:
        return os.open(source, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (OSError, ValueError):  # ValueError: a NUL in the name
        raise MediaUnreadable(role, "missing") from None
