"""Show clips in channels of feeds, once, and take them away again."""

from pathlib import Path

import discord

from bots.discord.address import PLATFORM, DiscordAddress, is_age_gated
from bots.discord.file_sizes import in_some_size, upload_limit
from bots.discord.rendering import CAPTION_LIMIT, buttons, report_button, texts_for
from bots.discord.sender import (
    FallbackSender,
    OutgoingMessage,
    SendMethodUnavailable,
)
from bots.shared.captions import Telling, alt_text, caption
from bots.shared.edit_scheduler import EditScheduler, retried_later
from bots.shared.post_links import discord_link
from core.domain.decoding import whole
from core.domain.feed import FeedPost
from core.domain.followups import Action
from core.domain.jobs import Job
from core.domain.lineage import ShownClip
from core.domain.media import Clip
from core.errors import DeliveryImpossible
from core.interfaces.delivery import DeliveryAttempt, Receipt
from core.service.public_clips import ClipCaption, PublicClips

ALT_TEXT_LIMIT = 1024


class DiscordFeed:
    """Implements :class:`core.interfaces.feed_delivery.FeedDelivery`."""

    def __init__(
        self,
        client: discord.Client,
        sender: FallbackSender,
        edits: EditScheduler,
        public: PublicClips,
    ) -> None:
        """Take the client, what sends within its budget, and which clips everybody sees."""
        self._client = client
        self._sender = sender
        self._edits = edits
        self._public = public

    async def publish(
        self, post: FeedPost, job: Job, clip: Clip, attempt: DeliveryAttempt
    ) -> Receipt:
        """Post the clip in the channel, small enough for it, and ping nobody.

        Raises:
            DeliveryRetry: not now.
            DeliveryImpossible: the bot may not, or no size is accepted.
        """
        at = _address(post)
        telling = await self._said(post, job, at)

        async def send(path: Path) -> str:
            out = _outgoing(post, job, path, at, telling)
            return await self._once(at, post, out, attempt)

        sent = await in_some_size(job, clip, upload_limit(self._client, at), send)
        if telling.facts.prompt:
            link = discord_link(at.guild_id or 0, sent)
            await self._public.note(job.id, ShownClip(post.target.place, sent, link))
        return Receipt(sent)

    async def _said(self, post: FeedPost, job: Job, at: DiscordAddress) -> Telling:
        """Choose what the post tells: of whom it is, and the prompt where its maker lets it."""
        gated = is_age_gated(self._client.get_channel(at.channel_id))
        facts = await self._public.caption(job, post.target.place, age_gated=gated)
        if not post.content.tells:
            facts = ClipCaption()
        own = post.maker.platform == PLATFORM
        name = texts_for(at.locale).markup.escape(post.content.maker_name)
        return Telling(facts, f"<@{post.maker.user_id}>" if own else name)

    async def _once(
        self, at: DiscordAddress, post: FeedPost, out: OutgoingMessage, attempt: DeliveryAttempt
    ) -> str:
        async def send() -> str:
            return await self._sender.post(at.channel_id, out, attempt)

        try:
            with retried_later():
                return await self._edits.result(at.channel_key, post.id, send)
        except SendMethodUnavailable as closed:
            raise DeliveryImpossible(str(closed)) from closed

    async def remove_post(self, post: FeedPost, attempt: DeliveryAttempt) -> Receipt:
        """Delete the message; one that may have come and is not known is looked for.

        Raises:
            DeliveryRetry: not now.
            DeliveryImpossible: the bot may not.
        """
        at = _address(post)
        _, _, message = (post.sent_id or "").partition("/")
        message_id = int(message) if message.isdecimal() else 0
        try:
            with retried_later():
                await self._sender.take_away(at.channel_id, message_id, attempt)
        except SendMethodUnavailable as closed:
            raise DeliveryImpossible(str(closed)) from closed
        return Receipt(post.sent_id or "")


def _address(post: FeedPost) -> DiscordAddress:
    """Return where a post goes; nobody asked for it there.

    Raises:
        DeliveryImpossible: another version wrote an address that cannot be read.
    """
    address = post.target.address
    channel_id = whole(address, "channel")
    if not channel_id:
        raise DeliveryImpossible("address_unreadable")
    return DiscordAddress(
        channel_id=channel_id,
        message_id=0,
        user_id=0,
        guild_id=whole(address, "guild") or None,
        application_id=0,
        token="",
        token_until=0.0,
        file_limit=0,
        spoiler=post.content.spoiler,
        locale=post.target.locale or "en-US",
    )


def _outgoing(
    post: FeedPost, job: Job, path: Path, at: DiscordAddress, telling: Telling
) -> OutgoingMessage:
    texts = texts_for(at.locale)
    name = f"clapper-{job.mode_word}-{job.id[:8]}.mp4"
    alt = "" if at.spoiler else alt_text(texts, job, telling.facts.prompt, ALT_TEXT_LIMIT)

    def files() -> list[discord.File]:
        return [discord.File(path, name, spoiler=at.spoiler, description=alt)]

    told = [Action.DETAILS] if telling.facts.prompt else []
    told += [Action.REMIX] if telling.facts.remixable else []
    view = buttons(told, job, at.locale)
    view.add_item(report_button(post.id, at.locale))
    return OutgoingMessage(caption(texts, job, telling, CAPTION_LIMIT), view, files)
