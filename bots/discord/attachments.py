"""Admit Discord attachments: check what they declare first, then their bytes."""

import asyncio
from collections.abc import Mapping

import aiohttp
import discord

from core.domain.file_types import ACCEPTED, likely_kinds, never_accepted
from core.domain.limits import MediaLimits
from core.domain.media import MediaFile, MediaKind
from core.domain.modes import MODES, MediaSlot, Mode
from core.domain.people import Caller
from core.errors import MediaFormatRefused, MediaTooLarge, MediaTooLong, MediaUnreadable
from core.service.user_files import UserFiles


def kinds_of(attachment: discord.Attachment) -> tuple[MediaKind, ...]:
    """Return what an attachment may be by its declared type or name, the likeliest first."""
    return likely_kinds(attachment.content_type, attachment.filename)


def check_declared(attachment: discord.Attachment, slot: MediaSlot, limits: MediaLimits) -> None:
    """Check the declared type, size and length, before anything is downloaded.

    A type that is missing, general or wrong is no reason to refuse: the bytes will tell.

    Raises:
        MediaFormatRefused: it is declared as what no slot ever takes.
        MediaTooLarge: it has more bytes than its kind may have.
        MediaTooLong: it plays longer than allowed.
    """
    if never := never_accepted(attachment.content_type, attachment.filename):
        raise MediaFormatRefused(slot.role, never[0], ACCEPTED[slot.kind], never[1])
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
    for slot in MODES[mode].every_slot:
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
    slots = [slot for slot in MODES[mode].every_slot if slot.role in attachments]
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
