"""From the settings to the rules of each part: the only place that knows both.

Two are with their area, since fronts ask for them too: ``settings.requests.limits()`` and
``settings.media.limits()``. What one front alone knows, such as how it shows a clip, it makes.
"""

from dataclasses import replace
from pathlib import Path

from core.accounts.file_ownership import KeptFolders
from core.accounts.limits import QuotaRules
from core.app.maintenance import HOUR_S
from core.app.pruning import Folders
from core.delivery.router import RouterRules
from core.domain.access import AccessEntry, read_entries
from core.domain.fairness import FairRules
from core.domain.limits import MediaLimits
from core.domain.nodes import NodeRole
from core.domain.time_units import HOUR_MS, MINUTE_MS
from core.queue.transitions import QueueRules
from core.service.readiness import ReadinessLimits
from core.settings import Settings
from core.settings.kinds import minutes_of
from core.worker.rules import WorkerRules

DAY_S = 24 * HOUR_S


def queue_rules(settings: Settings, devices: int = 1) -> QueueRules:
    """Return what a requester may use, who is next, and when a job is lost or expires.

    With several ``devices`` nobody gets more than their share of them: a second one of the same
    account would be missing to who comes next.
    """
    quota, queue = settings.quota, settings.queue
    place = quota.place_minutes
    return QueueRules(
        quota=QuotaRules(
            limit_ms=round(quota.minutes * MINUTE_MS),
            guests_ms=round(settings.studio.guest_minutes * MINUTE_MS),
            network_ms=round(settings.studio.network_minutes * MINUTE_MS),
            place_ms=None if place is None else round(place * MINUTE_MS),
            roles_ms=_milliseconds(quota.roles),
            places_ms=_milliseconds(quota.places),
            window_ms=round(quota.window_hours * HOUR_MS),
        ),
        fair=FairRules(max_running=queue.max_running, relax=devices == 1),
        max_queued=queue.max_queued,
        max_attempts=queue.max_attempts,
        lease_ms=round(queue.lease_s * 1000),
        wait_limit_ms=round(queue.wait_limit_hours * HOUR_MS),
        slots=devices,
    )


def _milliseconds(listed: str) -> dict[str, int]:
    return {name: round(minutes * MINUTE_MS) for name, minutes in minutes_of(listed).items()}


def allowed_entries(settings: Settings) -> tuple[AccessEntry, ...]:
    """Return who may use the bots."""
    return tuple(read_entries(settings.people.allowed))


def media_limits(settings: Settings) -> MediaLimits:
    """Return the ranges of an uploaded file; of a film no more is kept than a clip may last."""
    return replace(settings.media.limits(), use_seconds=settings.requests.max_seconds)


def worker_rules(settings: Settings, role: NodeRole = NodeRole.SERVICE) -> WorkerRules:
    """Return the times of the worker; one that is nothing else may be told to go by its cloud."""
    notice_s = settings.node.notice_s if role is NodeRole.WORKER else None
    return WorkerRules(
        notice_s=notice_s,
        heartbeat_s=settings.worker.heartbeat_s,
        job_timeout_s=settings.worker.job_timeout_s,
        finish_timeout_s=settings.worker.encode_timeout_s,
        grace_s=settings.worker.shutdown_grace_s if notice_s is None else notice_s,
        previews=settings.worker.previews,
    )


def router_rules(settings: Settings) -> RouterRules:
    """Return when deliveries are tried again and given up."""
    return RouterRules(
        max_attempts=settings.delivery.attempts,
        timeout_s=settings.delivery.timeout_s,
        progress_every_s=settings.delivery.progress_every_s,
    )


def fitted_folder(settings: Settings) -> Path:
    """Return where copies of clips may lie that were made for places with a limit."""
    return settings.data_dir / "fitted"


def folders(settings: Settings) -> Folders:
    """Return where files lie and how long they are kept: longer than any job waits and runs."""
    queue = settings.queue
    longest = queue.wait_limit_hours * HOUR_S + queue.max_attempts * settings.worker.job_timeout_s
    keep_s = max(settings.retention.days * DAY_S, longest + HOUR_S)
    return Folders(
        clips=settings.clips_folder,
        fitted=fitted_folder(settings),
        latents=settings.latents_folder,
        staged=settings.comfy_folder / "input",
        keep_s=keep_s,
        windows_s=max(keep_s, settings.quota.window_hours * HOUR_S, DAY_S) + DAY_S,
        audit_s=settings.retention.audit_days * DAY_S,
    )


def kept(settings: Settings) -> KeptFolders:
    """Return where the files lie that have owners; their names begin at the data directory."""
    return KeptFolders(
        data=settings.data_dir.resolve(),
        media=settings.media_folder.resolve(),
        uploads=settings.uploads_folder.resolve(),
        staged=settings.comfy_folder / "input",
    )


def readiness_limits(settings: Settings) -> ReadinessLimits:
    """Return from where on health says that something is not well."""
    waiting = settings.health.queue_minutes
    return ReadinessLimits(
        beat_s=max(30.0, 3 * settings.worker.heartbeat_s),
        waiting_s=None if waiting is None else waiting * 60,
        owed_s=settings.health.delivery_minutes * 60,
    )
