"""What programs get: a job with its clip, price and place in line, and what is left to spend."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel, Field

from core.domain.followups import actions_for, options_of
from core.domain.jobs import Job
from core.domain.limits import RequestLimits
from core.domain.options import options_in
from core.domain.progress import Downloading, Progress, Working
from core.domain.quota import QuotaView, Unit
from core.i18n.messages import explain, explain_end
from core.service.follow_ups import MAKING
from webui.studio.programs import Sight
from webui.views.job_status import Moment
from webui.views.jobs import job_view

BASE = "/api/v1"


class JobProgress(BaseModel):
    """How far a running job is."""

    stage: str
    fraction: float | None = Field(None, ge=0, le=1, description="Of the whole job")
    step: int | None = None
    steps: int | None = None


class JobClip(BaseModel):
    """The finished video."""

    url: str
    poster_url: str
    bytes: int
    sha256: str
    width: int
    height: int
    frames: int
    fps: float
    seconds: float
    sound: bool


class JobPrice(BaseModel):
    """What a job costs in GPU-seconds."""

    expected: float
    charged: float | None = Field(None, description="Once it is over; what is not used is back")


class JobProblem(BaseModel):
    """Why there is no clip."""

    code: str
    data: dict[str, Any]
    detail: str


class JobResource(BaseModel):
    """A job. Times are ISO 8601 in UTC."""

    id: str
    url: str
    mode: str
    state: str = Field(
        description="waiting, running, succeeded, failed, cancelled or expired; more may come"
    )
    live: bool = Field(description="It waits or runs; the state changes no more once false")
    created_at: str
    started_at: str | None = None
    finished_at: str | None = None
    expected_at: str | None = Field(None, description="When a live job should be over")
    position: int | None = Field(None, description="In line; 1 is next, 0 runs")
    progress: JobProgress | None = None
    seed: int | None = None
    options: dict[str, Any] = Field(description="As they may be sent again")
    price: JobPrice
    clip: JobClip | None = None
    error: JobProblem | None = None
    actions: list[str] = Field(description="For POST …/actions/ACTION")
    drafts: list[str] = Field(
        default=[],
        description="Those asked for together, in order; the action quality finishes one",
    )
    notes: list[str] = Field(default=[], description="What was changed of what was asked for")


class JobPage(BaseModel):
    """Some of the own jobs, the newest first."""

    jobs: list[JobResource]
    next: str | None = Field(None, description="The cursor of the next page; null at the end")


class FileAnswer(BaseModel):
    """A file that was sent."""

    id: str
    bytes: int
    sha256: str


class BalanceAnswer(BaseModel):
    """Where the program stands in one limit."""

    name: str
    unit: str = Field(description="gpu_seconds or jobs")
    limit: float
    used: float
    reserved: float
    left: float
    resets_at: str | None = None


class QuotaAnswer(BaseModel):
    """What may still be spent: what the limits leave all together, and each of them."""

    left_gpu_seconds: float
    limits: list[BalanceAnswer]


@dataclass(frozen=True, slots=True)
class JobWriter:
    """Writes jobs down for one reader."""

    root: str  # of absolute addresses, without a slash at its end
    limits: RequestLimits
    language: str

    def write(self, sight: Sight, notes: Sequence[str] = ()) -> JobResource:
        """Return ``sight`` as a program gets it."""
        job, address = sight.job, f"{self.root}{BASE}/jobs/{sight.job.id}"
        ready_s = self._ready_s(sight)
        sampling = None if job.asked is None else job.asked.sampling
        return JobResource(
            id=job.id,
            url=address,
            mode=str(job.mode_word),
            state="waiting" if job.state.waiting else job.state.value,
            live=not job.state.terminal,
            created_at=moment(job.created_at_ms),
            started_at=_moment(job.started_at_ms),
            finished_at=_moment(job.finished_at_ms),
            expected_at=None if ready_s is None else moment(sight.now_ms + round(ready_s * 1000)),
            position=None if sight.forecast is None else sight.forecast.position,
            progress=None if job.state.terminal else _progress(sight.progress),
            seed=None if sampling is None else sampling.seed,
            options=self._options(job),
            price=JobPrice(
                expected=job.estimate_ms / 1000,
                charged=None if job.charged_ms is None else job.charged_ms / 1000,
            ),
            clip=_clip(job, address),
            error=self._problem(job),
            actions=[action for action in actions_for(job, self.limits) if action in MAKING],
            drafts=list(sight.drafts),
            notes=list(notes),
        )

    def _ready_s(self, sight: Sight) -> float | None:
        if sight.job.state.terminal:
            return None
        seen = Moment(sight.progress, sight.forecast, sight.now_ms, self.limits)
        return job_view(sight.job, seen).ready_in_s

    def _options(self, job: Job) -> dict[str, Any]:
        if job.asked is None:
            return {}
        values = options_of(job.asked, self.limits).values()
        offered = (option.name for option in options_in(job.asked.mode))
        return {name: values[name] for name in offered if values[name] not in (None, "")}

    def _problem(self, job: Job) -> JobProblem | None:
        failure = job.failure
        if failure is None or not job.state.terminal:
            return None
        detail = explain_end(failure, job.charged_ms, self.language)
        return JobProblem(code=failure.code, data=dict(failure.data), detail=detail)


def notes_of(adjustments: Sequence[Any], language: str) -> list[str]:
    """Say what was changed."""
    return [explain(one, language) for one in adjustments]


def moment(at_ms: int) -> str:
    """Write a time (epoch ms) as ISO 8601."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds")


def _moment(at_ms: int | None) -> str | None:
    return None if at_ms is None else moment(at_ms)


def _progress(progress: Progress | None) -> JobProgress | None:
    match progress:
        case Working(stage, step, steps, fraction):
            return JobProgress(stage=stage, fraction=fraction, step=step, steps=steps)
        case Downloading(_, done, total):
            return JobProgress(stage="download", fraction=done / total if total else None)
        case _:
            return None


def _clip(job: Job, address: str) -> JobClip | None:
    clip = job.clip
    if clip is None:
        return None
    return JobClip(
        url=f"{address}/clip",
        poster_url=f"{address}/poster",
        bytes=clip.size_bytes,
        sha256=clip.sha256,
        width=clip.width,
        height=clip.height,
        frames=clip.frames,
        fps=clip.fps,
        seconds=clip.seconds,
        sound=clip.has_sound,
    )


def quota_answer(view: QuotaView) -> QuotaAnswer:
    """Return ``view`` as a program gets it."""
    return QuotaAnswer(
        left_gpu_seconds=view.left_ms / 1000,
        limits=[
            BalanceAnswer(
                name=one.name,
                unit="jobs" if one.unit is Unit.JOBS else "gpu_seconds",
                limit=one.limit / _scale(one.unit),
                used=one.used / _scale(one.unit),
                reserved=one.reserved / _scale(one.unit),
                left=one.left / _scale(one.unit),
                resets_at=_moment(one.resets_at_ms),
            )
            for one in view.balances
        ],
    )


def quota_headers(view: QuotaView, now_ms: int) -> dict[str, str]:
    """Return the limits as draft-ietf-httpapi-ratelimit-headers has them, in whole units."""
    policies, left = list[str](), list[str]()
    for one in view.balances:
        unit = "jobs" if one.unit is Unit.JOBS else "gpu-seconds"
        policies.append(f'"{one.name}";q={int(one.limit / _scale(one.unit))};qu="{unit}"')
        resets = one.resets_at_ms
        until = "" if resets is None else f";t={max(0, -(-(resets - now_ms) // 1000))}"
        left.append(f'"{one.name}";r={int(one.left / _scale(one.unit))}{until}')
    return {"RateLimit-Policy": ", ".join(policies), "RateLimit": ", ".join(left)}


def _scale(unit: Unit) -> int:
    return 1 if unit is Unit.JOBS else 1000
