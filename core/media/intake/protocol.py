"""The messages between the service and the child process that decodes a stranger's file."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import BinaryIO, TypeAlias

from core.domain.media import MediaKind
from core.domain.media_cut import MediaCut

# how results are stored, by kind: without loss where that is small, see core.media.intake.stored
SUFFIXES: dict[MediaKind, tuple[str, ...]] = {
    MediaKind.IMAGE: (".png", ".jpg"),
    MediaKind.AUDIO: (".flac", ".ogg"),
    MediaKind.VIDEO: (".mp4",),
}


@dataclass(frozen=True, slots=True)
class RecodeTask:
    """What the child shall do with the source."""

    source_fd: int
    output_fd: int
    role: str
    kind: MediaKind
    reader: str  # the one demuxer or image plugin that may be used
    max_pixels: int  # of the source
    keep_pixels: int  # of the result; larger pictures are scaled down
    max_seconds: float
    use_seconds: float  # of a film: no clip is longer, so no more is kept
    max_fps: float  # of the result
    memory_bytes: int  # in all, with the interpreter
    cpu_seconds: float
    output_bytes: int
    skipped: int = 0  # bytes of tags before what the reader reads
    cut: MediaCut = field(default_factory=MediaCut)  # what is used of it
    finished: bool = False  # a clip that another machine encoded: only measured


@dataclass(frozen=True, slots=True)
class Note:
    """What the sender should know of the result: a code of the word files, and its data."""

    code: str
    data: dict[str, str | int | float] = field(default_factory=dict[str, str | int | float])


@dataclass(frozen=True, slots=True)
class RecodeResult:
    """What the child wrote to the output."""

    width: int = 0
    height: int = 0
    seconds: float = 0.0
    fps: float = 0.0
    sample_rate: int = 0
    suffix: str = ""  # one of SUFFIXES
    notes: tuple[Note, ...] = ()


Recode: TypeAlias = Callable[[RecodeTask, BinaryIO, BinaryIO], RecodeResult]
