"""Show clips in channels and groups that have a feed, once, and take them away again."""

import html
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from bots.shared.captions import Telling
from bots.shared.edit_scheduler import retried_later
from bots.shared.post_links import telegram_link
from bots.telegram.address import PLATFORM, TelegramAddress
from bots.telegram.api_errors import (
    NOT_THERE,
    ChatMoved,
    MessageGone,
    MessageUnchanged,
    ignoring_errors,
)
from bots.telegram.file_sizes import in_some_size
from bots.telegram.rendering import feed_keyboard
from bots.telegram.status_messages import DisplayRules, StatusMessages
from core.domain.decoding import whole
from core.domain.feed import FeedPost
from core.domain.jobs import Job
from core.domain.lineage import ShownClip
from core.domain.media import Clip
from core.errors import DeliveryImpossible, DeliveryRetry
from core.interfaces.delivery import DeliveryAttempt, Receipt
from core.service.front_services import FrontServices
from core.service.public_clips import ClipCaption


class TelegramFeed:
    """Implements :class:`core.interfaces.feed_delivery.FeedDelivery`."""

    def __init__(
        self, messages: StatusMessages, rules: DisplayRules, services: FrontServices
    ) -> None:
        """Take what shows messages, the settings, and the service."""
        self._messages = messages
        self._rules = rules
        self._services = services
        self._public = services.users.public

    async def publish(
        self, post: FeedPost, job: Job, clip: Clip, attempt: DeliveryAttempt
    ) -> Receipt:
        """Post a line that becomes the clip; where that is known, it is only edited.

        Raises:
            DeliveryRetry: not now.
            DeliveryImpossible: the bot may not, or somebody deleted the message.
        """
        try:
            with retried_later():
                at = await self._placed(post, job, attempt)
                telling = await self._said(post, job, at)
                await self._show_small_enough(post, job, clip, at, telling)
        except ChatMoved as moved:
            old, new = f"{PLATFORM}:{_address(post).chat_id}", f"{PLATFORM}:{moved.chat_id}"
            await self._services.move_place(old, new)
            target = post.target.moved(old, new)
            there = replace(post, content=replace(post.content, target=target))
            return await self.publish(there, job, clip, replace(attempt, sent_id=None))
        except MessageGone as gone:
            raise DeliveryImpossible("message_gone") from gone
        except NOT_THERE as error:
            raise DeliveryImpossible(f"{type(error).__name__} {error}".strip()) from error
        where = f"{at.chat_id}/{at.message_id}"
        if telling.facts.prompt:
            link = telegram_link(where, post.target.address.get("username", ""))
            await self._public.note(job.id, ShownClip(post.target.place, where, link))
        return Receipt(where)

    async def _placed(self, post: FeedPost, job: Job, attempt: DeliveryAttempt) -> TelegramAddress:
        """Return the message that becomes the clip: the one of an earlier try, or a new one.

        Raises:
            DeliveryRetry: another try has one by now.
        """
        at = _address(post)
        _, _, message = (attempt.sent_id or "").partition("/")
        if message.isdecimal():
            return replace(at, message_id=int(message))
        here = await self._messages.post_placeholder(job, at)
        where = f"{here.chat_id}/{here.message_id}"
        if not await self._services.users.feed.note_message(post.id, where):
            await ignoring_errors(self._messages.remove(here))
            raise DeliveryRetry("posted_elsewhere", sent=True)
        return here

    async def _show_small_enough(
        self, post: FeedPost, job: Job, clip: Clip, at: TelegramAddress, telling: Telling
    ) -> None:
        """Let the message become the clip, smaller each time the server refuses its size.

        Raises:
            ClipTooLarge: the server accepts no size that is worth posting.
        """
        facts = telling.facts
        keyboard = feed_keyboard(
            post.id, job.id, at.locale, told=bool(facts.prompt), remixable=facts.remixable
        )

        async def send(path: Path) -> None:
            with suppress(MessageUnchanged):
                await self._messages.show_clip(job, clip, path, at, telling, keyboard)

        await in_some_size(job, clip, send, local=self._rules.local)

    async def _said(self, post: FeedPost, job: Job, at: TelegramAddress) -> Telling:
        """Choose what the post tells: of whom it is, and the prompt where its maker lets it."""
        facts = ClipCaption()
        if post.content.tells:
            facts = await self._public.caption(job, post.target.place)
        return Telling(facts, html.escape(at.name, quote=False))

    async def remove_post(self, post: FeedPost, attempt: DeliveryAttempt) -> Receipt:
        """Delete the message.

        Raises:
            DeliveryRetry: not now.
            DeliveryImpossible: the bot may not, such as after two days without the right to.
        """
        del attempt
        chat, _, message = (post.sent_id or "").partition("/")
        if not message.isdecimal():
            return Receipt("")
        try:
            with retried_later():
                await self._messages.delete(int(chat), int(message))
        except (MessageGone, ChatMoved):
            return Receipt(post.sent_id or "")
        except NOT_THERE as error:
            raise DeliveryImpossible(f"{type(error).__name__} {error}".strip()) from error
        return Receipt(post.sent_id or "")


def _address(post: FeedPost) -> TelegramAddress:
    """Return where a post goes; nobody asked for it there.

    Raises:
        DeliveryImpossible: another version wrote an address that cannot be read.
    """
    address = post.target.address
    chat_id = whole(address, "chat")
    if not chat_id:
        raise DeliveryImpossible("address_unreadable")
    return TelegramAddress(
        chat_id=chat_id,
        message_id=0,
        asked_id=0,
        user_id=0,
        thread_id=whole(address, "thread") or None,
        locale=post.target.locale or "en",
        spoiler=post.content.spoiler,
        name=post.content.maker_name,
    )
