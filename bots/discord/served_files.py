"""Describe a file that Discord serves, and download it within a limit."""

from dataclasses import asdict, dataclass
from typing import Any, Self

import aiohttp
import discord
import structlog

from core.domain.file_types import likely_kinds
from core.domain.media import MediaKind
from core.errors import MediaTooLarge, MediaUnreadable

log = structlog.get_logger(__name__)

CHUNK = 64 * 1024  # bytes read at a time
HTTP_OK = 200


@dataclass(frozen=True, slots=True)
class ServedFile:
    """A file at an address of Discord's, as it is described before the download."""

    url: str
    name: str
    content_type: str = ""  # empty where nothing is said
    size_bytes: int = 0  # 0: unknown
    seconds: float = 0.0
    spoiler: bool = False
    other_host: str = ""  # it lies there and Discord has no copy, so it is not fetched

    @property
    def kinds(self) -> tuple[MediaKind, ...]:
        """Return what it may be by its declared type or name, the likeliest first."""
        return likely_kinds(self.content_type, self.name)

    @classmethod
    def of(cls, attachment: discord.Attachment) -> Self:
        """Describe what somebody attached."""
        return cls(
            attachment.url,
            attachment.filename,
            attachment.content_type or "",
            attachment.size,
            attachment.duration or 0.0,
            attachment.is_spoiler(),
        )

    def to_json(self) -> dict[str, Any]:
        """Convert to plain data, for ``ServedFile(**data)``."""
        return asdict(self)


class Downloads:
    """Fetches files that Discord serves; follows no redirects, which might lead elsewhere."""

    def __init__(self, trace: aiohttp.TraceConfig) -> None:
        """Take what watches the requests."""
        self._trace = trace

    async def read(self, file: ServedFile, role: str, limit_bytes: int) -> bytes:
        """Read the bytes of ``file``, which is for ``role``.

        Raises:
            MediaTooLarge: there are more than ``limit_bytes``; no more are read.
            MediaUnreadable: it cannot be fetched, or not any more.
        """
        content = bytearray()
        try:
            async with (
                aiohttp.ClientSession(trace_configs=[self._trace]) as session,
                session.get(file.url, allow_redirects=False) as answer,
            ):
                if answer.status != HTTP_OK:
                    log.info("download_refused", status=answer.status)
                    raise MediaUnreadable(role, "download_failed")
                async for chunk in answer.content.iter_chunked(CHUNK):
                    content += chunk
                    if len(content) > limit_bytes:
                        declared = answer.content_length or 0
                        raise MediaTooLarge(role, max(declared, len(content)), limit_bytes)
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            log.info("download_failed", reason=type(error).__name__)
            raise MediaUnreadable(role, "download_failed") from None
        return bytes(content)
