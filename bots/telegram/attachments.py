"""Find the file in a message, check its size before the download, fetch and admit it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import structlog
from telegram import Bot, ExternalReplyInfo, Message
from telegram.error import TelegramError

from core.domain.file_types import ACCEPTED, FILM, MOVING_PICTURE, likely_kinds, never_accepted
from core.domain.limits import MediaLimits
from core.domain.media import MediaFile, MediaKind
from core.domain.people import Caller
from core.errors import MediaFormatRefused, MediaTooLarge, MediaTooLong, MediaUnreadable
from core.service.user_files import UserFiles

log = structlog.get_logger(__name__)

# what Telegram tells of a message in another chat that is answered here has its file, and no text
MessageWithFile = Message | ExternalReplyInfo
CLOUD_DOWNLOAD = 20_000_000  # bytes; decimal, source: Bot API "getFile"


class TelegramFetchLimit(MediaTooLarge):
    """The file is larger than Telegram lets bots download from its cloud."""


@dataclass(frozen=True, slots=True)
class TelegramAttachment:
    """A file in a message, as Telegram describes it before the download."""

    kinds: tuple[MediaKind, ...]  # what it may be used as, the likeliest first
    file_id: str
    size_bytes: int
    seconds: float = 0.0
    never: tuple[str, str] | None = None  # what it is that no slot takes, and what to do


def answered_by(message: Message) -> MessageWithFile | None:
    """Find what ``message`` answers, in this chat or in another one."""
    return message.reply_to_message or message.external_reply


def attachment_of(message: MessageWithFile | None) -> TelegramAttachment | None:
    """Find the picture, sound, video, sticker or file in ``message``, in its best quality."""
    if message is None:
        return None
    if message.photo:
        best = max(message.photo, key=lambda size: size.width * size.height)
        return TelegramAttachment((MediaKind.IMAGE,), best.file_id, best.file_size or 0)
    for media, kinds in (
        (message.video, FILM),
        (message.animation, MOVING_PICTURE),
        (message.video_note, FILM),
        (message.audio, (MediaKind.AUDIO,)),
        (message.voice, (MediaKind.AUDIO,)),
    ):
        if media is not None:
            return TelegramAttachment(
                kinds, media.file_id, media.file_size or 0, _seconds(media.duration)
            )
    return _sticker(message) or _document(message)


def kinds_in(messages: Iterable[MessageWithFile]) -> list[tuple[MediaKind, ...]]:
    """List what each file in ``messages`` may be used as."""
    return [file.kinds for message in messages if (file := attachment_of(message))]


def _sticker(message: MessageWithFile) -> TelegramAttachment | None:
    sticker = message.sticker
    if sticker is None:
        return None
    kinds = MOVING_PICTURE if sticker.is_video else (MediaKind.IMAGE,)
    never = never_accepted("application/x-tgsticker") if sticker.is_animated else None
    return TelegramAttachment(kinds, sticker.file_id, sticker.file_size or 0, never=never)


def _document(message: MessageWithFile) -> TelegramAttachment | None:
    document = message.document
    if document is None:
        return None
    told = (document.mime_type, document.file_name)
    likely = likely_kinds(*told)
    return TelegramAttachment(
        (*likely, *(kind for kind in MediaKind if kind not in likely)),  # the bytes will tell
        document.file_id,
        document.file_size or 0,
        never=never_accepted(*told),
    )


def _seconds(duration: int | timedelta) -> float:
    """Convert a duration to seconds; a setting of the library makes it a timedelta."""
    return duration.total_seconds() if isinstance(duration, timedelta) else float(duration)


class AttachmentFetcher:
    """Downloads and admits the files that people send."""

    def __init__(self, bot: Bot, files: UserFiles, limits: MediaLimits, *, local: bool) -> None:
        """With ``local``, the operator's own Bot API server lifts the download limit."""
        self._bot = bot
        self._files = files
        self._limits = limits
        self._local = local

    def check(self, attachment: TelegramAttachment, role: str, kind: MediaKind) -> None:
        """Refuse a file by what Telegram says of it, before the download.

        Raises:
            MediaFormatRefused: no slot ever takes it.
            MediaTooLarge: more bytes than the limit.
            TelegramFetchLimit: more bytes than Telegram lets bots download.
            MediaTooLong: longer than the limit.
        """
        if attachment.never:
            raise MediaFormatRefused(role, attachment.never[0], ACCEPTED[kind], attachment.never[1])
        is_image = kind is MediaKind.IMAGE
        limit = self._limits.image_bytes if is_image else self._limits.stream_bytes
        if attachment.size_bytes > limit:
            raise MediaTooLarge(role, attachment.size_bytes, limit)
        if attachment.size_bytes > CLOUD_DOWNLOAD and not self._local:
            raise TelegramFetchLimit(role, attachment.size_bytes, CLOUD_DOWNLOAD)
        if attachment.seconds > self._limits.stream_seconds:
            raise MediaTooLong(role, attachment.seconds, self._limits.stream_seconds)

    async def fetch(
        self, caller: Caller, attachment: TelegramAttachment, roles: Mapping[MediaKind, str]
    ) -> MediaFile:
        """Download a file that ``caller`` sent, and admit it as the first kind that it can be.

        ``roles`` names the slot that it would fill as each kind, the likeliest first.

        Raises:
            MediaTooLarge: more bytes than the limit.
            TelegramFetchLimit: more bytes than Telegram lets bots download.
            MediaUnreadable: the download failed, or the content is damaged.
            IntakeClosed: the disk is nearly full.
        """
        kind, role = next(iter(roles.items()))
        self.check(attachment, role, kind)
        self._files.refuse_without_room(attachment.size_bytes)
        try:
            file = await self._bot.get_file(attachment.file_id)
            sent = replace(attachment, size_bytes=file.file_size or attachment.size_bytes)
            self.check(sent, role, kind)
            if self._local and is_local_file(file.file_path):
                path = Path(file.file_path or "")
                return await self._files.admit_any(caller, path, roles)
            content = await file.download_as_bytearray()
            return await self._files.admit_any(caller, content, roles)
        except TelegramError as error:
            if "too big" in str(error):
                size = max(attachment.size_bytes, CLOUD_DOWNLOAD + 1)
                raise TelegramFetchLimit(role, size, CLOUD_DOWNLOAD) from error
            log.info("fetch_failed", reason=type(error).__name__)
            raise MediaUnreadable(role, "download_failed") from error


def is_local_file(path: str | None) -> bool:
    """Tell whether a local Bot API server has put the file where this process can read it."""
    return path is not None and Path(path).is_absolute() and Path(path).is_file()
