"""Send, edit and delete messages: the one way of this front to a chat.

Each call names its destination in ids, and raises what an answer of the Bot API means
(:func:`bots.telegram.api_errors.call_api`). Jobs go on from there by
:class:`bots.telegram.delivery.TelegramDelivery`, answers by :mod:`bots.telegram.messages`. A test
finds calls that go around this.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from telegram import (
    Bot,
    ForceReply,
    InlineKeyboardMarkup,
    InputFile,
    InputMediaPhoto,
    InputMediaVideo,
    Message,
    ReplyParameters,
)
from telegram.constants import ChatAction, ParseMode

from bots.telegram.api_errors import call_api
from bots.telegram.rendering import CAPTION_LIMIT, clip_text

MEDIA_TIMEOUT_S = 180.0
Keyboard = InlineKeyboardMarkup | ForceReply | None


@dataclass(frozen=True, slots=True)
class ChatTarget:
    """Where a message goes: a chat, a topic in it, and what it answers."""

    chat_id: int
    thread_id: int | None = None
    answers: int = 0  # a message, also if it was deleted; 0 for none

    @property
    def _reply(self) -> ReplyParameters | None:
        if not self.answers:
            return None
        return ReplyParameters(self.answers, allow_sending_without_reply=True)

    def places(self) -> dict[str, object]:
        """Return the fields of a call that send there."""
        where = {"chat_id": self.chat_id, "message_thread_id": self.thread_id}
        return {**where, "reply_parameters": self._reply}


@dataclass(frozen=True, slots=True)
class Photo:
    """A picture to upload."""

    content: bytes  # JPEG
    veiled: bool = False  # hidden until it is tapped


class Outgoing:
    """Calls the Bot API for everything that people see in a chat."""

    def __init__(self, bot: Bot) -> None:
        self._bot = bot

    @property
    def bot_name(self) -> str:
        """Return the name of the bot, for links to it."""
        return self._bot.username

    async def text(
        self, to: ChatTarget, text: str, markup: Keyboard = None, *, quiet: bool = False
    ) -> Message:
        """Send a text in our markup."""
        return await call_api(
            lambda: self._bot.send_message(
                text=clip_text(text),
                parse_mode=ParseMode.HTML,
                reply_markup=markup,
                disable_notification=quiet,
                **to.places(),  # pyright: ignore[reportArgumentType]  # the fields of a target
            )
        )

    async def file(self, to: ChatTarget, path: Path, name: str, caption: str) -> Message:
        """Send a file that keeps every byte."""
        content = await asyncio.to_thread(path.read_bytes)
        return await call_api(
            lambda: self._bot.send_document(
                document=content,
                filename=name,
                caption=clip_text(caption, CAPTION_LIMIT),
                parse_mode=ParseMode.HTML,
                **to.places(),  # pyright: ignore[reportArgumentType]  # the fields of a target
            )
        )

    async def photo(
        self, to: ChatTarget, photo: Photo, caption: str, markup: Keyboard = None
    ) -> Message:
        """Send a picture with a caption in our markup."""
        return await call_api(
            lambda: self._bot.send_photo(
                photo=photo.content,
                caption=clip_text(caption, CAPTION_LIMIT),
                parse_mode=ParseMode.HTML,
                reply_markup=markup,
                has_spoiler=photo.veiled,
                **to.places(),  # pyright: ignore[reportArgumentType]  # the fields of a target
            )
        )

    async def edit_photo(
        self,
        chat_id: int,
        message_id: int,
        photo: Photo,
        caption: str,
        markup: InlineKeyboardMarkup,
    ) -> Message:
        """Replace a message of the bot's, a text or a picture, by a picture."""
        media = InputMediaPhoto(
            photo.content,
            clip_text(caption, CAPTION_LIMIT),
            parse_mode=ParseMode.HTML,
            has_spoiler=photo.veiled,
        )
        edited = await call_api(
            lambda: self._bot.edit_message_media(media, chat_id, message_id, reply_markup=markup)
        )
        assert isinstance(edited, Message)  # noqa: S101  # True comes only for inline messages
        return edited

    async def video(
        self,
        to: ChatTarget,
        file_id: str,
        caption: str,
        markup: InlineKeyboardMarkup,
        *,
        spoiler: bool = False,
    ) -> Message:
        """Send a video that Telegram still has."""
        return await call_api(
            lambda: self._bot.send_video(
                video=file_id,
                caption=clip_text(caption, CAPTION_LIMIT),
                parse_mode=ParseMode.HTML,
                reply_markup=markup,
                has_spoiler=spoiler,
                **to.places(),  # pyright: ignore[reportArgumentType]  # the fields of a target
            )
        )

    async def album(self, to: ChatTarget, media: Sequence[InputMediaVideo]) -> list[Message]:
        """Send videos as one album; a single one, which is none, by itself."""
        if len(media) == 1:
            return [await self._alone(to, media[0])]
        sent = await call_api(
            lambda: self._bot.send_media_group(
                media=media,
                write_timeout=MEDIA_TIMEOUT_S,
                read_timeout=MEDIA_TIMEOUT_S,
                **to.places(),  # pyright: ignore[reportArgumentType]  # the fields of a target
            )
        )
        return list(sent)

    async def _alone(self, to: ChatTarget, video: InputMediaVideo) -> Message:
        return await call_api(
            lambda: self._bot.send_video(
                video=video.media,  # pyright: ignore[reportArgumentType]  # an uploaded file
                caption=video.caption,
                has_spoiler=video.has_spoiler,
                write_timeout=MEDIA_TIMEOUT_S,
                read_timeout=MEDIA_TIMEOUT_S,
                **to.places(),  # pyright: ignore[reportArgumentType]  # the fields of a target
            )
        )

    async def edit_text(
        self, chat_id: int, message_id: int, text: str, markup: InlineKeyboardMarkup | None
    ) -> Message:
        """Replace the text of a message of the bot's."""
        edited = await call_api(
            lambda: self._bot.edit_message_text(
                clip_text(text),
                chat_id,
                message_id,
                parse_mode=ParseMode.HTML,
                reply_markup=markup,
            )
        )
        assert isinstance(edited, Message)  # noqa: S101  # True comes only for inline messages
        return edited

    async def edit_video(
        self,
        chat_id: int,
        message_id: int,
        media: InputMediaVideo,
        parts: Mapping[str, InputFile],
        markup: InlineKeyboardMarkup,
    ) -> Message:
        """Replace a message of the bot's by a video; ``parts`` are uploaded beside it."""
        edited = await call_api(
            lambda: self._bot.edit_message_media(
                media,
                chat_id,
                message_id,
                reply_markup=markup,
                write_timeout=MEDIA_TIMEOUT_S,
                read_timeout=MEDIA_TIMEOUT_S,
                api_kwargs=dict(parts),  # the library itself uploads no covers
            )
        )
        assert isinstance(edited, Message)  # noqa: S101  # True comes only for inline messages
        return edited

    async def delete(self, chat_id: int, message_id: int) -> None:
        """Delete a message of the bot's."""
        await call_api(lambda: self._bot.delete_message(chat_id, message_id))

    async def uploading(self, to: ChatTarget) -> None:
        """Show “sending a video” for five seconds."""
        await call_api(
            lambda: self._bot.send_chat_action(
                to.chat_id, ChatAction.UPLOAD_VIDEO, message_thread_id=to.thread_id
            )
        )
