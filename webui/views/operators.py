"""What the operators' page shows, as plain data; no words that people wrote."""

from collections.abc import Sequence
from dataclasses import dataclass

from core.domain.jobs import Job
from core.i18n.messages import SHORT_ID, name, say
from core.service.operator_api import DeadDelivery
from core.service.readiness import Readiness
from core.service.views import ServiceHealth
from webui.views.jobs import facts


@dataclass(frozen=True, slots=True)
class CheckView:
    """One part of the service, and whether it works."""

    name: str
    label: str
    ok: bool


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
class OperatorView:
    """Everything on the page, with the words of its headings, fields and buttons."""

    intake: str
    line: str
    checks: tuple[CheckView, ...]
    jobs: tuple[LiveJobView, ...]
    dead: tuple[DeadView, ...]
    told: str
    words: dict[str, str]


_WORDS = (
    *("title", "health", "queue", "empty", "people", "who", "minutes", "reason", "dead"),
    *("pause", "drain", "resume", "cancel", "grant", "block", "unblock", "revive", "revive_all"),
)


def operator_view(
    health: ServiceHealth,
    ready: Readiness,
    jobs: Sequence[Job],
    dead: Sequence[DeadDelivery],
    told: str,
) -> OperatorView:
    """Choose the words for the state of the service."""
    data = {
        "intake": name(f"intake_{health.intake}"),
        "running": health.running,
        "waiting": health.waiting,
        "free_bytes": health.free_bytes,
    }
    return OperatorView(
        intake=health.intake,
        line=say("operators_line", data),
        checks=tuple(
            CheckView(check.name, name(f"check_{check.name}"), check.ok) for check in ready.checks
        ),
        jobs=tuple(_live(job) for job in jobs),
        dead=tuple(
            DeadView(item.job_id, item.job_id[:SHORT_ID], item.platform, name(item.reason))
            for item in dead
        ),
        told=told,
        words={code: say(f"operators_{code}") for code in _WORDS},
    )


def _live(job: Job) -> LiveJobView:
    mode = job.mode_word
    return LiveJobView(
        id=job.id,
        short=job.id[:SHORT_ID],
        who=job.requester.key,
        mode=mode,
        mode_name=name(mode),
        state_name=name(job.state),
        facts=facts(job),
    )
