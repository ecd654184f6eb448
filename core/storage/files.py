"""Rows about files: who needs which, and until when. The callers own the transaction.

A file is named by its path below the data directory. Jobs hold their inputs by ``job_media``,
everybody else by ``file_hold``; :func:`held` asks both.
"""

from collections.abc import Iterable

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from core.storage.dialects import upsert
from core.storage.records import FileHold
from core.storage.tables import INTEGER, METADATA, RUNNING, WAITING, artifact, job, job_media

MEDIA = "media/"  # begins the names of admitted files; job_media leaves it out
GOING = "going"  # holds what is being deleted elsewhere, so that nobody counts on it meanwhile

file_hold = sa.Table(
    "file_hold",
    METADATA,
    sa.Column("file", sa.Text, primary_key=True),
    sa.Column("holder", sa.Text, primary_key=True),
    sa.Column("user_key", sa.Text, primary_key=True),
    sa.Column("until_ms", INTEGER, nullable=False),
    sa.Index("file_hold_of", "user_key"),
    sa.Index("file_hold_by", "holder"),
    sa.Index("file_hold_until", "until_ms"),
)


async def hold(
    connection: AsyncConnection, files: Iterable[str], holder: str, user_key: str, until_ms: int
) -> None:
    """Note that ``holder`` needs ``files`` of ``user_key`` until ``until_ms`` (epoch)."""
    whose = {"holder": holder, "user_key": user_key, "until_ms": until_ms}
    await upsert(connection, file_hold, [{"file": file, **whose} for file in files])


async def let_go(
    connection: AsyncConnection,
    *,
    files: Iterable[str] | None = None,
    holder: str | None = None,
    user_key: str | None = None,
) -> list[str]:
    """End the holds that fit everything given, and return their files; nothing given ends none."""
    fits: list[sa.ColumnElement[bool]] = []
    if files is not None:
        fits.append(file_hold.c.file.in_(list(files)))
    if holder is not None:
        fits.append(file_hold.c.holder == holder)
    if user_key is not None:
        fits.append(file_hold.c.user_key == user_key)
    if not fits:
        return []
    ended = sa.delete(file_hold).where(*fits).returning(file_hold.c.file)
    return [row.file for row in await connection.execute(ended)]


async def going(connection: AsyncConnection, files: Iterable[str], now: int) -> bool:
    """Tell whether one of ``files`` is being deleted from where all nodes look."""
    theirs = file_hold.c.file.in_(list(files)), file_hold.c.holder == GOING
    return bool(
        await connection.scalar(sa.select(sa.exists().where(*theirs, file_hold.c.until_ms > now)))
    )


async def expire(connection: AsyncConnection, now: int) -> None:
    """End the holds whose time is over."""
    await connection.execute(sa.delete(file_hold).where(file_hold.c.until_ms <= now))


async def held(connection: AsyncConnection, file: str, now: int) -> bool:
    """Tell whether anybody needs ``file``: a kept job, or a holder whose time is not over."""
    by_hold = sa.exists().where(file_hold.c.file == file, file_hold.c.until_ms > now)
    by_job = sa.exists().where(job_media.c.name == file.removeprefix(MEDIA))
    needed = sa.or_(by_hold, by_job) if file.startswith(MEDIA) else by_hold
    return bool(await connection.scalar(sa.select(needed)))


async def holds_of(connection: AsyncConnection, holder: str, now: int) -> list[FileHold]:
    """Read what ``holder`` needs now."""
    own = (file_hold.c.holder == holder) & (file_hold.c.until_ms > now)
    found = await connection.execute(sa.select(file_hold).where(own))
    return [FileHold(row.file, row.user_key) for row in found]


async def is_input_of_live_job(connection: AsyncConnection, name: str) -> bool:
    """Tell whether a job that waits or runs needs the admitted file ``name``."""
    live = sa.exists().where(
        job_media.c.name == name, job.c.id == job_media.c.job_id, sa.or_(WAITING, RUNNING)
    )
    return bool(await connection.scalar(sa.select(live)))


async def is_clip_of_running_attempt(
    connection: AsyncConnection, job_id: str, attempt: str
) -> bool:
    """Tell whether the attempt whose token begins with ``attempt`` has the job now."""
    token = await connection.scalar(sa.select(job.c.token).where(job.c.id == job_id))
    return isinstance(token, str) and bool(attempt) and token.startswith(attempt)


async def clips_named(connection: AsyncConnection, stems: Iterable[str]) -> set[str]:
    """Return those of ``stems``, file names without their ends, that are clips of kept jobs."""
    paths = [f"{stem}.mp4" for stem in stems]
    query = sa.select(artifact.c.path).where(artifact.c.path.in_(paths))
    return {path.removesuffix(".mp4") for path in await connection.scalars(query)}


async def has_clip(connection: AsyncConnection, job_id: str, path: str) -> bool:
    """Tell whether a job ended with the clip of this name."""
    same = sa.exists().where(artifact.c.job_id == job_id, artifact.c.path == path)
    return bool(await connection.scalar(sa.select(same)))
