"""Jobs as lines of a table and as JSON for scripts."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.measure import Measurement
from rich.table import Table

from core.cli.exit_codes import out
from core.control.reports import JobReport, SamplingReport
from core.domain.jobs import Failure
from core.i18n.messages import explain, name, say
from core.media.output.destinations import poster_of


def print_jobs(jobs: list[JobReport]) -> None:
    """Print one line a job, whole also where the terminal is narrower, as scripts read it."""
    console, table = out(), _table(jobs)
    wanted = Measurement.get(console, console.options.update(width=1000), table).maximum
    console.width = max(console.width, wanted)
    console.print(table)


def _table(jobs: list[JobReport]) -> Table:
    table = Table(box=None, pad_edge=False)
    for column in ("job", "who", "mode", "size", "seconds", "state", "made", "charged"):
        table.add_column(say(f"cli_column_{column}"), no_wrap=column == "job")
    for job in jobs:
        sampling = job.sampling
        table.add_row(
            job.id,
            job.requester,
            job.mode,
            "–" if sampling is None else f"{sampling.width}×{sampling.height}",
            "–" if sampling is None else f"{sampling.seconds:.1f}",
            name(job.state),
            f"{datetime.fromtimestamp(job.created_at_ms / 1000, UTC):%m-%d %H:%M}",
            "–" if job.charged_ms is None else f"{job.charged_ms / 1000:.1f} s",
        )
    return table


def job_as_json(job: JobReport, file: Path | None = None) -> dict[str, Any]:
    """Return what scripts want to know of ``job``; no words of a person, unlike its row."""
    clip = job.clip
    return {
        "job_id": job.id,
        "state": job.state,
        "mode": job.mode,
        **_sampling_as_json(job.sampling),
        "estimate_ms": job.estimate_ms,
        "charged_ms": job.charged_ms,
        "file": str(file.resolve()) if file and clip else None,
        "poster": str(poster_of(file.resolve())) if file and clip else None,
        "size_bytes": clip.size_bytes if clip else None,
        "error": _as_json(job.failure) if job.failure else None,
    }


def _sampling_as_json(sampling: SamplingReport | None) -> dict[str, Any]:
    """Return how the clip is made; nothing where that cannot be read any more."""
    if sampling is None:
        return {}
    return {
        "preset": sampling.preset,
        "width": sampling.width,
        "height": sampling.height,
        "frames": sampling.frames,
        "fps": sampling.fps,
        "seconds": round(sampling.seconds, 3),
        "seed": sampling.seed,
        "seed_text": str(sampling.seed),  # one that was typed may have more digits than a float
        **sampling.options,
    }


def _as_json(failure: Failure) -> dict[str, Any]:
    return {
        "code": failure.code,
        "message": explain(failure),
        "data": failure.data,
    }
