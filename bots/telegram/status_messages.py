"""Post and edit the messages of a job: its placeholder, its progress, its clip."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import structlog
from telegram import InlineKeyboardMarkup, InputFile, InputMediaVideo, Message
from telegram.constants import ParseMode

from bots.shared.captions import Telling, caption
from bots.shared.offers import NO_OFFERS, Offers
from bots.shared.thumbnail import thumbnail
from bots.telegram.address import TelegramAddress
from bots.telegram.api_errors import ignoring_errors
from bots.telegram.outgoing import ChatTarget, Outgoing
from bots.telegram.rendering import (
    CAPTION_LIMIT,
    fetch_keyboard,
    job_keyboard,
    texts_for,
)
from core.domain.jobs import Job
from core.domain.media import Clip
from core.service.originals import Originals

log = structlog.get_logger(__name__)

STILLS = ("thumbnail", "cover")  # shown in the chat before the clip plays
ACTION_EVERY_S = 4.5  # a chat action shows for five seconds


@dataclass(frozen=True, slots=True)
class DisplayRules:
    """Settings that change what a job's message shows."""

    local: bool
    retention_days: float
    offers: Offers = NO_OFFERS


class StatusMessages:
    """Posts and edits a job's messages; raises what an answer of the Bot API means."""

    def __init__(self, outgoing: Outgoing, rules: DisplayRules, originals: Originals) -> None:
        """Take the way out, the settings, and what knows where a clip can be seen whole."""
        self._originals = originals
        self._outgoing = outgoing
        self._rules = rules

    async def show_text(
        self, at: TelegramAddress, text: str, keyboard: InlineKeyboardMarkup | None
    ) -> Message:
        """Replace the message by ``text``."""
        return await self._outgoing.edit_text(at.chat_id, at.message_id, text, keyboard)

    async def show_withheld(self, job: Job, at: TelegramAddress) -> Message:
        """Say that the clip cannot be posted here, with a button that leads to it."""
        text = texts_for(at.locale).say("result_kept")
        return await self.show_text(
            at, text, fetch_keyboard(job, self._outgoing.bot_name, at.locale)
        )

    async def show_elsewhere(self, at: TelegramAddress) -> Message:
        """Say that what became of the job is in the private chat."""
        return await self.show_text(at, texts_for(at.locale).say("t_sent_private"), None)

    async def remove(self, at: TelegramAddress) -> None:
        """Delete the message."""
        await self.delete(at.chat_id, at.message_id)

    async def delete(self, chat_id: int, message_id: int) -> None:
        """Delete a message by its ids."""
        await self._outgoing.delete(chat_id, message_id)

    async def show_clip(
        self,
        job: Job,
        clip: Clip,
        path: Path,
        at: TelegramAddress,
        telling: Telling,
        keyboard: InlineKeyboardMarkup | None = None,
    ) -> Message:
        """Replace the message by the clip; repeating it changes nothing.

        Without a ``keyboard`` it has the buttons of the job.
        """
        still = await asyncio.to_thread(thumbnail, clip.poster)
        parts = {name: InputFile(still, f"{name}.jpg", attach=True) for name in STILLS}
        media = InputMediaVideo(
            media=path if self._rules.local else await asyncio.to_thread(path.read_bytes),
            filename=f"clapper-{job.mode_word}-{job.id[:8]}.mp4",
            caption=await self._caption(job, clip, path, at, telling),
            parse_mode=ParseMode.HTML,
            width=clip.width,
            height=clip.height,
            duration=round(clip.seconds),
            supports_streaming=True,
            has_spoiler=at.spoiler,
            thumbnail=parts["thumbnail"].attach_uri,
            cover=parts["cover"].attach_uri,
        )
        keyboard = keyboard or self._keyboard(job, at, telling)
        async with self._uploading(at):
            return await self._outgoing.edit_video(
                at.chat_id, at.message_id, media, parts, keyboard
            )

    def _keyboard(self, job: Job, at: TelegramAddress, telling: Telling) -> InlineKeyboardMarkup:
        remixable = bool(telling.maker) and telling.facts.remixable
        return job_keyboard(
            job,
            at.locale,
            self._rules.offers,
            remixable=remixable,
            publishable=telling.publishable,
        )

    async def repost_clip(
        self, job: Job, file_id: str, at: TelegramAddress, telling: Telling
    ) -> Message:
        """Post a clip that Telegram still has, by its file id; nothing is uploaded."""
        return await self._outgoing.video(
            ChatTarget(at.chat_id, at.thread_id),
            file_id,
            caption(texts_for(at.locale), job, telling, CAPTION_LIMIT),
            self._keyboard(job, at, telling),
            spoiler=at.spoiler,
        )

    async def post_placeholder(self, job: Job, at: TelegramAddress) -> TelegramAddress:
        """Post a short text that will become the clip; returns its address.

        Sending a clip could not be repeated after a lost answer without a second clip; a second
        line of text does no harm.
        """
        text = texts_for(at.locale).say("status_delivering", mode=job.mode_word)
        to = ChatTarget(at.chat_id, at.thread_id, at.asked_id)
        sent = await self._outgoing.text(to, text, quiet=True)
        return replace(at, message_id=sent.message_id)

    async def _caption(
        self, job: Job, clip: Clip, path: Path, at: TelegramAddress, telling: Telling
    ) -> str:
        texts = texts_for(at.locale)
        lines: list[str] = []
        if path != clip.path:
            days = self._rules.retention_days
            lines.append(texts.say("result_fitted", original=clip.size_bytes, days=days))
            if address := await self._originals.address(job):
                lines.append(texts.say("result_link", url=address))
        return caption(texts, job, telling, CAPTION_LIMIT, lines)

    @asynccontextmanager
    async def _uploading(self, at: TelegramAddress) -> AsyncGenerator[None]:
        """Show “sending a video” while the upload runs."""

        async def show() -> None:
            while True:  # only nice to have
                await ignoring_errors(
                    self._outgoing.uploading(ChatTarget(at.chat_id, at.thread_id))
                )
                await asyncio.sleep(ACTION_EVERY_S)

        task = asyncio.create_task(show(), name="upload action")
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
