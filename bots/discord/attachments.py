"""Admit files of Discord: check what they declare first, then their bytes."""

import asyncio
from collections.abc import Mapping

from bots.discord.served_files import Downloads, ServedFile
from core.domain.file_types import ACCEPTED, never_accepted
from core.domain.limits import MediaLimits
from core.domain.media import MediaFile, MediaKind
from core.domain.modes import MODES, MediaSlot, Mode
from core.domain.people import Caller
from core.errors import MediaElsewhere, MediaFormatRefused, MediaTooLarge, MediaTooLong
from core.service.user_files import UserFiles


def check_declared(file: ServedFile, slot: MediaSlot, limits: MediaLimits) -> None:
    """Check the declared type, size and length, before anything is downloaded.

    A type that is missing, general or wrong is no reason to refuse: the bytes will tell.

    Raises:
        MediaElsewhere: Discord does not serve it.
        MediaFormatRefused: it is declared as what no slot ever takes.
        MediaTooLarge: it has more bytes than its kind may have.
        MediaTooLong: it plays longer than allowed.
    """
    if file.other_host:
        raise MediaElsewhere(slot.role, file.other_host)
    if never := never_accepted(file.content_type, file.name):
        raise MediaFormatRefused(slot.role, never[0], ACCEPTED[slot.kind], never[1])
    limit = limit_of(slot, limits)
    if file.size_bytes > limit:
        raise MediaTooLarge(slot.role, file.size_bytes, limit)
    if slot.kind is not MediaKind.IMAGE and file.seconds > limits.stream_seconds:
        raise MediaTooLong(slot.role, file.seconds, limits.stream_seconds)


def limit_of(slot: MediaSlot, limits: MediaLimits) -> int:
    """Return how many bytes a file for ``slot`` may have."""
    return limits.image_bytes if slot.kind is MediaKind.IMAGE else limits.stream_bytes


def check_all(mode: Mode, files: Mapping[str, ServedFile], limits: MediaLimits) -> None:
    """Check every file of a request; see :func:`check_declared`."""
    for slot in MODES[mode].every_slot:
        if slot.role in files:
            check_declared(files[slot.role], slot, limits)


async def receive_all(
    downloads: Downloads,
    uploads: UserFiles,
    caller: Caller,
    mode: Mode,
    files: Mapping[str, ServedFile],
    limits: MediaLimits,
) -> dict[str, MediaFile]:
    """Download every file at once, as its link expires, and admit it.

    Raises:
        MediaRefused: the bytes are not what they should be.
        IntakeClosed: the disk is nearly full.
    """

    async def receive(slot: MediaSlot) -> MediaFile:
        file = files[slot.role]
        uploads.refuse_without_room(file.size_bytes)
        content = await downloads.read(file, slot.role, limit_of(slot, limits))
        return await uploads.admit_bytes(caller, content, slot.role, slot.kind)

    slots = [slot for slot in MODES[mode].every_slot if slot.role in files]
    found = await asyncio.gather(*(receive(slot) for slot in slots))
    return {slot.role: file for slot, file in zip(slots, found, strict=True)}
