"""What the operators' page shows, as plain data; prompts only of jobs that were looked at."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from core.domain.jobs import Job
from core.domain.time_units import MINUTE_MS
from core.i18n.isolation import isolated
from core.i18n.messages import SHORT_ID, name, say
from core.service.operator_api import (
    AuditEntry,
    DeadDelivery,
    ProgramTokenRow,
    RecordedRun,
    TokenScope,
)
from core.service.readiness import Readiness
from core.service.views import ServiceHealth
from webui.studio.operator_actions import Outcome
from webui.views.jobs import facts

RIGHT = 0.2  # an estimate that is off by less counts as right, as in `clapper estimate --plot`


@dataclass(frozen=True, slots=True)
class OperatorRecords:
    """What the page is made of."""

    jobs: Sequence[Job]
    dead: Sequence[DeadDelivery]
    tokens: Sequence[ProgramTokenRow]
    recent: Sequence[RecordedRun]
    audit: Sequence[AuditEntry]
    styles: Sequence[str]
    now_ms: int


@dataclass(frozen=True, slots=True)
class CheckView:
    """One part of the service, and whether it works; ``facts`` as `/readyz` gives them."""

    name: str
    label: str
    ok: bool
    facts: dict[str, Any]


@dataclass(frozen=True, slots=True)
class LiveJobView:
    """Somebody's job, without its prompt."""

    id: str
    short: str
    who: str
    mode: str
    mode_name: str
    state_name: str
    facts: str


@dataclass(frozen=True, slots=True)
class DeadView:
    """A result that was given up."""

    job: str
    short: str
    platform: str
    reason: str


@dataclass(frozen=True, slots=True)
class TokenView:
    """A token of a program, by its beginning; times in epoch ms."""

    prefix: str
    name: str
    scopes: str
    minutes: float | None
    created_ms: int
    ends_ms: int | None
    used_ms: int | None
    state: str
    works: bool


@dataclass(frozen=True, slots=True)
class RunView:
    """What a run was expected to take, and took, in seconds."""

    label: str
    expected_s: float
    took_s: float


@dataclass(frozen=True, slots=True)
class IssuedView:
    """A new token; it is shown this once."""

    token: str = field(repr=False)
    text: str = field(repr=False)  # with the secret of its webhooks


@dataclass(frozen=True, slots=True)
class OperatorView:
    """Everything on the page, with the words of its headings, fields and buttons."""

    intake: str
    line: str
    checks: tuple[CheckView, ...]
    jobs: tuple[LiveJobView, ...]
    more: str  # of a button, where more wait than are listed
    dead: tuple[DeadView, ...]
    tokens: tuple[TokenView, ...]
    scopes: tuple[str, ...]
    runs: tuple[RunView, ...]
    runs_line: str
    audit: tuple[dict[str, Any], ...]
    told: str
    issued: IssuedView | None
    prompts: dict[str, str]
    styles: tuple[str, ...]  # names, of all places
    toml: str | None  # styles and defaults as a file; None where nobody asked
    words: dict[str, str]


_WORDS = (
    *("title", "health", "queue", "empty", "people", "who", "minutes", "reason", "dead"),
    *("pause", "drain", "resume", "cancel", "grant", "block", "unblock", "revive", "revive_all"),
    *("look", "quota", "tokens", "token_name", "token_minutes", "token_days", "scopes"),
    *("issue_token", "revoke_token", "copy", "runs", "runs_expected", "runs_took"),
    *("audit", "logs", "used", "ends"),
    *("styles", "styles_hint", "show_styles", "keep_styles", "remove_style"),
)


def operator_view(
    health: ServiceHealth, ready: Readiness, records: OperatorRecords, outcome: Outcome
) -> OperatorView:
    """Choose the words for the state of the service."""
    data = {
        "intake": name(f"intake_{health.intake}"),
        "running": health.running,
        "waiting": health.waiting,
        "free_bytes": health.free_bytes,
    }
    unlisted = health.running + health.waiting - len(records.jobs)
    runs = tuple(_run(run) for run in records.recent if run.error is None and run.gpu_ms > 0)
    return OperatorView(
        intake=health.intake,
        line=say("operators_line", data),
        checks=tuple(
            CheckView(check.name, name(f"check_{check.name}"), check.ok, check.facts)
            for check in ready.checks
        ),
        jobs=tuple(_live(job) for job in records.jobs),
        more=say("operators_more", {"count": unlisted}) if unlisted > 0 else "",
        dead=tuple(
            DeadView(item.job_id, item.job_id[:SHORT_ID], item.platform, name(item.reason))
            for item in records.dead
        ),
        tokens=tuple(_token(row, records.now_ms) for row in records.tokens),
        scopes=tuple(TokenScope),
        runs=runs,
        runs_line=_runs_line(runs),
        audit=tuple(_entry(entry) for entry in records.audit),
        told=outcome.text,
        issued=_issued(outcome),
        prompts=outcome.prompts,
        styles=tuple(records.styles),
        toml=outcome.toml,
        words={code: say(f"operators_{code}") for code in _WORDS},
    )


def _live(job: Job) -> LiveJobView:
    mode = job.mode_word
    return LiveJobView(
        id=job.id,
        short=job.id[:SHORT_ID],
        who=isolated(job.requester.key),
        mode=mode,
        mode_name=name(mode),
        state_name=name(job.state),
        facts=facts(job),
    )


def _token(row: ProgramTokenRow, now_ms: int) -> TokenView:
    works = row.works(now_ms)
    state = "works" if works else "ended" if row.revoked_at_ms is None else "revoked"
    return TokenView(
        prefix=row.prefix,
        name=row.name,
        scopes=row.scopes,
        minutes=None if row.limit_ms is None else row.limit_ms / MINUTE_MS,
        created_ms=row.created_at_ms,
        ends_ms=row.expires_at_ms,
        used_ms=row.used_at_ms,
        state=say(f"token_{state}"),
        works=works,
    )


def _run(run: RecordedRun) -> RunView:
    label = f"{name(run.mode)} · {run.width}×{run.height} · {run.frames}"
    return RunView(label, run.estimate_ms / 1000, run.gpu_ms / 1000)


def _runs_line(runs: Sequence[RunView]) -> str:
    if not runs:
        return say("operators_runs_none")
    off = [abs(run.expected_s / run.took_s - 1) for run in runs]
    right = sum(1 for one in off if one <= RIGHT)
    data = {"count": len(runs), "percent": round(100 * median(off)), "right": right}
    return say("operators_runs_line", data)


def _entry(entry: AuditEntry) -> dict[str, Any]:
    return {
        "at_ms": entry.at_ms,
        "text": " · ".join(
            map(isolated, filter(None, (entry.actor, entry.verb, entry.target[:80], entry.detail)))
        ),
    }


def _issued(outcome: Outcome) -> IssuedView | None:
    made = outcome.issued
    if made is None:
        return None
    data = {"prefix": made.row.prefix, "name": made.row.name, "secret": made.row.webhook_secret}
    return IssuedView(made.token, say("token_shown_once", data))
