"""The words of media: what a file is, what an executor returns, what a requester gets."""

from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from core.domain.adjustments import Adjustment

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class MediaKind(StrEnum):
    """What the bytes are, whatever they are used for."""

    IMAGE = "image"
    AUDIO = "audio"
    VIDEO = "video"


@dataclass(frozen=True, slots=True)
class MediaFile:
    """An admitted input: decoded under limits, re-encoded by us, stored under its content.

    The user's file name and the original bytes are gone. ``sha256`` (of the stored bytes) and
    ``suffix`` name the file inside the media folder; no path is stored in a row.
    """

    sha256: str
    suffix: str  # ".png", ".jpg", ".flac", ".ogg", ".mp4"
    kind: MediaKind
    size_bytes: int
    width: int = 0  # px, upright; 0 for audio
    height: int = 0
    seconds: float = 0.0  # 0 for images
    fps: float = 0.0  # 0 unless video
    sample_rate: int = 0  # Hz; 0 without sound
    # what the sender should know, e.g. that only the first picture was taken; the same bytes are
    # the same file, whatever was said when they came
    notes: tuple[Adjustment, ...] = field(default=(), compare=False)

    @property
    def name(self) -> str:
        """Return the file name inside the media folder."""
        return f"{self.sha256}{self.suffix}"


@dataclass(frozen=True, slots=True)
class Sound:
    """Samples ``[channels, n] float32`` in -1…1 at ``rate`` Hz."""

    samples: "NDArray[np.float32]"
    rate: int


@dataclass(frozen=True, slots=True)
class RawClip:
    """What an executor made: frames ``[T, H, W, 3] uint8`` RGB, and sound if there is any."""

    frames: "NDArray[np.uint8]"
    fps: float
    sound: Sound | None
    gpu_ms: int  # device time that the requester pays for
    notes: dict[str, str]  # becomes provenance metadata, e.g. {"executor": "draft"}
    peak_bytes: int | None = None  # most device memory in use, where the executor can tell
    repeated: int = 0  # frames at the start that the film which it goes on with ends with
    lead_s: float = 0.0  # of its sound before its first frame
    prompt_used: str = ""  # where a model made more of the prompt, or was asked in vain


@dataclass(frozen=True, slots=True)
class Clip:
    """The finished video: H.264 yuv420p + AAC, fast start, with a poster beside it."""

    path: Path
    poster: Path
    sha256: str
    size_bytes: int
    width: int
    height: int
    frames: int
    fps: float
    has_sound: bool
    prompt_used: str = ""  # as in the raw clip; a person's words

    @property
    def seconds(self) -> float:
        """Return how long it plays."""
        return self.frames / self.fps
