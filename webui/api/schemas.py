"""What programs and agents get: an accepted job, and a finished clip."""

from typing import Any, TypedDict

from core.domain.jobs import Ticket
from core.domain.media import Clip
from core.domain.modes import Mode
from core.i18n.messages import explain, say
from core.i18n.option_words import mode_summary


class JobAnswer(TypedDict):
    """A job that was taken."""

    job: str
    estimate_seconds: float
    position: int
    ready_in_seconds: float
    notes: list[str]
    drafts: list[str]


def describe_mode(mode: Mode) -> str:
    """Return what the endpoint or tool of ``mode`` does."""
    return f"{mode_summary(mode)}. {say('mcp_returns_job')}"


def accepted(ticket: Ticket, drafts: list[str]) -> JobAnswer:
    """Return the answer to a submission; ``drafts`` are the jobs of several that were asked for."""
    forecast = ticket.forecast
    return {
        "job": ticket.job_id,
        "estimate_seconds": ticket.estimate_ms / 1000,
        "position": forecast.position if forecast else 0,
        "ready_in_seconds": forecast.ready_in_s if forecast else 0.0,
        "notes": [explain(note) for note in ticket.adjustments],
        "drafts": drafts,
    }


def finished(job: str, clip: Clip, root: str = "") -> dict[str, Any]:
    """Return where the clip of ``job`` is, below ``root``, and what it is."""
    return {
        "job": job,
        "video": f"{root}/clips/{job}.mp4",
        "poster": f"{root}/clips/{job}.png",
        "bytes": clip.size_bytes,
        "sha256": clip.sha256,
        "width": clip.width,
        "height": clip.height,
        "seconds": clip.seconds,
        "sound": clip.has_sound,
    }
