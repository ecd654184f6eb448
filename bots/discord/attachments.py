"""Admit Discord attachments: check what they declare first, then their bytes."""

import asyncio
from collections.abc import Mapping

import aiohttp
import discord

from core.domain.limits import MediaLimits
from core.domain.media import MediaFile, MediaKind
from core.domain.modes import MODES, MediaSlot, Mode
from core.domain.people import Caller
from core.errors import MediaFormatRefused, MediaTooLarge, MediaTooLong, MediaUnreadable
from core.service.user_files import UserFiles

ACCEPTED = {
    MediaKind.IMAGE: "PNG, JPEG, WebP",
    MediaKind.AUDIO: "WAV, MP3, FLAC, OGG, M4A",
    MediaKind.VIDEO: "MP4, MOV, WebM, GIF",
}


def kind_of(attachment: discord.Attachment) -> MediaKind | None:
    """Read the kind that an attachment declares; None if it is no media."""
    content_type = (attachment.content_type or "").partition(";")[0]
    if content_type == "image/gif":
        return MediaKind.VIDEO
    try:
        return MediaKind(content_type.partition("/")[0])
    except ValueError:
        return None


def check_declared(attachment: discord.Attachment, slot: MediaSlot, limits: MediaLimits) -> None:
    """Check the declared type, size and length, before anything is downloaded.

    Raises:
        MediaFormatRefused: it is declared as another kind.
        MediaTooLarge: it has more bytes than its kind may have.
        MediaTooLong: it plays longer than allowed.
    """
    declared = kind_of(attachment)
    if declared is not slot.kind and attachment.content_type:
        found = attachment.content_type[:60]
        raise MediaFormatRefused(slot.role, found, ACCEPTED[slot.kind])
    limit = limits.image_bytes if slot.kind is MediaKind.IMAGE else limits.stream_bytes
    if attachment.size > limit:
        raise MediaTooLarge(slot.role, attachment.size, limit)
    seconds = attachment.duration or 0.0
    if slot.kind is not MediaKind.IMAGE and seconds > limits.stream_seconds:
        raise MediaTooLong(slot.role, seconds, limits.stream_seconds)


def check_all(
    mode: Mode, attachments: Mapping[str, discord.Attachment], limits: MediaLimits
) -> None:
    """Check every attachment of a request; see :func:`check_declared`."""
    for slot in MODES[mode].slots:
        if slot.role in attachments:
            check_declared(attachments[slot.role], slot, limits)


async def receive_all(
    uploads: UserFiles, caller: Caller, mode: Mode, attachments: Mapping[str, discord.Attachment]
) -> dict[str, MediaFile]:
    """Download every attachment at once, as its link expires, and admit it.

    Raises:
        MediaRefused: the bytes are not what they should be.
        IntakeClosed: the disk is nearly full.
    """
    slots = [slot for slot in MODES[mode].slots if slot.role in attachments]
    files = await asyncio.gather(
        *(_receive(uploads, caller, attachments[slot.role], slot) for slot in slots)
    )
    return {slot.role: file for slot, file in zip(slots, files, strict=True)}


async def _receive(
    uploads: UserFiles, caller: Caller, attachment: discord.Attachment, slot: MediaSlot
) -> MediaFile:
    uploads.refuse_without_room(attachment.size)
    try:
        content = await attachment.read()
    except (discord.HTTPException, aiohttp.ClientError, TimeoutError):
        raise MediaUnreadable(slot.role, "download_failed") from None
    return await uploads.admit_bytes(caller, content, slot.role, slot.kind)
