"""Discord's side of the outbox: budgeted progress, clips that fit, failures with a reason."""

import asyncio
from dataclasses import dataclass
from pathlib import Path

import discord
import structlog
from core.media.fit import fit

from bots.discord.ladder import FileTooLarge, Ladder, NextRung, Outgoing
from bots.discord.look import clip_text, job_view, texts_for
from bots.discord.place import PLATFORM, Address
from bots.edits import EditScheduler, Throttled
from core.delivery import Attempt, Receipt
from core.errors import ClapperError, DeliveryImpossible, DeliveryRetry
from core.jobs import Failure, Job
from core.media.kinds import Clip
from core.progress import Progress

log = structlog.get_logger(__name__)

ALT_TEXT_LIMIT = 1024
STEP_DOWN = 0.5  # of the limit that was refused
SMALLEST = 1_000_000  # bytes; below it a clip is not worth looking at
HEADROOM = 0.98  # of a limit; multipart framing takes a little


@dataclass(frozen=True, slots=True)
class DeliveryRules:
    """What the operator set."""

    studio_url: str
    retention_days: float
    fitted_folder: Path


class DiscordDelivery:
    """Implements :class:`core.delivery.Delivery` for reply addresses of Discord."""

    platform = PLATFORM

    def __init__(
        self,
        client: discord.Client,
        edits: EditScheduler,
        rules: DeliveryRules,
    ) -> None:
        self._client = client
        self._ladder = Ladder(client)
        self._edits = edits
        self._rules = rules

    async def progress(self, job: Job, event: Progress) -> None:
        """Offer the newest state of ``job``; it is shown when the channel's budget allows."""
        await asyncio.sleep(0)
        at = Address.of(job.reply_to)
        if not at.message_id or (at.private and not at.token_lives):
            return
        text = texts_for(at.locale).progress(job, event)

        async def edit() -> None:
            await self._show_progress(at, Outgoing(text, job_view(job, at.locale), list))

        self._edits.offer(at.channel_key, str(at.message_id), edit)

    async def _show_progress(self, at: Address, out: Outgoing) -> None:
        way = self._ladder.edit_by_token if at.token_lives else self._ladder.edit_by_bot
        try:
            await self._ladder.guarded(lambda: way(at, out))
        except (DeliveryRetry, NextRung, FileTooLarge) as error:
            log.info("progress_dropped", reason=str(error))

    async def completed(self, job: Job, clip: Clip, attempt: Attempt) -> Receipt:
        """Show the clip where it was asked for, in a size that goes through, exactly once.

        Raises:
            DeliveryImpossible: nobody can be reached, or no size goes through.
            DeliveryRetry: not now.
        """
        await self._client.wait_until_ready()
        at = Address.of(job.reply_to)
        limit = int(self._limit(at) * HEADROOM)
        while limit >= SMALLEST:
            path = await self._fitted(clip, limit)
            try:
                return await self._send(at, self._outgoing(job, clip, path, at), attempt)
            except FileTooLarge:
                limit = int(min(limit, path.stat().st_size) * STEP_DOWN)
                log.info("stepping_down", job_id=job.id, limit_bytes=limit)
        raise DeliveryImpossible("file too large")

    async def failed(self, job: Job, failure: Failure, attempt: Attempt) -> Receipt:
        """Tell why there is no clip, in the message that showed the progress."""
        await self._client.wait_until_ready()
        at = Address.of(job.reply_to)
        text = texts_for(at.locale).failure(failure)
        return await self._send(at, Outgoing(text, job_view(job, at.locale), list), attempt)

    async def _send(self, at: Address, out: Outgoing, attempt: Attempt) -> Receipt:
        async def climb() -> str:
            return await self._ladder.climb(at, out, attempt)

        try:
            return Receipt(await self._edits.result(at.channel_key, str(at.message_id), climb))
        except Throttled as throttled:
            raise DeliveryRetry("throttled", throttled.after_s) from throttled

    def _limit(self, at: Address) -> int:
        """Return the bytes that every way to this place takes.

        The interaction's limit may come from the person's own subscription; once the bot posts by
        itself only the guild's counts, so the smaller of both is planned for.
        """
        guild = self._client.get_guild(at.guild_id) if at.guild_id else None
        own = at.file_limit or discord.utils.DEFAULT_FILE_SIZE_LIMIT_BYTES
        if at.token_lives or guild is None:
            return own
        return min(own, guild.filesize_limit)

    async def _fitted(self, clip: Clip, limit: int) -> Path:
        if not clip.path.exists():
            raise DeliveryImpossible("clip is gone")
        if clip.size_bytes <= limit:
            return clip.path
        try:
            return await fit(clip.path, limit, self._rules.fitted_folder)
        except ClapperError as error:
            raise DeliveryImpossible(error.code) from error

    def _outgoing(self, job: Job, clip: Clip, path: Path, at: Address) -> Outgoing:
        texts = texts_for(at.locale)
        lines = [texts.result(job)]
        if path != clip.path:
            days = self._rules.retention_days
            lines.append(texts.say("result_fitted", original=clip.size_bytes, days=days))
            if self._rules.studio_url:
                url = f"{self._rules.studio_url.rstrip('/')}/?job={job.id}"
                lines.append(texts.say("result_link", url=url))
        name = f"clapper-{job.request.mode}-{job.id[:8]}.mp4"
        alt = texts.alt_text(job, ALT_TEXT_LIMIT)

        def files() -> list[discord.File]:
            return [discord.File(path, name, spoiler=at.spoiler, description=alt)]

        return Outgoing(clip_text("\n".join(lines)), job_view(job, at.locale), files)
