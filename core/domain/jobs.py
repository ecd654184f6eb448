"""The durable words: job, requester, reply address, ticket. Rows become these, and only these."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum, StrEnum, auto
from typing import Self

from core.domain.adjustments import Adjustment
from core.domain.lineage import DraftGroup, JobOrigin
from core.domain.media import Clip
from core.domain.people import Requester
from core.domain.progress import Waiting
from core.domain.requests import Request
from core.errors import ClapperError, JobUnknown, RequestUnreadable, Scalar

UNREADABLE = "unreadable"  # the word for the mode of a request that cannot be read


class JobState(StrEnum):
    """Where a job is. The legal moves are in :data:`MOVES`."""

    HELD = "held"  # accepted, quota reserved, no place in the fair order yet
    QUEUED = "queued"  # promoted: has its fair tag
    RUNNING = "running"  # attempt N, owned by one token
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"  # waited longer than a job may wait

    @property
    def terminal(self) -> bool:
        """Tell whether the job has reached its final state."""
        return not MOVES[self]

    @property
    def waiting(self) -> bool:
        """Tell whether the job is accepted but not running."""
        return self in {JobState.HELD, JobState.QUEUED}


MOVES: dict[JobState, frozenset[JobState]] = {
    # failed while it waits: nobody can read any more what it asks for
    JobState.HELD: frozenset(
        {JobState.QUEUED, JobState.FAILED, JobState.CANCELLED, JobState.EXPIRED}
    ),
    JobState.QUEUED: frozenset(
        {JobState.RUNNING, JobState.FAILED, JobState.CANCELLED, JobState.EXPIRED}
    ),
    JobState.RUNNING: frozenset(
        {JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED, JobState.QUEUED}
    ),
    JobState.SUCCEEDED: frozenset(),
    JobState.FAILED: frozenset(),
    JobState.CANCELLED: frozenset(),
    JobState.EXPIRED: frozenset(),
}


class RequeueReason(Enum):
    """Why a running job goes back in line; the first three count as a loss."""

    LOST = auto()  # its worker vanished
    DIED = auto()  # the process died with it
    DEVICE = auto()  # the device died with it
    DOUBTED = auto()  # the same, but nothing shows that the device works without this job
    STOPPED = auto()  # the service stops, or restarts for another reason


@dataclass(frozen=True, slots=True)
class ReplyTo:
    """Where to answer: names and numbers that outlive the process, never a platform object."""

    platform: str  # which Delivery handles it
    address: dict[str, str] = field(default_factory=dict[str, str])  # e.g. channel and message ids


@dataclass(frozen=True, slots=True)
class Failure:
    """An error as it is stored: the code and the fields, without the exception."""

    code: str
    data: dict[str, Scalar] = field(default_factory=dict[str, Scalar])

    @classmethod
    def of(cls, error: ClapperError) -> Self:
        """Keep of ``error`` what is stored."""
        return cls(error.code, error.data())


@dataclass(frozen=True, slots=True)
class Job:
    """One row: a request, whose it is, how far it got. Times are epoch milliseconds."""

    id: str  # 32 hex digits, unguessable
    requester: Requester
    asked: Request | None  # None: another version wrote it, and this one cannot read it
    reply_to: ReplyTo
    state: JobState
    estimate_ms: int  # GPU-milliseconds reserved
    attempt: int  # 0 before the first start
    token: str | None  # owns the current attempt
    created_at_ms: int
    started_at_ms: int | None = None
    finished_at_ms: int | None = None
    charged_ms: int | None = None
    failure: Failure | None = None
    clip: Clip | None = None
    losses: int = 0  # how often its worker, process or device was lost with it
    place: str = ""  # where it was asked from, as :attr:`core.domain.people.Caller.place`
    unread_files: tuple[str, ...] = ()  # names of its inputs, where only the rows still know them
    forbidden: tuple[str, ...] = ()  # words that no model may write for it; known to who runs it
    number: int = 0  # in the order of acceptance, of everybody; pages of a history go by it
    origin: JobOrigin | None = None  # what it was made from; None: it was typed
    group: DraftGroup | None = None  # the drafts that it was asked for with

    @property
    def request(self) -> Request:
        """Return what was asked.

        Raises:
            RequestUnreadable: this version cannot read it; see :attr:`asked` before you show it.
        """
        if self.asked is None:
            raise RequestUnreadable
        return self.asked

    @property
    def mode_word(self) -> str:
        """Return the mode, as a word for ``name``; another one where the request is unreadable."""
        return UNREADABLE if self.asked is None else self.asked.mode

    @property
    def end_reason(self) -> Failure:
        """Return why a job that is over has no clip: it failed, or its owner cancelled it."""
        return self.failure or Failure("cancelled", {"by": "owner"})


WIDE, WIDE_S = 0.5, 60.0  # of a forecast: p95 − median, relative and in seconds


@dataclass(frozen=True, slots=True)
class Forecast:
    """When a waiting job should be ready; seconds from now."""

    position: int  # 1 = next; 0 = running
    ready_in_s: float  # p50
    ready_in_p95_s: float

    @property
    def wide(self) -> bool:
        """Tell whether one moment would promise too much, so that both ends are shown."""
        return self.ready_in_p95_s - self.ready_in_s > max(WIDE_S, WIDE * self.ready_in_s)


@dataclass(frozen=True, slots=True)
class Ticket:
    """What a requester gets for a request; the same for the same idempotency key."""

    job_id: str
    estimate_ms: int
    forecast: Forecast | None  # None once the job is terminal
    duplicate: bool  # True where the key was known and nothing new was made
    adjustments: tuple[Adjustment, ...] = ()


def waiting_range(forecast: Forecast) -> Waiting:
    """Return what to show of a forecast: one moment, or two where they lie far apart."""
    latest = forecast.ready_in_p95_s if forecast.wide else None
    return Waiting(forecast.position, forecast.ready_in_s, latest)


def find_job(jobs: Iterable[Job], typed: str) -> Job:
    """Find the job whose id begins with what a person typed.

    Raises:
        JobUnknown: none does, or more than one.
    """
    beginning = typed.strip().lower()
    matching = [job for job in jobs if job.id.startswith(beginning)]
    if len(matching) != 1 or not beginning:
        raise JobUnknown(typed[:40])
    return matching[0]
