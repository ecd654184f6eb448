"""From the settings to the rules of each part: the only place that knows both."""

from pathlib import Path

from core.accounts.file_ownership import KeptFolders
from core.app.maintenance import HOUR_S, Folders
from core.delivery.router import RouterRules
from core.settings import Settings
from core.worker.worker import WorkerRules

DAY_S = 24 * HOUR_S


def worker_rules(settings: Settings) -> WorkerRules:
    """Return the times of the worker."""
    return WorkerRules(
        heartbeat_s=settings.heartbeat_s,
        job_timeout_s=settings.job_timeout_s,
        grace_s=settings.shutdown_grace_s,
    )


def router_rules(settings: Settings) -> RouterRules:
    """Return when deliveries are tried again and given up."""
    return RouterRules(
        max_attempts=settings.delivery_attempts,
        timeout_s=settings.delivery_timeout_s,
        progress_every_s=settings.progress_every_s,
    )


def fitted_folder(settings: Settings) -> Path:
    """Return where copies of clips may lie that were made for places with a limit."""
    return settings.data_dir / "fitted"


def folders(settings: Settings) -> Folders:
    """Return where files lie and how long they are kept: longer than any job waits and runs."""
    longest = settings.wait_limit_hours * HOUR_S + settings.max_attempts * settings.job_timeout_s
    return Folders(
        clips=settings.clips_folder,
        fitted=fitted_folder(settings),
        latents=settings.latents_folder,
        staged=settings.comfy_folder / "input",
        keep_s=max(settings.retention_days * DAY_S, longest + HOUR_S),
    )


def kept(settings: Settings) -> KeptFolders:
    """Return where the files lie that have owners; their names begin at the data directory."""
    return KeptFolders(
        data=settings.data_dir.resolve(),
        media=settings.media_folder.resolve(),
        uploads=settings.uploads_folder.resolve(),
        staged=settings.comfy_folder / "input",
    )
