"""What storage takes and gives: frozen records, so that no row leaves this package."""

from dataclasses import dataclass
from pathlib import Path

import structlog

from core.domain.decoding import UndecodableError, parse_object, parse_stored, parse_words, scalars
from core.domain.fingerprints import is_same
from core.domain.jobs import Failure, Job, JobState, ReplyTo
from core.domain.lineage import DraftGroup, JobOrigin
from core.domain.media import Clip
from core.domain.nodes import DEFAULT_POOL
from core.domain.people import Requester
from core.domain.requests import Request, from_json

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class QueuePlace:
    """Where a waiting job stands in the fair order (:mod:`core.domain.fairness`)."""

    state: JobState  # held, or queued where it takes the place of a queued one
    tag: int  # fair start
    rank: int  # waiting jobs run in the order of rank, then seq
    above_limit: bool = False  # promoted while its account had as many jobs as it may run
    seq: int | None = None  # None: the next free one


@dataclass(frozen=True, slots=True)
class JobToAdd:
    """A job before it has a row. Times in milliseconds."""

    id: str
    user_key: str  # whose it is
    share_key: str  # who pays, and whose share of the device it uses
    place: str  # where it was asked from; empty: from none
    idem_key: str
    request: Request
    reply_to: ReplyTo
    estimate_ms: int
    spread_ms: int  # p95 less the estimate
    cost: int  # virtual time
    created_at_ms: int  # epoch
    fingerprint: str = ""  # of what was asked, :mod:`core.domain.fingerprints`
    pool: str = DEFAULT_POOL  # of the devices that fit it
    origin: JobOrigin | None = None  # what it was made from
    group: DraftGroup | None = None  # the drafts that it belongs to


@dataclass(frozen=True, slots=True)
class StoredClip:
    """The clip of a job, by the names of its files; of older rows only the last part counts."""

    path: str
    poster: str
    sha256: str
    size_bytes: int
    width: int
    height: int
    frames: int
    fps: float
    has_sound: bool
    prompt_used: str

    def below(self, folder: Path) -> Clip:
        """Return the clip, with the places that its files have in ``folder`` of this node."""
        return Clip(
            path=folder / Path(self.path).name,
            poster=folder / Path(self.poster).name,
            sha256=self.sha256,
            size_bytes=self.size_bytes,
            width=self.width,
            height=self.height,
            frames=self.frames,
            fps=self.fps,
            has_sound=self.has_sound,
            prompt_used=self.prompt_used,
        )


@dataclass(frozen=True, slots=True)
class StoredJob:
    """A job as it was read, inside the transaction that read it. Times are epoch milliseconds."""

    seq: int  # order of acceptance
    id: str
    user_key: str
    share_key: str
    place: str
    state: JobState
    request: str  # JSON; parsed only where it is needed
    reply_platform: str
    reply_address: str  # JSON
    estimate_ms: int
    spread_ms: int
    cost: int
    tag: int
    rank: int | None  # None: it does not wait
    above_limit: bool
    attempt: int
    token: str | None  # None: it does not run
    lease_until_ms: int | None
    created_at_ms: int
    started_at_ms: int | None
    finished_at_ms: int | None
    charged_ms: int | None
    failure_code: str | None
    failure_data: str | None  # JSON
    losses: int = 0  # how often its worker, process or device was lost with it
    fingerprint: str = ""
    pool: str = DEFAULT_POOL  # whose line it waits in
    node_id: str | None = None  # of its newest attempt
    overtaken: int = 0  # by jobs whose models were loaded, since it waits
    overtaken_since_ms: int | None = None
    parent_id: str | None = None
    parent_action: str | None = None
    group_id: str | None = None
    group_number: int | None = None
    group_size: int | None = None
    clip: StoredClip | None = None  # None also where it was not asked for

    @property
    def waiting_rank(self) -> int:
        """Return the rank of a waiting job.

        Raises:
            ValueError: it does not wait.
        """
        if self.rank is None:
            raise ValueError(self.id)
        return self.rank

    def parsed_request(self) -> Request | None:
        """Return the request; None where another version wrote what this one cannot read."""
        try:
            return from_json(parse_stored(self.request))
        except UndecodableError as error:
            log.debug("request_unreadable", job_id=self.id, reason=str(error))
            return None

    def was_asked_by(self, fingerprint: str, request: Request | None) -> bool:
        """Tell whether this job may be what a submission under the same key asks for."""
        if is_same(self.fingerprint, fingerprint):
            return True
        return request is not None and request == self.parsed_request()

    def job(self, clips_folder: Path) -> Job:
        """Return the job as the rest of the core knows it."""
        return Job(
            id=self.id,
            requester=Requester.from_key(self.user_key),
            asked=self.parsed_request(),
            reply_to=ReplyTo(self.reply_platform, parse_words(self.reply_address)),
            state=self.state,
            estimate_ms=self.estimate_ms,
            attempt=self.attempt,
            token=self.token,
            created_at_ms=self.created_at_ms,
            started_at_ms=self.started_at_ms,
            finished_at_ms=self.finished_at_ms,
            charged_ms=self.charged_ms,
            failure=self._failure(),
            clip=None if self.clip is None else self.clip.below(clips_folder),
            place=self.place,
            number=self.seq,
            losses=self.losses,
            origin=self._origin(),
            group=self.group,
        )

    @property
    def group(self) -> DraftGroup | None:
        """Return the drafts that it belongs to."""
        if self.group_id is None:
            return None
        return DraftGroup(self.group_id, self.group_number or 1, self.group_size or 1)

    def _origin(self) -> JobOrigin | None:
        return JobOrigin(self.parent_action, self.parent_id) if self.parent_action else None

    def _failure(self) -> Failure | None:
        if self.failure_code is None:
            return None
        return Failure(self.failure_code, scalars(parse_object(self.failure_data)))


@dataclass(frozen=True, slots=True)
class JobCompletion:
    """How a job ends, as its row takes it."""

    state: JobState
    charged_ms: int
    failure: Failure | None = None
    clip: Clip | None = None
    told: bool = False  # the requester knows already; no delivery is owed


@dataclass(frozen=True, slots=True)
class QuotaWindow:
    """One window of an account in the ledger; sums in the unit of its limit."""

    period: int
    began_at_ms: int | None  # epoch; None: not used yet
    granted: int = 0
    reserved: int = 0
    used: int = 0

    @property
    def spent(self) -> int:
        """Return what is used and reserved."""
        return self.used + self.reserved


@dataclass(frozen=True, slots=True)
class Reservation:
    """What was set aside for a job in one limit, in which window of whose."""

    limit_name: str
    account_key: str
    period: int
    unit: str  # of the amount, :class:`core.domain.quota.Unit`
    amount: int


@dataclass(frozen=True, slots=True)
class CarriedUse:
    """What was spent in the window of ``source_key`` and counts elsewhere until it ends."""

    source_key: str
    spent: int  # in the unit of its limit
    until_ms: int  # epoch


@dataclass(frozen=True, slots=True)
class Block:
    """The oldest block that reaches a person: the key that was named, and why."""

    origin: str
    reason: str


@dataclass(frozen=True, slots=True)
class AccountNotice:
    """What somebody has to be told in private; ``code`` names the sentence, ``data`` fills it."""

    id: int
    to: Requester
    code: str
    data: dict[str, str]


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One thing an operator did; ``at_ms`` is epoch milliseconds."""

    at_ms: int
    actor: str
    verb: str
    target: str
    detail: str


@dataclass(frozen=True, slots=True)
class FileHold:
    """A file that somebody needs, by its path below the data directory, and whose it is."""

    file: str
    user_key: str
