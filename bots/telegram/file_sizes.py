"""How large a file may be that a bot sends, and what is tried after a refusal."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import structlog

from bots.telegram.api_errors import TelegramFileTooLarge
from core.domain.jobs import Job
from core.domain.media import Clip
from core.errors import ClipTooLarge
from core.service.clips import fitted_clip

log = structlog.get_logger(__name__)

T = TypeVar("T")

CLOUD_LIMIT = 50_000_000  # bytes; decimal, source: Bot API "Sending files"
LOCAL_LIMIT = 2_000_000_000  # of a server of one's own
HEADROOM = 0.98  # of a limit; multipart framing takes a little
SHRINK_FACTOR = 0.5  # of the size that was refused
MIN_BYTES = 1_000_000  # bytes; below it a clip is not worth looking at


def upload_limit(*, local: bool) -> int:
    """Return the bytes to plan for; ``local``: the server is the operator's own."""
    return int((LOCAL_LIMIT if local else CLOUD_LIMIT) * HEADROOM)


async def in_some_size(
    job: Job, clip: Clip, send: Callable[[Path], Awaitable[T]], *, local: bool
) -> T:
    """Send the clip of ``job``, smaller each time the server refuses its size.

    Args:
        job: for the log.
        clip: its finished clip.
        send: posts the file at a path.
        local: the server is the operator's own.

    Raises:
        ClipTooLarge: the server accepts no size that is worth posting.
    """
    limit = upload_limit(local=local)
    while limit >= MIN_BYTES:
        path = await fitted_clip(clip, limit)  # beside the clip, so it goes with it
        try:
            return await send(path)
        except TelegramFileTooLarge:
            limit = int(path.stat().st_size * SHRINK_FACTOR)
            log.info("stepping_down", job_id=job.id, limit_bytes=limit)
    raise ClipTooLarge("too_large", clip.size_bytes, limit)
