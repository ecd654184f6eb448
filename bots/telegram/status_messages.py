"""Post and edit the messages of a job: its placeholder, its progress, its clip."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import structlog
from telegram import (
    Bot,
    InlineKeyboardMarkup,
    InputFile,
    InputMediaVideo,
    Message,
    ReplyParameters,
)
from telegram.constants import ChatAction, ParseMode
from telegram.error import TelegramError

from bots.telegram.address import TelegramAddress
from bots.telegram.api_errors import MessageGone, call_api
from bots.telegram.rendering import (
    CAPTION_LIMIT,
    clip_text,
    fetch_keyboard,
    job_keyboard,
    texts_for,
)
from bots.telegram.thumbnail import thumbnail
from core.domain.jobs import Job
from core.domain.limits import RequestLimits
from core.domain.media import Clip

log = structlog.get_logger(__name__)

MEDIA_TIMEOUT_S = 180.0
STILLS = ("thumbnail", "cover")  # shown in the chat before the clip plays
ACTION_EVERY_S = 4.5  # a chat action shows for five seconds


@dataclass(frozen=True, slots=True)
class DisplayRules:
    """Settings that change what a job's message shows."""

    local: bool
    retention_days: float
    studio_url: str
    limits: RequestLimits | None = None  # in force; buttons that they would refuse are not shown


class StatusMessages:
    """Posts and edits a job's messages; raises errors of the Bot API (see :func:`call_api`)."""

    def __init__(self, bot: Bot, rules: DisplayRules) -> None:
        self._bot = bot
        self._rules = rules

    async def show_text(
        self, at: TelegramAddress, text: str, keyboard: InlineKeyboardMarkup
    ) -> Message:
        """Replace the message by ``text``."""
        edited = await self._bot.edit_message_text(
            clip_text(text),
            at.chat_id,
            at.message_id,
            parse_mode=ParseMode.HTML,
            reply_markup=keyboard,
        )
        assert isinstance(edited, Message)  # noqa: S101  # True comes only for inline messages
        return edited

    async def show_withheld(self, job: Job, at: TelegramAddress) -> Message:
        """Say that the clip cannot be posted here, with a button that leads to it."""
        text = texts_for(at.locale).say("result_kept")
        return await self.show_text(at, text, fetch_keyboard(job, self._bot.username, at.locale))

    async def show_clip(self, job: Job, clip: Clip, path: Path, at: TelegramAddress) -> Message:
        """Replace the message by the clip; repeating it changes nothing."""
        still = await asyncio.to_thread(thumbnail, clip.poster)
        parts = {name: InputFile(still, f"{name}.jpg", attach=True) for name in STILLS}
        media = InputMediaVideo(
            media=path if self._rules.local else await asyncio.to_thread(path.read_bytes),
            filename=f"clapper-{job.mode_word}-{job.id[:8]}.mp4",
            caption=self._caption(job, clip, path, at),
            parse_mode=ParseMode.HTML,
            width=clip.width,
            height=clip.height,
            duration=round(clip.seconds),
            supports_streaming=True,
            thumbnail=parts["thumbnail"].attach_uri,
            cover=parts["cover"].attach_uri,
        )
        async with self._uploading(at):
            edited = await self._bot.edit_message_media(
                media,
                at.chat_id,
                at.message_id,
                reply_markup=job_keyboard(job, at.locale, self._rules.limits),
                write_timeout=MEDIA_TIMEOUT_S,
                read_timeout=MEDIA_TIMEOUT_S,
                api_kwargs=parts,  # the library itself uploads no covers
            )
        assert isinstance(edited, Message)  # noqa: S101  # True comes only for inline messages
        return edited

    async def repost_clip(self, job: Job, file_id: str, at: TelegramAddress) -> None:
        """Post a clip that Telegram still has, by its file id; nothing is uploaded."""
        await self._bot.send_video(
            at.chat_id,
            file_id,
            caption=clip_text(texts_for(at.locale).result(job), CAPTION_LIMIT),
            parse_mode=ParseMode.HTML,
            message_thread_id=at.thread_id,
            reply_markup=job_keyboard(job, at.locale, self._rules.limits),
        )

    async def post_placeholder(self, job: Job, at: TelegramAddress) -> TelegramAddress:
        """Post a short text that will become the clip; returns its address.

        Sending a clip could not be repeated after a lost answer without a second clip; a second
        line of text does no harm.
        """
        text = texts_for(at.locale).say("status_delivering", mode=job.mode_word)
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
            sent = await call_api(lambda: send(at.thread_id))
        except MessageGone:  # the topic was deleted
            sent = await call_api(lambda: send(None))
        return replace(at, message_id=sent.message_id)

    def _caption(self, job: Job, clip: Clip, path: Path, at: TelegramAddress) -> str:
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
    async def _uploading(self, at: TelegramAddress) -> AsyncGenerator[None]:
        """Show “sending a video” while the upload runs."""

        async def show() -> None:
            while True:
                try:
                    await self._bot.send_chat_action(
                        at.chat_id, ChatAction.UPLOAD_VIDEO, message_thread_id=at.thread_id
                    )
                except TelegramError as error:  # only nice to have
                    log.debug("action_skipped", reason=type(error).__name__)
                await asyncio.sleep(ACTION_EVERY_S)

        task = asyncio.create_task(show(), name="upload action")
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
