"""Why a file is refused: one error for each reason, as each has another remedy.

``found`` and ``codec`` are words of ``core/i18n/words`` or ffmpeg's own names; ``fix`` is the
word of a sentence that says what to do, chosen by :mod:`core.media.intake.reasons`.
"""

from core.errors.input import InvalidInput


class MediaRefused(InvalidInput):
    """A file that Clapper will not decode, or could not."""

    role: str


class MediaTooLarge(MediaRefused):
    """More bytes than the limit of its kind."""

    size_bytes: int
    limit_bytes: int


class MediaTooManyPixels(MediaRefused):
    """More pixels than the limit of its kind."""

    width: int
    height: int
    limit_pixels: int


class MediaTooLong(MediaRefused):
    """Plays longer than the limit."""

    seconds: float
    limit_s: float


class MediaTooManyFrames(MediaRefused):
    """More frames a second than the limit, over more than a short while."""

    fps: float
    limit_fps: float


class MediaFormatRefused(MediaRefused):
    """The container is not one of the accepted formats (``accepted`` is comma separated)."""

    found: str
    accepted: str
    fix: str = "fix_convert"


class MediaKindRefused(MediaRefused):
    """A format that is accepted elsewhere: a film where a still belongs, a still for a film."""

    found: str
    accepted: str
    fix: str


class MediaCodecRefused(MediaRefused):
    """The container is accepted; what is in it is encoded in a way that is not."""

    codec: str
    fix: str


class MediaNeedsMemory(MediaRefused):
    """Decoding it takes more memory than one file may have."""

    fix: str


class MediaNeedsTime(MediaRefused):
    """Decoding it takes more processor time than one file may have."""

    fix: str


class MediaMetadataRefused(MediaRefused):
    """What is written beside the picture or sound cannot be read, and hides it."""


class MediaDamaged(MediaRefused):
    """An accepted format, but too much of it is missing or wrong."""


class MediaGone(MediaRefused):
    """It was there, and is not any more: deleted, or its time was over. It has to be sent again."""


class MediaUnreadable(MediaRefused):
    """There is nothing to decode: no file, no bytes, or no track of the wanted kind."""

    reason: str
