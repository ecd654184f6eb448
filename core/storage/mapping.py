"""Between rows and the records of :mod:`core.storage.records`."""

import json
from collections.abc import Iterable
from dataclasses import fields
from pathlib import Path
from typing import Any

from sqlalchemy import Row, Select, select

from core.domain.decoding import UndecodableError, decode, parse_object
from core.domain.feed import CaseState, FeedPost, FeedTarget, PostContent, PostState
from core.domain.jobs import Failure, JobState
from core.domain.media import Clip
from core.domain.people import Requester
from core.domain.requests import FORMAT, to_json
from core.interfaces.delivery import DeliveryAttempt
from core.storage.records import JobToAdd, QueuePlace, Reservation, StoredClip, StoredJob
from core.storage.tables import artifact, job, ledger

RESERVED = tuple(ledger.c[item.name] for item in fields(Reservation))
_CLIP = tuple(artifact.c[item.name] for item in fields(StoredClip))
_CONVERTED = {"state", "above_limit", "clip"}
_PLAIN = tuple(item.name for item in fields(StoredJob) if item.name not in _CONVERTED)


def job_rows() -> Select[Any]:
    """Build the query whose rows :func:`job_with_clip` reads; narrow it with ``where``."""
    return select(job, *_CLIP).outerjoin(artifact, artifact.c.job_id == job.c.id)


def job_with_clip(row: Row[Any]) -> StoredJob:
    """Convert a row of :func:`job_rows`, clip included."""
    return _stored(row, _clip_of(row))


def job_alone(row: Row[Any]) -> StoredJob:
    """Convert a row with the columns of a job, without the clip."""
    return _stored(row, None)


def job_values(new: JobToAdd, place: QueuePlace) -> dict[str, Any]:
    """Return the columns of a new job."""
    values = {
        "id": new.id,
        "user_key": new.user_key,
        "share_key": new.share_key,
        "place": new.place,
        "idem_key": new.idem_key,
        "request": json.dumps(to_json(new.request)),
        "reply_platform": new.reply_to.platform,
        "reply_address": json.dumps(new.reply_to.address),
        "estimate_ms": new.estimate_ms,
        "spread_ms": new.spread_ms,
        "cost": new.cost,
        "fingerprint": new.fingerprint,
        "pool": new.pool,
        "format": FORMAT,
        "attempt": 0,
        "created_at_ms": new.created_at_ms,
        "state": place.state.value,
        "tag": place.tag,
        "rank": place.rank,
        "above_limit": int(place.above_limit),
        **_lineage_values(new),
    }
    return values if place.seq is None else {**values, "seq": place.seq}


def _lineage_values(new: JobToAdd) -> dict[str, Any]:
    values: dict[str, Any] = {}
    if new.origin is not None:
        values |= {"parent_id": new.origin.parent_id, "parent_action": new.origin.action}
    if new.group is not None:
        names = "group_id", "group_number", "group_size"
        values |= dict(zip(names, (new.group.id, new.group.number, new.group.size), strict=True))
    return values


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
        "prompt_used": clip.prompt_used,
    }


def failure_values(failure: Failure | None) -> dict[str, Any]:
    """Return the columns of ``failure``."""
    if failure is None:
        return {"failure_code": None, "failure_data": None}
    return {"failure_code": failure.code, "failure_data": json.dumps(failure.data)}


def reserved(rows: Iterable[Row[Any]]) -> list[Reservation]:
    """Convert rows with the columns :data:`RESERVED`; one with NULL in them has no reservation."""
    return [
        Reservation(row.limit_name, row.account_key, row.period, row.unit, row.amount)
        for row in rows
        if row.limit_name is not None
    ]


def _stored(row: Row[Any], clip: StoredClip | None) -> StoredJob:
    plain = {name: getattr(row, name) for name in _PLAIN}
    return StoredJob(
        **plain, state=JobState(row.state), above_limit=bool(row.above_limit), clip=clip
    )


def _clip_of(row: Row[Any]) -> StoredClip | None:
    if row.path is None:
        return None
    return StoredClip(
        path=row.path,
        poster=row.poster,
        sha256=row.sha256,
        size_bytes=row.size_bytes,
        width=row.width,
        height=row.height,
        frames=row.frames,
        fps=row.fps,
        has_sound=bool(row.has_sound),
        prompt_used=row.prompt_used,
    )


def attempt_of(row: Row[Any], number: int) -> DeliveryAttempt:
    """Return what a row knows of earlier tries."""
    return DeliveryAttempt(number, bool(row.ambiguous), row.nonce, row.sent_id)


def post_of(row: Row[Any]) -> FeedPost:
    """Convert a row of a post."""
    try:
        content = decode(PostContent, parse_object(row.body))
    except UndecodableError:  # of another version: it can be taken down where that is known
        place = str(row.target_key)
        content = PostContent(FeedTarget(row.dest, place))
    return FeedPost(
        row.id,
        row.job_id,
        Requester.from_key(row.maker_key),
        row.source,
        content,
        PostState(row.state),
        row.created_at_ms,
        row.sent_id,
        row.withdrawn_by,
        CaseState(row.case_state),
    )
