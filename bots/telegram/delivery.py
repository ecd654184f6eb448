"""Deliver results on Telegram: the placeholder becomes the clip, exactly once."""

import asyncio
import html
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from pathlib import Path

import structlog
from telegram import Message

from bots.shared.captions import Telling
from bots.shared.drafts import of_drafts
from bots.shared.edit_scheduler import EditScheduler, retried_later
from bots.shared.post_links import telegram_link
from bots.shared.posted_messages import PostedMessages
from bots.telegram.address import PLATFORM, TelegramAddress, is_veiled
from bots.telegram.api_errors import (
    NOT_THERE,
    ChatMoved,
    MessageUnchanged,
    TelegramFileTooLarge,
    ignoring_errors,
)
from bots.telegram.draft_album import DraftAlbum
from bots.telegram.feed_delivery import TelegramFeed
from bots.telegram.file_sizes import in_some_size
from bots.telegram.rendering import job_keyboard, texts_for
from bots.telegram.status_messages import DisplayRules, StatusMessages
from core.domain.jobs import Failure, Job
from core.domain.lineage import ShownClip
from core.domain.media import Clip
from core.domain.progress import Progress
from core.errors import DeliveryImpossible
from core.interfaces.delivery import DeliveryAttempt, Receipt
from core.service.front_services import FrontServices

log = structlog.get_logger(__name__)

POSTS = "telegram-posts"  # the namespace of where clips were posted, by job
FILE_IDS = "telegram-file"  # the namespace of Telegram's file ids of posted clips, by job

Show = Callable[[TelegramAddress], Awaitable[Message]]


class TelegramDelivery:
    """Implements :class:`core.interfaces.delivery.Delivery` for reply addresses of Telegram."""

    platform = PLATFORM

    def __init__(
        self,
        messages: StatusMessages,
        edits: EditScheduler,
        rules: DisplayRules,
        services: FrontServices,
        album: DraftAlbum,
    ) -> None:
        """Take what shows messages and drafts, their budget, the settings, and the service."""
        self._album = album
        self._posts = PostedMessages(services.state, POSTS)
        self._messages = messages
        self._edits = edits
        self._rules = rules
        self.offers = rules.offers
        self._services = services
        self._public = services.users.public
        self.feed = TelegramFeed(messages, rules, services)

    async def progress(self, job: Job, event: Progress) -> None:
        """Schedule an edit with the newest state of ``job``, within the chat's rate limit."""
        await asyncio.sleep(0)
        at = TelegramAddress.of(job.reply_to)
        if at.silent or not at.message_id:
            return
        text = of_drafts(job, texts_for(at.locale).progress(job, event), at.locale, self.offers)
        keyboard = job_keyboard(job, at.locale, self.offers)
        self._edits.offer(
            at.chat_key,
            str(at.message_id),
            lambda: ignoring_errors(self._messages.show_text(at, text, keyboard)),
        )

    async def completed(self, job: Job, clip: Clip, attempt: DeliveryAttempt) -> Receipt:
        """Replace the placeholder by the clip, or have the clip where the person finds it.

        Raises:
            DeliveryImpossible: it was shown nowhere; its person was told how to fetch it.
            DeliveryRetry: a later attempt may work.
        """
        at = TelegramAddress.of(job.reply_to)
        if at.message_id:  # before anybody can press its buttons
            await self._note_public(job, f"{at.chat_id}/{at.message_id}")
        sent = await self._complete(job, clip, attempt, own=True)
        await self._note(job, sent.sent_id)
        return sent

    async def drafts(self, jobs: Sequence[Job], attempt: DeliveryAttempt) -> Receipt:
        """Send the drafts as an album, and let the placeholder offer to finish each."""

        async def show(at: TelegramAddress) -> Message:
            shown = await self._album.show(jobs, at, await self.telling(jobs[0], at))
            for job in jobs:
                await self._note(job, f"{shown.chat_id}/{shown.message_id}")
            return shown

        return await self._deliver(jobs[0], show, attempt, own=True)

    async def telling(self, job: Job, at: TelegramAddress) -> Telling:
        """Choose what a caption at ``at`` tells: what is veiled keeps its prompt."""
        facts = await self._public.caption(job, at.place)
        if at.spoiler or is_veiled(job):
            facts = replace(facts, prompt="")
        maker = html.escape(at.name, quote=False) if at.is_group else ""
        return Telling(facts, maker, await self._services.users.feed.is_open(at.place, PLATFORM))

    async def _note(self, job: Job, where: str) -> None:
        """Note that a message shows the clip of a job, and where all see it."""
        await self._posts.add(job.id, where)
        await self._note_public(job, where)

    async def _note_public(self, job: Job, where: str) -> None:
        at = job.reply_to
        if at.platform != PLATFORM:
            return
        own = TelegramAddress.of(at)
        if own.is_group and where.startswith(f"{own.chat_id}/"):
            await self._public.note(job.id, ShownClip(own.place, where, telegram_link(where)))

    async def _complete(
        self, job: Job, clip: Clip, attempt: DeliveryAttempt, *, own: bool
    ) -> Receipt:
        try:
            return await self._fit_and_deliver(job, clip, attempt, own=own)
        except DeliveryImpossible as error:
            if own:
                await self._withhold(job, attempt)
            raise error.with_traceback(None) from None

    async def _withhold(self, job: Job, attempt: DeliveryAttempt) -> None:
        """Say, where anything can be said, that the clip can be fetched."""

        async def show(at: TelegramAddress) -> Message:
            return await self._messages.show_withheld(job, at)

        try:
            await self._deliver(job, show, attempt, own=True)
        except DeliveryImpossible as error:
            log.info("nobody_told", job_id=job.id, reason=error.reason)

    async def _fit_and_deliver(
        self, job: Job, clip: Clip, attempt: DeliveryAttempt, *, own: bool
    ) -> Receipt:
        """Post the clip, smaller each time the server refuses its size.

        Raises:
            ClipTooLarge: the server accepts no size that is worth posting.
            DeliveryImpossible: no place takes it.
        """

        async def send(path: Path) -> Receipt:
            async def show(at: TelegramAddress) -> Message:
                telling = await self.telling(job, at)
                return await self._messages.show_clip(job, clip, path, at, telling)

            return await self._deliver(job, show, attempt, own=own)

        return await in_some_size(job, clip, send, local=self._rules.local)

    async def failed(self, job: Job, failure: Failure, attempt: DeliveryAttempt) -> Receipt:
        """Explain why there is no clip, in the message that showed the progress.

        Raises:
            DeliveryImpossible: nobody can be reached.
            DeliveryRetry: a later attempt may work.
        """

        async def show(at: TelegramAddress) -> Message:
            text = texts_for(at.locale).failure(failure)
            return await self._messages.show_text(
                at, text, job_keyboard(job, at.locale, self.offers)
            )

        return await self._deliver(job, show, attempt, own=True)

    async def post(self, job: Job, clip: Clip, at: TelegramAddress) -> None:
        """Post a finished clip in another message; the job's own address stays.

        Raises:
            DeliveryFailed: it cannot be posted there, or not now.
        """
        once = DeliveryAttempt(number=1, ambiguous=False, nonce=job.id)
        elsewhere = replace(job, reply_to=replace(at, message_id=0).to_reply())
        sent = await self._complete(elsewhere, clip, once, own=False)
        await self._note(job, sent.sent_id)

    async def note_copy(self, job: Job, message: Message) -> None:
        """Note a message that shows the clip of a job, so that Delete takes it too."""
        await self._note(job, f"{message.chat_id}/{message.message_id}")

    async def remove_copies(self, job_id: str) -> None:
        """Delete every message that shows the clip of a job."""
        await self._public.withdraw(job_id)
        for chat_id, message_id in await self._posts.take(job_id):
            await ignoring_errors(self._messages.delete(chat_id, message_id))

    async def _deliver(
        self, job: Job, show: Show, attempt: DeliveryAttempt, *, own: bool
    ) -> Receipt:
        """Edit the placeholder; where that is impossible post a new one, in place or in private.

        An edit can be repeated, so a lost answer never posts a second clip. Where the result ends
        up in private, the message in the chat says so.

        Args:
            job: with the address that is begun with.
            show: shows the result in the message of an address.
            attempt: for the log.
            own: the address of the job follows the message.

        Raises:
            DeliveryRetry: a later attempt may work.
            DeliveryImpossible: no place takes it; says why each does not.
        """
        first = TelegramAddress.of(job.reply_to)
        if first.silent:
            return Receipt("silent")
        reasons: list[str] = []
        for at in first.ways():
            sent = await self._attempt(job, at, show, reasons, own=own)
            if sent is None:
                continue
            if at.chat_id == first.user_id != first.chat_id and first.message_id:
                await ignoring_errors(self._messages.show_elsewhere(first))
            return sent
        if own:
            await self._services.redirect(job.id, first.to_reply())
        log.info("no_way_left", job_id=job.id, attempt=attempt.number, reasons=reasons)
        raise DeliveryImpossible("; ".join(reasons))

    async def _attempt(
        self, job: Job, at: TelegramAddress, show: Show, reasons: list[str], *, own: bool
    ) -> Receipt | None:
        """Show the result by one way; None, with the reason, where that is impossible.

        Raises:
            DeliveryRetry: a later attempt may work.
        """
        try:
            with retried_later():
                return await self._by_one_way(job, at, show, own=own)
        except ChatMoved as moved:
            await self._move(at.chat_id, moved.chat_id)
            return await self._attempt(job, at.moved(moved.chat_id), show, reasons, own=own)
        except NOT_THERE as error:
            reasons.append(f"{type(error).__name__} {error}".strip())
            return None

    async def _move(self, old: int, new: int) -> None:
        await self._services.move_place(f"{PLATFORM}:{old}", f"{PLATFORM}:{new}")

    async def _by_one_way(self, job: Job, at: TelegramAddress, show: Show, *, own: bool) -> Receipt:
        """Show the result at one address; a new message that cannot become it is removed.

        Raises:
            TelegramFileTooLarge: a smaller file would go through.
        """
        if at.message_id:
            return await self._show(job, at, show)
        here = await self._messages.post_placeholder(job, at)
        if own:
            await self._services.redirect(job.id, here.to_reply())
        try:
            return await self._show(job, here, show)
        except (*NOT_THERE, TelegramFileTooLarge):
            await ignoring_errors(self._messages.remove(here))
            raise

    async def _show(self, job: Job, at: TelegramAddress, show: Show) -> Receipt:
        where = f"{at.chat_id}/{at.message_id}"

        async def once() -> Receipt:
            try:
                message = await show(at)
            except MessageUnchanged:
                return Receipt(where)
            if message.video is not None:
                await self._services.state.remember(FILE_IDS, job.id, message.video.file_id)
            return Receipt(where)

        return await self._edits.result(at.chat_key, str(at.message_id), once)
