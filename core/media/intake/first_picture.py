"""Rewrite the first picture of a silent film: chats send GIFs and moving stickers as films."""

from dataclasses import replace
from typing import BinaryIO

from PIL import Image

from core.domain.file_types import ACCEPTED
from core.domain.media import MediaKind
from core.errors import MediaUnreadable
from core.media.intake.probe import survey
from core.media.intake.protocol import Note, RecodeResult, RecodeTask
from core.media.intake.reasons import kind_refused
from core.media.intake.stored import most_bytes, write_picture
from core.media.intake.video import first_frame
from core.media.pyav import to_rgb

Image.preinit()


def recode_first_picture(task: RecodeTask, source: BinaryIO, output: BinaryIO) -> RecodeResult:
    """Write the first picture of the film in ``source`` to ``output``.

    Raises:
        kind_refused: it has sound, so it is no picture that moves.
        MediaUnreadable: it has no pictures; other refusals come through.
    """
    film = replace(task, kind=MediaKind.VIDEO)
    found = survey(film, source)
    if found.audio is not None:
        raise kind_refused(task.role, task.kind, "film_with_sound", ACCEPTED[task.kind])
    if found.video is None:
        raise MediaUnreadable(task.role, "no_video")
    clean = Image.fromarray(to_rgb(first_frame(film, source, found)))
    if task.cut.in_picture:
        clean = clean.crop(task.cut.box(*clean.size))
    suffix = write_picture(clean, output, most_bytes(source))
    notes = (Note("first_picture_used"),)
    return RecodeResult(clean.width, clean.height, suffix=suffix, notes=notes)
