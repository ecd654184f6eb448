"""What commands answer: frozen records without a word that a person wrote in a prompt."""

from dataclasses import dataclass, field, replace
from typing import Any, Literal

from core.accounts.program_tokens import IssuedToken
from core.domain.adjustments import Adjustment
from core.domain.feed import FeedChannel, FeedPost
from core.domain.jobs import Failure, Job, Ticket
from core.domain.options import KEPT
from core.domain.progress import Progress
from core.domain.requests import Composition, Sampling, sampling_to_json
from core.errors import Scalar
from core.storage.program_tokens import ProgramTokenRow


@dataclass(frozen=True, slots=True)
class MachineReport:
    """A machine behind the gate, and its token where it has just got one."""

    name: str
    token: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class StylesReport:
    """The styles and defaults of a place, as TOML; names are those of the styles."""

    place: str
    names: list[str]
    toml: str


@dataclass(frozen=True, slots=True)
class ForgottenReport:
    """Whose data are gone: every account that was joined, and how many jobs there were."""

    accounts: list[str]
    jobs: int


@dataclass(frozen=True, slots=True)
class FeedChannelReport:
    """A channel of a feed, or of its reports."""

    place: str
    kind: str
    channel: str  # the one way to name it
    title: str

    @classmethod
    def of(cls, channel: FeedChannel) -> "FeedChannelReport":
        """Report ``channel``."""
        return cls(channel.place, channel.kind, channel.target.key, channel.target.title)


@dataclass(frozen=True, slots=True)
class FeedPostReport:
    """A post of a feed, and how often it was reported."""

    post: str
    job_id: str
    maker: str
    channel: str
    state: str
    reports: int
    created_at_ms: int

    @classmethod
    def of(cls, post: FeedPost, reports: int) -> "FeedPostReport":
        """Report ``post``; one that is on its way out counts as removed."""
        state = "removed" if post.withdrawn else post.state.value
        target, made = post.target.title or post.target.key, post.created_at_ms
        return cls(post.id, post.job_id, post.maker.key, target, state, reports, made)


@dataclass(frozen=True, slots=True)
class TokenReport:
    """A token of a program, and what is shown once where it has just got it."""

    prefix: str
    name: str
    scopes: tuple[str, ...]
    limit_ms: int | None
    webhook: str
    created_at_ms: int
    created_by: str
    expires_at_ms: int | None
    revoked_at_ms: int | None
    used_at_ms: int | None
    token: str = field(default="", repr=False)
    webhook_secret: str = field(default="", repr=False)

    @classmethod
    def of(cls, row: ProgramTokenRow) -> "TokenReport":
        """Report ``row``, without a secret."""
        return cls(
            prefix=row.prefix,
            name=row.name,
            scopes=tuple(row.scopes.split()),
            limit_ms=row.limit_ms,
            webhook=row.webhook,
            created_at_ms=row.created_at_ms,
            created_by=row.created_by,
            expires_at_ms=row.expires_at_ms,
            revoked_at_ms=row.revoked_at_ms,
            used_at_ms=row.used_at_ms,
        )

    @classmethod
    def of_new(cls, issued: IssuedToken) -> "TokenReport":
        """Report what was just made, with its secrets."""
        secret = issued.row.webhook_secret
        return replace(cls.of(issued.row), token=issued.token, webhook_secret=secret)


@dataclass(frozen=True, slots=True)
class ClipReport:
    """The files of a finished job."""

    path: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class SamplingReport:
    """How a clip is made."""

    preset: str
    width: int  # px, as sampled
    height: int
    frames: int
    fps: int
    seconds: float
    seed: int
    options: dict[str, Scalar]  # kept options that are not private

    @classmethod
    def of(cls, sampling: Sampling) -> "SamplingReport":
        """Report ``sampling``."""
        values = sampling_to_json(sampling)
        return cls(
            preset=sampling.preset.value,
            width=sampling.width,
            height=sampling.height,
            frames=sampling.frames,
            fps=sampling.fps,
            seconds=sampling.seconds,
            seed=sampling.seed,
            options={item.name: values[item.name] for item in KEPT if not item.is_private},
        )


@dataclass(frozen=True, slots=True)
class JobReport:
    """What operators and scripts want to know of a job. Times are epoch milliseconds."""

    id: str
    requester: str
    mode: str
    state: str
    estimate_ms: int
    charged_ms: int | None
    created_at_ms: int
    sampling: SamplingReport | None = None  # None where another version wrote it, unreadable here
    clip: ClipReport | None = None
    failure: Failure | None = None

    @classmethod
    def of(cls, job: Job) -> "JobReport":
        """Report ``job``."""
        clip = job.clip
        return cls(
            id=job.id,
            requester=job.requester.key,
            mode=str(job.mode_word),
            state=job.state.value,
            estimate_ms=job.estimate_ms,
            charged_ms=job.charged_ms,
            created_at_ms=job.created_at_ms,
            sampling=None if job.asked is None else SamplingReport.of(job.asked.sampling),
            clip=ClipReport(str(clip.path), clip.size_bytes) if clip else None,
            failure=job.failure,
        )


@dataclass(frozen=True, slots=True)
class ServiceStatus:
    """What an operator looks at first."""

    serving: bool  # False: nothing runs here, the database was read beside it
    intake: str
    running: int
    waiting: int
    data_dir: str
    free_bytes: int
    version: str
    pid: int = 0  # of the service
    dead_deliveries: int = 0
    troubles: tuple[str, ...] = ()  # names of the health checks that fail


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line of the log as it was written: without secrets."""

    text: str


@dataclass(frozen=True, slots=True)
class Contradiction:
    """Rows that do not agree with each other."""

    text: str


@dataclass(frozen=True, slots=True)
class GenerationAccepted:
    """A request that became a job, with what was changed of it."""

    job_id: str
    mode: str
    size: str
    seconds: float
    fps: int
    seed: int
    adjustments: tuple[Adjustment, ...] = ()
    position: int | None = None  # in line; None where nothing is known
    ready_in_s: float = 0.0
    event: Literal["accepted"] = "accepted"

    @classmethod
    def of(cls, composition: Composition, ticket: Ticket) -> "GenerationAccepted":
        """Report ``ticket``."""
        sampling, forecast = composition.request.sampling, ticket.forecast
        return cls(
            job_id=ticket.job_id,
            mode=composition.request.mode.value,
            size=str(sampling.size),
            seconds=sampling.seconds,
            fps=sampling.fps,
            seed=sampling.seed,
            adjustments=composition.adjustments,
            position=forecast.position if forecast else None,
            ready_in_s=forecast.ready_in_s if forecast else 0.0,
        )


@dataclass(frozen=True, slots=True)
class GenerationProgress:
    """How far the job is."""

    progress: Progress
    event: Literal["progress"] = "progress"


@dataclass(frozen=True, slots=True)
class GenerationEnded:
    """The job is over and told: delivered to ``file``, or why not."""

    job: JobReport
    file: str | None = None
    undelivered: Failure | None = None  # the clip is made, and could not be put there
    event: Literal["ended"] = "ended"


GenerationEvent = GenerationAccepted | GenerationProgress | GenerationEnded
Report = Any  # a record that :data:`core.control.commands.VERBS` names
