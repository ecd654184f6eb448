"""Deliver to Discord: progress within a budget, clips within the size limit, failures."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import discord
import structlog

from bots.discord.address import PLATFORM, DiscordAddress, is_age_gated
from bots.discord.draft_message import drafts_message
from bots.discord.feed_delivery import DiscordFeed
from bots.discord.file_sizes import in_some_size, smaller, upload_limit
from bots.discord.rendering import CAPTION_LIMIT, buttons, clip_text, job_view, texts_for
from bots.discord.sender import (
    DiscordFileTooLarge,
    FallbackSender,
    OutgoingMessage,
    SendMethodUnavailable,
)
from bots.shared.captions import Telling, alt_text, caption
from bots.shared.drafts import of_drafts
from bots.shared.edit_scheduler import EditScheduler, retried_later
from bots.shared.offers import NO_OFFERS, Offers
from bots.shared.post_links import discord_link
from bots.shared.posted_messages import PostedMessages
from core.domain.followups import Action
from core.domain.jobs import Failure, Job
from core.domain.lineage import ShownClip
from core.domain.media import Clip
from core.domain.progress import Progress
from core.errors import DeliveryImpossible, DeliveryRetry
from core.i18n.messages import say
from core.interfaces.delivery import DeliveryAttempt, Receipt
from core.runtime.tasks import outcome_of
from core.service.clips import fitted_clip
from core.service.user_api import UserApi

log = structlog.get_logger(__name__)

ALT_TEXT_LIMIT = 1024
KEPT = [Action.FETCH, Action.DETAILS, Action.DELETE]  # under the notice that a clip can be fetched


@dataclass(frozen=True, slots=True)
class DiscordDeliveryRules:
    """The operator's settings that a delivery mentions."""

    retention_days: float
    offers: Offers = NO_OFFERS


class DiscordDelivery:
    """Implements :class:`core.interfaces.delivery.Delivery` for reply addresses of Discord."""

    platform = PLATFORM

    def __init__(
        self,
        client: discord.Client,
        edits: EditScheduler,
        rules: DiscordDeliveryRules,
        posts: PostedMessages,
        users: UserApi,
    ) -> None:
        """Take the client, its budget of edits, what is said, and where clips were posted.

        ``users`` knows which of them everybody sees, where a clip is whole, and the feeds.
        """
        self._public = users.public
        self._originals = users.originals
        self._feed = users.feed
        self._posts = posts
        self._client = client
        self._sender = FallbackSender(client)
        self._edits = edits
        self._rules = rules
        self.offers = rules.offers
        self.feed = DiscordFeed(client, self._sender, edits, users.public)

    async def progress(self, job: Job, event: Progress) -> None:
        """Offer the newest state of ``job``; it is shown when the channel's budget allows."""
        await asyncio.sleep(0)
        at = DiscordAddress.of(job.reply_to)
        if not at.message_id or (at.private and not at.token_lives):
            return
        text = of_drafts(job, texts_for(at.locale).progress(job, event), at.locale, self.offers)
        self._edits.offer(at.channel_key, str(at.message_id), lambda: self._show(job, at, text))

    async def accepted(self, job: Job, at: DiscordAddress, text: str) -> None:
        """Show the first state of ``job``, unless its result is already being sent."""
        await self._edits.first(
            at.channel_key, str(at.message_id), lambda: self._show(job, at, text)
        )

    async def _show(self, job: Job, at: DiscordAddress, text: str) -> None:
        """Edit the status; drop what cannot be shown.

        Raises:
            Throttled: too fast for this channel.
        """
        out = OutgoingMessage(clip_text(text), job_view(job, at.locale, self.offers))
        try:
            await self._sender.edit_status(at, out)
        except (DeliveryRetry, SendMethodUnavailable, DiscordFileTooLarge) as error:
            log.info("progress_dropped", reason=str(error))

    async def completed(self, job: Job, clip: Clip, attempt: DeliveryAttempt) -> Receipt:
        """Post the clip where it was asked for, exactly once, small enough for the destination.

        Where that is impossible, tell the person that it can be fetched, if they can be reached.

        Raises:
            DeliveryImpossible: nobody can be reached, or no size is accepted.
            DeliveryRetry: not now.
        """
        at = DiscordAddress.of(job.reply_to)
        return await self.post(job, clip, attempt, public=at.is_public)

    async def post(
        self, job: Job, clip: Clip, attempt: DeliveryAttempt, *, public: bool
    ) -> Receipt:
        """Post the clip at the address of ``job``.

        Args:
            job: with the address to post to.
            clip: its clip.
            attempt: what is known of earlier tries.
            public: all who read there may learn what it was made with; not so of a clip that was
                made for one person and is shared later.

        Raises:
            DeliveryImpossible: nobody can be reached, or no size is accepted.
            DeliveryRetry: not now.
        """
        at = DiscordAddress.of(job.reply_to)
        telling = await self._telling(job, at, public=public)
        if public and at.message_id:  # before anybody can press its buttons
            await self._note_public(job, at, f"{at.channel_id}/{at.message_id}")
        try:
            sent = await self._in_some_size(job, clip, attempt, telling)
        except DeliveryImpossible:
            lines = [texts_for(at.locale).say("result_kept"), *await self._original(job, at)]
            kept = OutgoingMessage("\n".join(lines), buttons(KEPT, job, at.locale), list)
            told = await outcome_of(self._send(at, kept, replace(attempt, ambiguous=False)))
            log.info("clip_kept", job_id=job.id, told=told.ok)
            raise
        if public:
            await self._note_public(job, at, sent.sent_id)
        return sent

    async def _note_public(self, job: Job, at: DiscordAddress, post: str) -> None:
        """Note which message shows all the clip of ``job``; in private there is none."""
        if post.startswith(f"{at.channel_id}/"):
            link = discord_link(at.guild_id or 0, post)
            await self._public.note(job.id, ShownClip(at.place, post, link))

    async def _telling(self, job: Job, at: DiscordAddress, *, public: bool) -> Telling:
        """Choose what the caption tells: of what is hidden, and of what was private, nothing."""
        publishable = await self._feed.is_open(at.place, PLATFORM)
        if at.private or (at.guild_id and not public):
            return Telling(publishable=publishable)
        channel = self._client.get_channel(at.channel_id)
        facts = await self._public.caption(job, at.place, age_gated=is_age_gated(channel))
        if at.spoiler:  # or it tells the secret
            facts = replace(facts, prompt="")
        return Telling(facts, f"<@{at.user_id}>" if public else "", publishable)

    async def _in_some_size(
        self, job: Job, clip: Clip, attempt: DeliveryAttempt, telling: Telling
    ) -> Receipt:
        """Send the clip, smaller each time the destination refuses its size.

        Raises:
            ClipTooLarge: no acceptable size is accepted.
        """
        at = DiscordAddress.of(job.reply_to)

        async def send(path: Path) -> Receipt:
            out = await self._outgoing(job, clip, path, at, telling)
            return await self._send(at, out, attempt)

        sent = await in_some_size(job, clip, upload_limit(self._client, at), send)
        await self._posts.add(job.id, sent.sent_id)
        return sent

    async def drafts(self, jobs: Sequence[Job], attempt: DeliveryAttempt) -> Receipt:
        """Post all drafts in one message, in place of the one that showed their progress.

        Raises:
            DeliveryImpossible: nobody can be reached, or no size is accepted.
            DeliveryRetry: not now.
        """
        at = DiscordAddress.of(jobs[0].reply_to)
        telling = await self._telling(jobs[0], at, public=at.is_public)
        limit = upload_limit(self._client, at) // len(jobs)  # of a message, at worst
        while True:
            paths = {job.id: await fitted_clip(job.clip, limit) for job in jobs if job.clip}
            out = drafts_message(jobs, paths, at, telling, self.offers)
            try:
                sent = await self._send(at, out, attempt)
            except DiscordFileTooLarge:
                largest = max(path.stat().st_size for path in paths.values())
                limit = smaller(min(limit, largest))
            else:
                for job in jobs:
                    await self._posts.add(job.id, sent.sent_id)
                    if at.is_public:
                        await self._note_public(job, at, sent.sent_id)
                return sent

    async def failed(self, job: Job, failure: Failure, attempt: DeliveryAttempt) -> Receipt:
        """Explain why there is no clip, in the message that showed the progress.

        Raises:
            DeliveryImpossible: nobody can be reached.
            DeliveryRetry: not now.
        """
        at = DiscordAddress.of(job.reply_to)
        text = clip_text(texts_for(at.locale).failure(failure))
        return await self._send(
            at, OutgoingMessage(text, job_view(job, at.locale, self.offers), list), attempt
        )

    async def remove_copies(self, job_id: str) -> None:
        """Delete every message that shows the clip of a job and that the bot can reach."""
        await self._public.withdraw(job_id)
        for channel_id, message_id in await self._posts.take(job_id):
            await self._sender.remove(channel_id, message_id)

    async def _send(
        self, at: DiscordAddress, out: OutgoingMessage, attempt: DeliveryAttempt
    ) -> Receipt:
        async def send() -> str:
            return await self._sender.send(at, out, attempt)

        with retried_later():
            return Receipt(await self._edits.result(at.channel_key, str(at.message_id), send))

    async def _outgoing(
        self, job: Job, clip: Clip, path: Path, at: DiscordAddress, telling: Telling
    ) -> OutgoingMessage:
        texts = texts_for(at.locale)
        lines: list[str] = []
        if path != clip.path:
            days = self._rules.retention_days
            lines.append(texts.say("result_fitted", original=clip.size_bytes, days=days))
            lines += await self._original(job, at)
        name = f"clapper-{job.mode_word}-{job.id[:8]}.mp4"
        prompt = telling.facts.prompt
        alt = "" if at.spoiler else alt_text(texts, job, prompt, ALT_TEXT_LIMIT)

        def files() -> list[discord.File]:
            return [discord.File(path, name, spoiler=at.spoiler, description=alt)]

        hidden = at.private and at.guild_id is not None
        remixable = bool(telling.maker) and telling.facts.remixable
        open_to = {"hidden": hidden, "remixable": remixable, "publishable": telling.publishable}
        view = job_view(job, at.locale, self.offers, **open_to)
        return OutgoingMessage(caption(texts, job, telling, CAPTION_LIMIT, lines), view, files)

    async def _original(self, job: Job, at: DiscordAddress) -> list[str]:
        address = await self._originals.address(job)
        # in brackets nobody fetches it to show it a second time
        return [say("result_link", {"url": f"<{address}>"}, at.locale)] if address else []
