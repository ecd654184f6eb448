"""From a Telegram message to admitted files: what it carries, refused by size before download."""

from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import structlog
from telegram import Bot, Message
from telegram.error import TelegramError

from core.domain.limits import MediaLimits
from core.domain.media import MediaFile, MediaKind
from core.domain.people import Requester
from core.errors import MediaTooLarge, MediaTooLong, MediaUnreadable
from core.service.generation import GenerationService

log = structlog.get_logger(__name__)

CLOUD_DOWNLOAD = 20_000_000  # bytes; decimal, source: Bot API "getFile"


class TelegramFetchLimit(MediaTooLarge):
    """More bytes than Telegram lets bots fetch from its cloud."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A file that somebody sent, before it is fetched."""

    kind: MediaKind
    file_id: str
    size_bytes: int
    seconds: float = 0.0


def sent_in(message: Message | None) -> Sent | None:
    """Return the picture, sound or video that ``message`` carries, in its best quality."""
    if message is None:
        return None
    if message.photo:
        best = max(message.photo, key=lambda size: size.width * size.height)
        return Sent(MediaKind.IMAGE, best.file_id, best.file_size or 0)
    for media, kind in (
        (message.video, MediaKind.VIDEO),
        (message.animation, MediaKind.VIDEO),
        (message.video_note, MediaKind.VIDEO),
        (message.audio, MediaKind.AUDIO),
        (message.voice, MediaKind.AUDIO),
    ):
        if media is not None:
            return Sent(kind, media.file_id, media.file_size or 0, _seconds(media.duration))
    return _document(message)


def _document(message: Message) -> Sent | None:
    document = message.document
    if document is None:
        return None
    kind = (document.mime_type or "").partition("/")[0]
    if kind not in set(MediaKind):
        return None
    if document.mime_type == "image/gif":
        kind = MediaKind.VIDEO
    return Sent(MediaKind(kind), document.file_id, document.file_size or 0)


def _seconds(duration: int | timedelta) -> float:
    """Return seconds; the library gives a timedelta where its own setting asks for it."""
    return duration.total_seconds() if isinstance(duration, timedelta) else float(duration)


class Intake:
    """Fetches and admits what people send."""

    def __init__(
        self, bot: Bot, service: GenerationService, limits: MediaLimits, *, local: bool
    ) -> None:
        """Take whether a Bot API server of our own lifts the limit of downloads."""
        self._bot = bot
        self._service = service
        self._limits = limits
        self._local = local

    def check(self, sent: Sent, role: str) -> None:
        """Refuse by what Telegram says of the file, before anything is fetched.

        Raises:
            MediaTooLarge: more bytes than we take.
            TelegramFetchLimit: more bytes than Telegram lets bots fetch.
            MediaTooLong: plays longer than allowed.
        """
        is_image = sent.kind is MediaKind.IMAGE
        limit = self._limits.image_bytes if is_image else self._limits.stream_bytes
        if sent.size_bytes > limit:
            raise MediaTooLarge(role, sent.size_bytes, limit)
        if sent.size_bytes > CLOUD_DOWNLOAD and not self._local:
            raise TelegramFetchLimit(role, sent.size_bytes, CLOUD_DOWNLOAD)
        if sent.seconds > self._limits.stream_seconds:
            raise MediaTooLong(role, sent.seconds, self._limits.stream_seconds)

    async def receive(self, sent: Sent, role: str, owner: Requester) -> MediaFile:
        """Fetch and admit a file that ``owner`` sent.

        Raises:
            MediaTooLarge: more bytes than we take.
            TelegramFetchLimit: more bytes than Telegram lets bots fetch.
            MediaUnreadable: it could not be fetched, or is not what it should be.
            IntakeClosed: the disk is nearly full.
        """
        self.check(sent, role)
        self._service.refuse_without_room(sent.size_bytes)
        try:
            file = await self._bot.get_file(sent.file_id)
            self.check(replace(sent, size_bytes=file.file_size or sent.size_bytes), role)
            if self._local and is_local_file(file.file_path):
                path = Path(file.file_path or "")
                return await self._service.admit(path, role, sent.kind, owner)
            content = await file.download_as_bytearray()
            return await self._service.admit_bytes(content, role, sent.kind, owner)
        except TelegramError as error:
            if "too big" in str(error):
                size = max(sent.size_bytes, CLOUD_DOWNLOAD + 1)
                raise TelegramFetchLimit(role, size, CLOUD_DOWNLOAD) from error
            log.info("fetch_failed", reason=type(error).__name__)
            raise MediaUnreadable(role, "download_failed") from error


def is_local_file(path: str | None) -> bool:
    """Return whether a Bot API server beside us has put the file where we can read it."""
    return path is not None and Path(path).is_absolute() and Path(path).is_file()
