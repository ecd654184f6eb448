"""Deliver results on Telegram: the placeholder becomes the clip, exactly once."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import structlog
from telegram import Message

from bots.shared.edit_scheduler import EditScheduler, Throttled
from bots.telegram.address import PLATFORM, TelegramAddress
from bots.telegram.api_errors import (
    ChatMoved,
    MessageGone,
    MessageUnchanged,
    PostingForbidden,
    TelegramFileTooLarge,
    call_api,
)
from bots.telegram.rendering import job_keyboard, texts_for
from bots.telegram.status_messages import DisplayRules, StatusMessages
from core.domain.jobs import Failure, Job
from core.domain.media import Clip
from core.domain.progress import Progress
from core.errors import ClipTooLarge, DeliveryFailed, DeliveryImpossible, DeliveryRetry
from core.interfaces.delivery import DeliveryAttempt, Receipt
from core.service.clips import fitted_clip
from core.service.front_services import FrontServices

log = structlog.get_logger(__name__)

CLOUD_LIMIT = 50_000_000  # bytes; decimal, source: Bot API "Sending files"
LOCAL_LIMIT = 2_000_000_000
HEADROOM = 0.98  # of a limit; multipart framing takes a little
SHRINK_FACTOR = 0.5  # of the size that was refused
MIN_BYTES = 1_000_000  # bytes; below it a clip is not worth looking at
MAX_PLACEHOLDERS = 5  # a group moves once, a message is deleted once; more is a loop
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
    ) -> None:
        self._messages = messages
        self._edits = edits
        self._rules = rules
        self._services = services

    async def progress(self, job: Job, event: Progress) -> None:
        """Schedule an edit with the newest state of ``job``, within the chat's rate limit."""
        await asyncio.sleep(0)
        at = TelegramAddress.of(job.reply_to)
        if at.silent or not at.message_id:
            return
        text = texts_for(at.locale).progress(job, event)

        async def edit() -> None:
            try:
                await call_api(
                    lambda: self._messages.show_text(
                        at, text, job_keyboard(job, at.locale, self._rules.limits)
                    )
                )
            except (
                DeliveryFailed,
                MessageGone,
                ChatMoved,
                MessageUnchanged,
                PostingForbidden,
            ) as error:
                log.info("progress_dropped", reason=type(error).__name__)

        self._edits.offer(at.chat_key, str(at.message_id), edit)

    async def completed(self, job: Job, clip: Clip, attempt: DeliveryAttempt) -> Receipt:
        """Replace the placeholder by the clip.

        Raises:
            DeliveryImpossible: nobody can be reached, or no size is accepted.
            DeliveryRetry: a later attempt may work.
        """
        try:
            return await self._fit_and_deliver(job, clip, attempt)
        except PostingForbidden:
            reason = "not allowed"
        except ClipTooLarge as error:
            reason = error.code

        async def show(at: TelegramAddress) -> Message:
            return await self._messages.show_withheld(job, at)

        await self._deliver(job, show, attempt)
        raise DeliveryImpossible(reason)

    async def _fit_and_deliver(self, job: Job, clip: Clip, attempt: DeliveryAttempt) -> Receipt:
        """Post the clip, smaller each time the server refuses its size.

        Raises:
            ClipTooLarge: the server accepts no size that is worth posting.
            PostingForbidden: the bot may not post videos in the chat.
        """
        limit = int((LOCAL_LIMIT if self._rules.local else CLOUD_LIMIT) * HEADROOM)
        while limit >= MIN_BYTES:
            path = await fitted_clip(clip, limit)  # beside the clip, so it goes with it

            async def show(at: TelegramAddress, path: Path = path) -> Message:
                return await self._messages.show_clip(job, clip, path, at)

            try:
                return await self._deliver(job, show, attempt)
            except TelegramFileTooLarge:
                limit = int(path.stat().st_size * SHRINK_FACTOR)
                log.info("stepping_down", job_id=job.id, limit_bytes=limit)
        raise ClipTooLarge("too_large", clip.size_bytes, limit)

    async def failed(self, job: Job, failure: Failure, attempt: DeliveryAttempt) -> Receipt:
        """Explain why there is no clip, in the message that showed the progress.

        Raises:
            DeliveryImpossible: nobody can be reached.
            DeliveryRetry: a later attempt may work.
        """

        async def show(at: TelegramAddress) -> Message:
            text = texts_for(at.locale).failure(failure)
            return await self._messages.show_text(
                at, text, job_keyboard(job, at.locale, self._rules.limits)
            )

        try:
            return await self._deliver(job, show, attempt)
        except PostingForbidden:
            raise DeliveryImpossible("not allowed") from None

    async def post(self, job: Job, clip: Clip, at: TelegramAddress) -> None:
        """Post a finished clip in another message; the job's own address stays.

        Raises:
            DeliveryFailed: it cannot be posted there, or not now.
        """
        here = await self._messages.post_placeholder(job, at)
        once = DeliveryAttempt(number=1, ambiguous=False, nonce=job.id)
        await self.completed(replace(job, reply_to=here.to_reply()), clip, once)

    async def _deliver(self, job: Job, show: Show, attempt: DeliveryAttempt) -> Receipt:
        """Edit the placeholder, or a new one where it was deleted or the group moved.

        An edit can be repeated, so a lost answer never posts a second clip.

        Raises:
            DeliveryRetry: a later attempt may work.
        """
        at = TelegramAddress.of(job.reply_to)
        if at.silent:
            return Receipt("silent")
        for _ in range(MAX_PLACEHOLDERS):
            try:
                return await self._edits.result(
                    at.chat_key, str(at.message_id), lambda at=at: self._show_once(job, at, show)
                )
            except Throttled as throttled:
                raise DeliveryRetry("throttled", throttled.after_s) from throttled
            except ChatMoved as moved:
                await self._services.move_place(
                    f"{PLATFORM}:{at.chat_id}", f"{PLATFORM}:{moved.chat_id}"
                )
                at = at.moved(moved.chat_id)
            except MessageGone:
                at = await self._new_placeholder(job, replace(at, message_id=0))
        log.warning("placeholder_lost", job_id=job.id, attempt=attempt.number)
        raise DeliveryRetry("placeholder lost")

    async def _show_once(self, job: Job, at: TelegramAddress, show: Show) -> Receipt:
        if not at.message_id:
            raise MessageGone
        try:
            message = await call_api(lambda: show(at))
        except MessageUnchanged:
            return Receipt(f"{at.chat_id}/{at.message_id}")
        if message.video is not None:
            await self._services.state.remember(FILE_IDS, job.id, message.video.file_id)
        return Receipt(f"{at.chat_id}/{message.message_id}")

    async def _new_placeholder(self, job: Job, at: TelegramAddress) -> TelegramAddress:
        """Post a new placeholder and store its address; a moved chat is only returned.

        Raises:
            DeliveryImpossible: the topic was deleted.
            DeliveryRetry: a later attempt may work.
        """
        try:
            here = await self._messages.post_placeholder(job, at)
        except ChatMoved as moved:
            return at.moved(moved.chat_id)
        except Throttled as throttled:
            raise DeliveryRetry("throttled", throttled.after_s) from throttled
        except MessageGone:
            raise DeliveryImpossible("topic gone") from None
        await self._services.redirect(job.id, here.to_reply())
        return here
