"""From a Discord attachment to an admitted file: refused by what it declares, then by its bytes."""

import asyncio
from collections.abc import Mapping

import aiohttp
import discord

from core.domain.limits import MediaLimits
from core.domain.media import MediaFile, MediaKind
from core.domain.modes import MODES, MediaSlot, Mode
from core.domain.people import Requester
from core.errors import MediaFormatRefused, MediaTooLarge, MediaTooLong, MediaUnreadable
from core.service.generation import GenerationService

_ACCEPTED = {
    MediaKind.IMAGE: "PNG, JPEG, WebP",
    MediaKind.AUDIO: "WAV, MP3, FLAC, OGG, M4A",
    MediaKind.VIDEO: "MP4, MOV, WebM, GIF",
}


def kind_of(attachment: discord.Attachment) -> MediaKind | None:
    """Return what an attachment says it is."""
    content_type = (attachment.content_type or "").partition(";")[0]
    if content_type == "image/gif":
        return MediaKind.VIDEO
    try:
        return MediaKind(content_type.partition("/")[0])
    except ValueError:
        return None


def check_declared(attachment: discord.Attachment, slot: MediaSlot, limits: MediaLimits) -> None:
    """Refuse by declared type, size and length, before anything is downloaded.

    Raises:
        MediaFormatRefused: declared as another kind.
        MediaTooLarge: more bytes than its kind may have.
        MediaTooLong: plays longer than allowed.
    """
    declared = kind_of(attachment)
    if declared is not slot.kind and attachment.content_type:
        found = attachment.content_type[:60]
        raise MediaFormatRefused(slot.role, found, _ACCEPTED[slot.kind])
    limit = limits.image_bytes if slot.kind is MediaKind.IMAGE else limits.stream_bytes
    if attachment.size > limit:
        raise MediaTooLarge(slot.role, attachment.size, limit)
    seconds = attachment.duration or 0.0
    if slot.kind is not MediaKind.IMAGE and seconds > limits.stream_seconds:
        raise MediaTooLong(slot.role, seconds, limits.stream_seconds)


def check_all(
    mode: Mode, attachments: Mapping[str, discord.Attachment], limits: MediaLimits
) -> None:
    """Refuse what any attachment of a request declares; see :func:`check_declared`."""
    for slot in MODES[mode].slots:
        if slot.role in attachments:
            check_declared(attachments[slot.role], slot, limits)


async def receive_all(
    service: GenerationService,
    mode: Mode,
    attachments: Mapping[str, discord.Attachment],
    owner: Requester,
) -> dict[str, MediaFile]:
    """Download every attachment now, as its address expires, and admit it.

    Raises:
        MediaRefused: the bytes are not what they should be.
        IntakeClosed: the disk is nearly full.
    """
    slots = [slot for slot in MODES[mode].slots if slot.role in attachments]
    files = await asyncio.gather(
        *(_receive(service, attachments[slot.role], slot, owner) for slot in slots)
    )
    return {slot.role: file for slot, file in zip(slots, files, strict=True)}


async def _receive(
    service: GenerationService, attachment: discord.Attachment, slot: MediaSlot, owner: Requester
) -> MediaFile:
    service.refuse_without_room(attachment.size)
    try:
        content = await attachment.read()
    except (discord.HTTPException, aiohttp.ClientError, TimeoutError):
        raise MediaUnreadable(slot.role, "download failed") from None
    return await service.admit_bytes(content, slot.role, slot.kind, owner)
