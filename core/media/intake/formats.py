"""Detect accepted files by their first bytes; file names and declared types mean nothing.

Standard library only: the sandbox imports this before it may decode anything.
"""

import re
from dataclasses import dataclass

from core.domain.media import MediaKind

HEAD_BYTES = 4096  # enough to tell every format below


@dataclass(frozen=True, slots=True)
class Format:
    """One accepted container and the only demuxer that may read it."""

    name: str  # for people: "MP4"
    reader: str  # Pillow's or ffmpeg's name
    kinds: frozenset[MediaKind]


_STILL = frozenset({MediaKind.IMAGE})
_SOUND = frozenset({MediaKind.AUDIO})
_MOTION = frozenset({MediaKind.VIDEO})
_BOTH = _SOUND | _MOTION  # the sound of a film is welcome as a sound

PNG = Format("PNG", "PNG", _STILL)
JPEG = Format("JPEG", "JPEG", _STILL)
WEBP = Format("WebP", "WEBP", _STILL)
WAV = Format("WAV", "wav", _SOUND)
MP3 = Format("MP3", "mp3", _SOUND)
FLAC = Format("FLAC", "flac", _SOUND)
OGG = Format("OGG", "ogg", _SOUND)
AAC = Format("AAC", "aac", _SOUND)
MP4 = Format("MP4", "mov", _BOTH)
WEBM = Format("WebM", "matroska", _BOTH)
GIF = Format("GIF", "gif", _MOTION)

ACCEPTED: dict[MediaKind, str] = {
    MediaKind.IMAGE: "PNG, JPEG, WebP",
    MediaKind.AUDIO: "WAV, MP3, FLAC, OGG, M4A, AAC, MP4, WebM",
    MediaKind.VIDEO: "MP4, MOV, WebM, MKV, GIF",
}

_MAGIC: tuple[tuple[re.Pattern[bytes], Format], ...] = tuple(
    (re.compile(pattern, re.DOTALL), format_)
    for pattern, format_ in (
        (rb"\x89PNG\r\n\x1a\n", PNG),
        (rb"\xff\xd8\xff", JPEG),
        (rb"RIFF....WEBP", WEBP),
        (rb"RIFF....WAVE", WAV),
        (rb"fLaC", FLAC),
        (rb"OggS", OGG),
        (rb"GIF8[79]a", GIF),
        (rb"\x1a\x45\xdf\xa3", WEBM),
        # HEIC and AVIF stills are the same container; they are named below
        (rb"....ftyp(?!hei|hev|mif|msf|avi)", MP4),
        (rb"....(?:moov|mdat|wide|free|skip)", MP4),
        (rb"\xff[\xf0\xf1\xf8\xf9]", AAC),
        (rb"ID3", MP3),
        (rb"\xff[\xe2\xe3\xf2\xf3\xfa\xfb]", MP3),
    )
)

# Only to say what a refused file is; the words are in core/i18n/words. Text may begin with white
# space.
_REFUSED: tuple[tuple[re.Pattern[bytes], str], ...] = tuple(
    (re.compile(pattern, re.DOTALL | re.IGNORECASE), name)
    for pattern, name in (
        (rb"....ftyp(?:hei|hev|mif|msf)", "heic"),
        (rb"....ftypavi", "avif"),
        (rb"BM", "bmp"),
        (rb"II\*\0|MM\0\*", "tiff"),
        (rb"SIMPLE  =", "fits"),
        (rb"%PDF", "pdf"),
        (rb"%!PS|\xc5\xd0\xd3\xc6", "postscript"),
        (rb"\s*#EXTM3U", "playlist"),
        (rb"\s*ffconcat", "playlist"),
        (rb"[^\0]{0,512}<MPD", "playlist"),
        (rb"[^\0]{0,1024}<svg", "svg"),
        (rb"[^\0]{0,512}<(?:!doctype|html|script)", "web_page"),
        (rb"RIFF....AVI ", "avi"),
        (rb"PK\x03\x04|Rar!|7z\xbc\xaf|\x1f\x8b", "archive"),
        (rb"MZ|\x7fELF", "program"),
    )
)


def detect(head: bytes) -> Format | None:
    """Detect the accepted format that a file with the first bytes ``head`` claims to be."""
    return next((format_ for magic, format_ in _MAGIC if magic.match(head)), None)


def name_refused(head: bytes) -> str:
    """Return an identifier for what a file of no accepted format seems to be."""
    return next((name for magic, name in _REFUSED if magic.match(head)), "unknown_format")
