"""What travels between a rented worker and the gate: frozen records, decoded strictly.

Names of files never travel: both sides derive them of the job and the key of its attempt.
"""

from dataclasses import dataclass, field
from functools import cache
from typing import Annotated, Any, Literal, TypeAlias, TypeVar, cast

from pydantic import ConfigDict, Field, StringConstraints, TypeAdapter, ValidationError

from core.domain.clip_preview import MOST_MOMENTS
from core.domain.jobs import RequeueReason
from core.domain.nodes import DEFAULT_POOL
from core.domain.requests import FORMAT
from core.domain.time_units import DAY_MS

_EXACT = ConfigDict(extra="forbid", strict=True)
PROTOCOL = 3
FORBIDS = 3  # from here on machines know of words that no model may write
UNDERSTOOD = frozenset({1, 2, PROTOCOL})  # of machines; fronts are updated first
MOST_BYTES = 256 * 1024  # of a call or an answer; two prompts of 10 000 characters have 80 000
LONGEST_MS = DAY_MS

JobId = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]
AttemptKey = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Digest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Milliseconds = Annotated[int, Field(ge=0, le=LONGEST_MS)]
Word = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z_]{0,39}$")]
# what fills a sentence: numbers that every reader of JSON keeps, and no longer a text
Value: TypeAlias = (
    Annotated[str, Field(max_length=200)]
    | Annotated[int, Field(ge=-(2**53), le=2**53)]
    | Annotated[float, Field(ge=-1e15, le=1e15, allow_inf_nan=False)]
    | bool
    | None
)
Told = Annotated[str, StringConstraints(pattern=r"^[ -~]{0,100}$")]
FileKind = Literal["mp4", "png"]
Kind = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_]{1,40} [a-z0-9_]{1,40}$")]
StageName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
Seconds = Annotated[float, Field(ge=0, le=LONGEST_MS / 1000, allow_inf_nan=False)]


@dataclass(frozen=True, slots=True)
class RentedMachine:
    """What a rented machine says of itself, as other nodes do in their rows."""

    __pydantic_config__ = _EXACT
    device: Told = "draft"
    profile: Told = "draft"
    pin: Told = ""
    vram_bytes: Annotated[int, Field(ge=0, le=1 << 50)] = 0
    version: Told = ""
    pool: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._-]{1,40}$")] = DEFAULT_POOL
    format: Annotated[int, Field(ge=0, le=10_000)] = FORMAT


@dataclass(frozen=True, slots=True)
class ClaimCall:
    """Ask for the next job; answered at the latest after the long poll."""

    __pydantic_config__ = _EXACT
    protocol: int
    machine: RentedMachine = field(default_factory=RentedMachine)
    ahead: bool = False
    # modes and presets whose models are in its memory, as “mode preset”; None: nothing is
    loaded: Annotated[list[Kind], Field(max_length=200)] | None = None


@dataclass(frozen=True, slots=True)
class GreetCall:
    """Ask whether this machine and its version are known."""

    __pydantic_config__ = _EXACT
    protocol: int


@dataclass(frozen=True, slots=True)
class AttemptCall:
    """Name an attempt: the job, and the key that came with it."""

    __pydantic_config__ = _EXACT
    job: JobId
    key: AttemptKey


@dataclass(frozen=True, slots=True)
class BeatCall:
    """Keep an attempt alive, and say how far it is."""

    __pydantic_config__ = _EXACT
    job: JobId
    key: AttemptKey
    progress: Annotated[str, Field(max_length=1000)] | None = None


@dataclass(frozen=True, slots=True)
class PreviewCall:
    """Show what an attempt has made so far."""

    __pydantic_config__ = _EXACT
    job: JobId
    key: AttemptKey
    picture: Annotated[str, Field(max_length=8000)]  # base64
    moments: Annotated[int, Field(ge=1, le=MOST_MOMENTS)]


@dataclass(frozen=True, slots=True)
class PromptCall:
    """Show the words that a model wrote for an attempt."""

    __pydantic_config__ = _EXACT
    job: JobId
    key: AttemptKey
    words: Annotated[str, Field(max_length=8000)] = field(repr=False)


@dataclass(frozen=True, slots=True)
class SettleCall:
    """End an attempt with the files that were uploaded for it."""

    __pydantic_config__ = _EXACT
    job: JobId
    key: AttemptKey
    sha256: Digest
    size_bytes: Annotated[int, Field(ge=1)]
    width: Annotated[int, Field(ge=1, le=16384)]
    height: Annotated[int, Field(ge=1, le=16384)]
    frames: Annotated[int, Field(ge=1, le=100_000)]
    fps: Annotated[float, Field(gt=0, le=240, allow_inf_nan=False)]
    has_sound: bool
    actual_ms: Milliseconds
    prompt_used: Annotated[str, Field(max_length=20_000)] = ""


@dataclass(frozen=True, slots=True)
class FailCall:
    """End an attempt without a clip."""

    __pydantic_config__ = _EXACT
    job: JobId
    key: AttemptKey
    code: Word
    data: Annotated[dict[Word, Value], Field(max_length=20)] = field(default_factory=dict[str, Any])
    off_device_ms: Milliseconds = 0


@dataclass(frozen=True, slots=True)
class RanCall:
    """Tell what an attempt that ended took, for the history of runs."""

    __pydantic_config__ = _EXACT
    job: JobId
    key: AttemptKey
    gpu_ms: Milliseconds
    stages: Annotated[dict[StageName, Seconds], Field(max_length=20)]
    peak_bytes: Annotated[int, Field(ge=0, le=1 << 50)] | None = None


@dataclass(frozen=True, slots=True)
class RequeueCall:
    """Put the job of an attempt back in line."""

    __pydantic_config__ = _EXACT
    job: JobId
    key: AttemptKey
    why: Literal["LOST", "DIED", "DEVICE", "DOUBTED", "STOPPED"]

    @property
    def reason(self) -> RequeueReason:
        """Return why, as the queue knows it."""
        return RequeueReason[self.why]


@dataclass(frozen=True, slots=True)
class ClaimedJob:
    """A job as its worker gets it: what to make, not for whom."""

    __pydantic_config__ = _EXACT
    job: JobId
    key: AttemptKey
    attempt: int
    losses: int
    estimate_ms: int
    created_at_ms: int
    started_at_ms: int | None
    request: dict[str, Any]
    inputs: dict[str, str]  # by name, where each may be read; a path is asked of the gate
    # words that no model may write for it, from protocol 3 on
    forbidden: Annotated[list[Annotated[str, Field(max_length=200)]], Field(max_length=2000)] = (
        field(default_factory=list[str])
    )


@dataclass(frozen=True, slots=True)
class ClaimAnswer:
    """The job to work on, or none."""

    __pydantic_config__ = _EXACT
    job: ClaimedJob | None = None


@dataclass(frozen=True, slots=True)
class BeginAnswer:
    """When the attempt got the device; None where it lost the job."""

    __pydantic_config__ = _EXACT
    at_ms: int | None = None


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """Whether the attempt had the job."""

    __pydantic_config__ = _EXACT
    kept: bool


Record = TypeVar("Record")


@cache
def _adapter(kind: type[Any]) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def encode(record: object) -> bytes:
    """Write ``record`` as JSON."""
    return _adapter(type(record)).dump_json(record)


def encode_claim(answer: ClaimAnswer, protocol: int) -> bytes:
    """Write ``answer`` as JSON for a machine of ``protocol``, which takes no field too many."""
    later = None if protocol >= FORBIDS else {"job": {"forbidden"}}
    return _adapter(ClaimAnswer).dump_json(answer, exclude=later)


def decode(kind: type[Record], text: bytes) -> Record:
    """Read a record of ``kind``; nothing is converted, left out or added.

    Raises:
        ValueError: it is none.
    """
    try:
        return cast("Record", _adapter(kind).validate_json(text, strict=True))
    except ValidationError as error:
        raise ValueError(error.error_count()) from None  # what it holds is nobody's business
