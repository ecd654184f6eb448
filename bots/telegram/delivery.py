"""Telegram's side of the outbox: the placeholder becomes the clip, exactly once."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import structlog
from telegram import Bot, InlineKeyboardMarkup, InputMediaVideo, Message, ReplyParameters
from telegram.constants import ChatAction, ParseMode

from bots.edits import EditScheduler, Throttled
from bots.telegram.ladder import FileTooLarge, MessageGone, Moved, Unchanged, guarded
from bots.telegram.look import CAPTION_LIMIT, clip_text, job_keyboard, texts_for
from bots.telegram.place import PLATFORM, Address
from bots.telegram.thumb import thumbnail
from core.delivery import Attempt, Receipt
from core.errors import DeliveryFailed, DeliveryImpossible, DeliveryRetry
from core.jobs import Failure, Job, ReplyTo
from core.media.fit import fit
from core.media.kinds import Clip
from core.progress import Progress

log = structlog.get_logger(__name__)

CLOUD_LIMIT = 50_000_000  # bytes; decimal, source: Bot API "Sending files"
LOCAL_LIMIT = 2_000_000_000
HEADROOM = 0.98
STEP_DOWN = 0.5
SMALLEST = 1_000_000  # bytes; below it a clip is not worth looking at
MEDIA_TIMEOUT_S = 180.0
ACTION_EVERY_S = 4.5  # a chat action shows for five seconds
GROUP_MOVES = 2  # a group moves once; more is a loop


@dataclass(frozen=True, slots=True)
class DeliveryRules:
    """What the operator set."""

    local: bool
    fitted_folder: Path
    retention_days: float
    studio_url: str


class TelegramDelivery:
    """Implements :class:`core.delivery.Delivery` for reply addresses of Telegram."""

    platform = PLATFORM

    def __init__(
        self,
        bot: Bot,
        edits: EditScheduler,
        rules: DeliveryRules,
        move: Callable[[str, ReplyTo], Awaitable[None]],
        keep_file_id: Callable[[str, str], Awaitable[None]],
    ) -> None:
        """Take how a job's address is replaced, and how a clip's file id is kept."""
        self._bot = bot
        self._edits = edits
        self._rules = rules
        self._move = move
        self._keep_file_id = keep_file_id

    async def progress(self, job: Job, event: Progress) -> None:
        """Offer the newest state of ``job``; it is shown when the chat's budget allows."""
        await asyncio.sleep(0)
        at = Address.of(job.reply_to)
        if at.silent or not at.message_id:
            return
        text = texts_for(at.locale).progress(job, event)

        async def edit() -> None:
            try:
                await guarded(lambda: self._edit_text(at, text, job_keyboard(job, at.locale)))
            except (DeliveryFailed, MessageGone, Moved, Unchanged) as error:
                log.info("progress_dropped", reason=type(error).__name__)

        self._edits.offer(at.chat_key, str(at.message_id), edit)

    async def completed(self, job: Job, clip: Clip, attempt: Attempt) -> Receipt:
        """Turn the placeholder into the clip.

        Raises:
            DeliveryImpossible: nobody can be reached, or no size goes through.
            DeliveryRetry: not now.
        """
        if not clip.path.exists():
            raise DeliveryImpossible("clip is gone")
        limit = int((LOCAL_LIMIT if self._rules.local else CLOUD_LIMIT) * HEADROOM)
        while limit >= SMALLEST:
            path = clip.path
            if clip.size_bytes > limit:
                path = await fit(clip.path, limit, self._rules.fitted_folder)

            async def show(at: Address, path: Path = path) -> Message:
                return await self._show_clip(job, clip, path, at)

            try:
                return await self._deliver(job, show, attempt)
            except FileTooLarge:
                limit = int(min(limit, path.stat().st_size) * STEP_DOWN)
                log.info("stepping_down", job_id=job.id, limit_bytes=limit)
        raise DeliveryImpossible("file too large")

    async def failed(self, job: Job, failure: Failure, attempt: Attempt) -> Receipt:
        """Tell why there is no clip, in the message that showed the progress.

        Raises:
            DeliveryImpossible: nobody can be reached.
            DeliveryRetry: not now.
        """

        async def show(at: Address) -> Message:
            text = texts_for(at.locale).failure(failure)
            return await self._edit_text(at, text, job_keyboard(job, at.locale))

        return await self._deliver(job, show, attempt)

    async def resend(self, job: Job, file_id: str, at: Address) -> None:
        """Post a clip again that Telegram still has; nothing is uploaded."""
        texts = texts_for(at.locale)
        await guarded(
            lambda: self._bot.send_video(
                at.chat_id,
                file_id,
                caption=clip_text(texts.result(job), CAPTION_LIMIT),
                parse_mode=ParseMode.HTML,
                message_thread_id=at.thread_id,
                reply_markup=job_keyboard(job, at.locale),
            )
        )

    async def _deliver(
        self, job: Job, show: Callable[[Address], Awaitable[Message]], attempt: Attempt
    ) -> Receipt:
        at = Address.of(job.reply_to)
        if at.silent:
            return Receipt("silent")
        for _ in range(GROUP_MOVES + 1):
            try:
                return await self._edits.result(
                    at.chat_key, str(at.message_id), lambda at=at: self._once(job, at, show)
                )
            except Throttled as throttled:
                raise DeliveryRetry("throttled", throttled.after_s) from throttled
            except Moved as moved:
                at = at.moved(moved.chat_id)
                await self._move(job.id, at.to_reply())
            except MessageGone:
                at = await self._new_placeholder(job, at)
        log.warning("placeholder_lost", job_id=job.id, attempt=attempt.number)
        raise DeliveryRetry("placeholder lost")

    async def _once(
        self, job: Job, at: Address, show: Callable[[Address], Awaitable[Message]]
    ) -> Receipt:
        """Edit the placeholder.

        An edit can be repeated, so a lost answer never makes a second clip.

        Raises:
            MessageGone: there is no placeholder.
        """
        if not at.message_id:
            raise MessageGone
        try:
            message = await guarded(lambda: show(at))
        except Unchanged:
            return Receipt(f"{at.chat_id}/{at.message_id}")
        if message.video is not None:
            await self._keep_file_id(job.id, message.video.file_id)
        return Receipt(f"{at.chat_id}/{message.message_id}")

    async def post(self, job: Job, clip: Clip, at: Address) -> None:
        """Post a finished clip once more, from disk; the job's own address stays."""
        here = await self._placeholder(job, at)
        once = Attempt(number=1, ambiguous=False, nonce=job.id)
        await self.completed(replace(job, reply_to=here.to_reply()), clip, once)

    async def _new_placeholder(self, job: Job, at: Address) -> Address:
        """Post a short text that will become the clip, and store where it is.

        Sending a clip outright could not be repeated after a lost answer; a doubled line of text
        does no harm.
        """
        here = await self._placeholder(job, at)
        await self._move(job.id, here.to_reply())
        return here

    async def _placeholder(self, job: Job, at: Address) -> Address:
        text = texts_for(at.locale).say("status_delivering", mode=job.request.mode)
        reply = None
        if at.asked_id:
            reply = ReplyParameters(at.asked_id, allow_sending_without_reply=True)

        async def send(thread: int | None) -> Message:
            return await self._bot.send_message(
                at.chat_id,
                text,
                parse_mode=ParseMode.HTML,
                message_thread_id=thread,
                reply_parameters=reply,
                disable_notification=True,
            )

        try:
            sent = await guarded(lambda: send(at.thread_id))
        except MessageGone:  # the topic was deleted
            sent = await guarded(lambda: send(None))
        return replace(at, message_id=sent.message_id)

    async def _edit_text(self, at: Address, text: str, keyboard: InlineKeyboardMarkup) -> Message:
        edited = await self._bot.edit_message_text(
            clip_text(text),
            at.chat_id,
            at.message_id,
            parse_mode=ParseMode.HTML,
            reply_markup=keyboard,
        )
        assert isinstance(edited, Message)  # noqa: S101  # True comes only for inline messages
        return edited

    async def _show_clip(self, job: Job, clip: Clip, path: Path, at: Address) -> Message:
        still = await asyncio.to_thread(thumbnail, clip.poster)
        media = InputMediaVideo(
            media=path if self._rules.local else await asyncio.to_thread(path.read_bytes),
            filename=f"clapper-{job.request.mode}-{job.id[:8]}.mp4",
            caption=self._caption(job, clip, path, at),
            parse_mode=ParseMode.HTML,
            width=clip.width,
            height=clip.height,
            duration=round(clip.seconds),
            supports_streaming=True,
            thumbnail=still,
            cover=still,
        )
        async with self._uploading(at):
            edited = await self._bot.edit_message_media(
                media,
                at.chat_id,
                at.message_id,
                reply_markup=job_keyboard(job, at.locale),
                write_timeout=MEDIA_TIMEOUT_S,
                read_timeout=MEDIA_TIMEOUT_S,
            )
        assert isinstance(edited, Message)  # noqa: S101  # True comes only for inline messages
        return edited

    def _caption(self, job: Job, clip: Clip, path: Path, at: Address) -> str:
        texts = texts_for(at.locale)
        lines = [texts.result(job)]
        if path != clip.path:
            days = self._rules.retention_days
            lines.append(texts.say("result_fitted", original=clip.size_bytes, days=days))
            if self._rules.studio_url:
                url = f"{self._rules.studio_url.rstrip('/')}/?job={job.id}"
                lines.append(texts.say("result_link", url=url))
        return clip_text("\n".join(lines), CAPTION_LIMIT)

    @asynccontextmanager
    async def _uploading(self, at: Address) -> AsyncGenerator[None]:
        """Show “sending a video” while the upload runs."""

        async def show() -> None:
            while True:
                await _quietly(
                    lambda: self._bot.send_chat_action(
                        at.chat_id, ChatAction.UPLOAD_VIDEO, message_thread_id=at.thread_id
                    )
                )
                await asyncio.sleep(ACTION_EVERY_S)

        task = asyncio.create_task(show(), name="upload action")
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def _quietly(call: Callable[[], Awaitable[Any]]) -> None:
    """Do what is only nice to have."""
    try:
        await guarded(call)
    except (DeliveryFailed, MessageGone, Moved, Unchanged, Throttled, FileTooLarge) as error:
        log.debug("nicety_skipped", reason=type(error).__name__)
