"""How large a file may be where a clip goes, and what is tried after a refusal."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import discord
import structlog

from bots.discord.address import DiscordAddress
from bots.discord.sender import DiscordFileTooLarge
from core.domain.jobs import Job
from core.domain.media import Clip
from core.service.clips import fitted_clip

log = structlog.get_logger(__name__)

T = TypeVar("T")

STEPS = (
    50_000_000,
    20_000_000,
    10_000_000,
)  # bytes; limits that Discord had at one time or another
STEP_DOWN = 0.5  # of what was refused, below those
HEADROOM = 0.98  # of a limit; multipart framing needs a little


def upload_limit(client: discord.Client, at: DiscordAddress) -> int:
    """Return the bytes to plan for, which every send method accepts at this destination.

    The interaction's limit may come from the person's own subscription; once the bot posts by
    itself only the guild's counts, so plan for the smaller of both.
    """
    guild = client.get_guild(at.guild_id) if at.guild_id else None
    own = at.file_limit or discord.utils.DEFAULT_FILE_SIZE_LIMIT_BYTES
    if not at.token_lives and guild is not None:
        own = min(own, guild.filesize_limit)
    return int(own * HEADROOM)


async def in_some_size(job: Job, clip: Clip, limit: int, send: Callable[[Path], Awaitable[T]]) -> T:
    """Send the clip of ``job``, smaller each time the destination refuses its size.

    Args:
        job: for the log.
        clip: its finished clip.
        limit: the bytes to try first.
        send: posts the file at a path.

    Raises:
        ClipTooLarge: no acceptable size is accepted.
    """
    while True:
        path = await fitted_clip(clip, limit)
        try:
            return await send(path)
        except DiscordFileTooLarge:
            limit = smaller(min(limit, path.stat().st_size))
            log.info("stepping_down", job_id=job.id, limit_bytes=limit)


def smaller(refused: int) -> int:
    """Choose the size in bytes to try after a file of ``refused`` bytes was too large."""
    step = next((step for step in STEPS if step < refused), round(refused * STEP_DOWN))
    return int(max(step, refused * STEP_DOWN) * HEADROOM)
