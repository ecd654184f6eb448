"""Between rows and the records of :mod:`core.domain.jobs`."""

import json
from pathlib import Path
from typing import Any

from sqlalchemy import Row, Select, select

from core.domain.jobs import Failure, Job, JobState, ReplyTo
from core.domain.media import Clip
from core.domain.people import Requester
from core.domain.requests import Request, from_json
from core.storage.tables import artifact, job

_CLIP = (
    artifact.c.path,
    artifact.c.poster,
    artifact.c.sha256,
    artifact.c.size_bytes,
    artifact.c.width,
    artifact.c.height,
    artifact.c.frames,
    artifact.c.fps,
    artifact.c.has_sound,
)


def job_rows() -> Select[Any]:
    """Return the query whose rows :func:`job_of` reads; narrow it with ``where``."""
    return select(job, *_CLIP).outerjoin(artifact, artifact.c.job_id == job.c.id)


def job_of(row: Row[Any], clips_folder: Path) -> Job:
    """Return the job of a row of :func:`job_rows`."""
    return Job(
        id=row.id,
        requester=Requester.from_key(row.user_key),
        request=asked_in(row),
        reply_to=ReplyTo(row.reply_platform, json.loads(row.reply_address)),
        state=JobState(row.state),
        estimate_ms=row.estimate_ms,
        attempt=row.attempt,
        token=row.token,
        created_at_ms=row.created_at_ms,
        started_at_ms=row.started_at_ms,
        finished_at_ms=row.finished_at_ms,
        charged_ms=row.charged_ms,
        failure=_failure_of(row),
        clip=_clip_of(row, clips_folder),
    )


def asked_in(row: Row[Any]) -> Request:
    """Return the request of a row with the columns of a job."""
    return from_json(json.loads(row.request))


def clip_values(clip: Clip, clips_folder: Path) -> dict[str, Any]:
    """Return the columns of ``clip``, with paths that survive a move of the data directory.

    Raises:
        ValueError: it does not lie in ``clips_folder``.
    """
    return {
        "path": clip.path.relative_to(clips_folder).as_posix(),
        "poster": clip.poster.relative_to(clips_folder).as_posix(),
        "sha256": clip.sha256,
        "size_bytes": clip.size_bytes,
        "width": clip.width,
        "height": clip.height,
        "frames": clip.frames,
        "fps": float(clip.fps),
        "has_sound": int(clip.has_sound),
    }


def failure_values(failure: Failure | None) -> dict[str, Any]:
    """Return the columns of ``failure``."""
    if failure is None:
        return {"failure_code": None, "failure_data": None}
    return {"failure_code": failure.code, "failure_data": json.dumps(failure.data)}


def _failure_of(row: Row[Any]) -> Failure | None:
    if row.failure_code is None:
        return None
    return Failure(row.failure_code, json.loads(row.failure_data))


def _clip_of(row: Row[Any], folder: Path) -> Clip | None:
    if row.path is None:
        return None
    return Clip(
        path=folder / row.path,
        poster=folder / row.poster,
        sha256=row.sha256,
        size_bytes=row.size_bytes,
        width=row.width,
        height=row.height,
        frames=row.frames,
        fps=row.fps,
        has_sound=bool(row.has_sound),
    )
