"""What happens to a running job, as small frozen events. Losing one never matters."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias


class Stage(StrEnum):
    """The named parts of a run, in order; a mode skips those that it does not need."""

    DOWNLOAD = "download"
    START = "start"  # of ComfyUI, in the process that has the device
    LOAD = "load"
    TEXT = "text"
    PREPARE = "prepare"  # inputs encoded to latents, control frames made
    STAGE1 = "stage1"
    UPSCALE = "upscale"
    STAGE2 = "stage2"
    DECODE = "decode"
    ENCODE = "encode"  # H.264 and AAC


@dataclass(frozen=True, slots=True)
class Waiting:
    """In line; ``position`` 1 is next."""

    position: int
    ready_in_s: float  # median
    latest_in_s: float | None = None  # 19 of 20 are ready by then


@dataclass(frozen=True, slots=True)
class Downloading:
    """Bytes of one model file, and of those that follow it."""

    file: str
    done_bytes: int
    total_bytes: int
    after_bytes: int = 0  # of the files that are fetched after this one

    @property
    def left_bytes(self) -> int:
        """Return the bytes that are still to be downloaded, of all files."""
        return max(0, self.total_bytes - self.done_bytes) + self.after_bytes


@dataclass(frozen=True, slots=True)
class Working:
    """Inside ``stage``: ``step`` of ``steps`` done; ``fraction`` (0…1) of the whole job."""

    stage: Stage
    step: int
    steps: int
    fraction: float


Progress: TypeAlias = Waiting | Downloading | Working
ProgressSink: TypeAlias = Callable[[Progress], None]  # never blocks; called on the event loop
