"""Detect what a file is by its bytes; file names and declared types mean nothing here.

Standard library only: nothing is decoded, and no decoder is imported.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeAlias

from core.domain.media import MediaKind

HEAD_BYTES = 4096  # enough to tell every format below
Read: TypeAlias = Callable[[int, int], bytes]  # so many bytes from a place in a file

_MOST_TAGS = 4  # ID3 tags in a row before the sound
_MOST_ZEROS = 1 << 16  # bytes of silence that some encoders write before an MP3


@dataclass(frozen=True, slots=True)
class Format:
    """One accepted container and the only demuxer that may read it."""

    name: str  # for people: "MP4"
    reader: str  # Pillow's or ffmpeg's name; HEIF is pillow-heif
    kinds: frozenset[MediaKind]
    behind: int = 0  # bytes of tags before it


_STILL = frozenset({MediaKind.IMAGE})
_SOUND = frozenset({MediaKind.AUDIO})
_MOTION = frozenset({MediaKind.VIDEO})
_BOTH = _SOUND | _MOTION  # the sound of a film is welcome as a sound
_ANY = _BOTH | _STILL  # chats turn GIFs and stickers into silent films

PNG = Format("PNG", "PNG", _STILL)
JPEG = Format("JPEG", "JPEG", _STILL)
WEBP = Format("WebP", "WEBP", _STILL)
HEIC = Format("HEIC", "HEIF", _STILL)
AVIF = Format("AVIF", "AVIF", _STILL)
BMP = Format("BMP", "BMP", _STILL)
GIF = Format("GIF", "gif", _MOTION | _STILL)
WAV = Format("WAV", "wav", _SOUND)  # RF64 and BW64 as well
W64 = Format("W64", "w64", _SOUND)
AIFF = Format("AIFF", "aiff", _SOUND)
CAF = Format("CAF", "caf", _SOUND)
AU = Format("AU", "au", _SOUND)
AMR = Format("AMR", "amr", _SOUND)
MP3 = Format("MP3", "mp3", _SOUND)
FLAC = Format("FLAC", "flac", _SOUND)
OGG = Format("OGG", "ogg", _BOTH)
AAC = Format("AAC", "aac", _SOUND)
AC3 = Format("AC-3", "ac3", _SOUND)
EAC3 = Format("E-AC-3", "eac3", _SOUND)
M4A = Format("M4A", "mov", _SOUND)
MP4 = Format("MP4", "mov", _ANY)
WEBM = Format("WebM", "matroska", _ANY)
AVI = Format("AVI", "avi", _BOTH)
TS = Format("MPEG-TS", "mpegts", _BOTH)
MPEG = Format("MPEG", "mpeg", _BOTH)
ASF = Format("WMV", "asf", _BOTH)
FLV = Format("FLV", "flv", _BOTH)

FILM_READERS = frozenset({MP4.reader, WEBM.reader})  # whose first picture may be wanted
_PICTURE_READERS = {"gif": "GIF"}  # where a format of films is read as a picture

_MAGIC: tuple[tuple[re.Pattern[bytes], Format], ...] = tuple(
    (re.compile(pattern, re.DOTALL), format_)
    for pattern, format_ in (
        (rb"\x89PNG\r\n\x1a\n", PNG),
        (rb"\xff\xd8\xff", JPEG),
        (rb"RIFF....WEBP", WEBP),
        (rb"(?:RIFF|RF64|BW64|RIFX)....WAVE", WAV),
        (rb"riff\x2e\x91\xcf\x11\xa5\xd6\x28\xdb", W64),
        (rb"RIFF....AVI ", AVI),
        (rb"FORM....AIF[FC]", AIFF),
        (rb"caff\0\x01", CAF),
        (rb"\.snd\0\0", AU),
        (rb"#!AMR(?:-WB)?\n", AMR),
        (rb"fLaC", FLAC),
        (rb"OggS", OGG),
        (rb"GIF8[79]a", GIF),
        (rb"\x1a\x45\xdf\xa3", WEBM),
        (rb"\x30\x26\xb2\x75\x8e\x66\xcf\x11", ASF),
        (rb"FLV\x01", FLV),
        (rb"BM....\0\0\0\0....[\x0c\x28\x34\x38\x40\x6c\x7c]\0\0\0", BMP),
        (rb"\0\0\x01\xba", MPEG),
        (rb"(?:\x47.{187}){4}", TS),
        (rb"(?:....\x47.{187}){4}", TS),  # of camcorders and Blu-ray
        (rb".{1,187}(?:\x47.{187}){8}", TS),  # a recording that begins inside a packet
        (rb"....(?:moov|mdat|wide|free|skip|pnot)", MP4),
        (rb"\xff[\xf0\xf1\xf8\xf9]", AAC),
        (rb"\xff[\xe2\xe3\xf2\xf3\xf4\xf5\xfa\xfb\xfc\xfd]", MP3),
        (rb"\x0b\x77...[\x00-\x57]", AC3),  # bsid 0 … 10
        (rb"\x0b\x77...[\x58-\x87]", EAC3),
    )
)
_AVIF_BRANDS = frozenset({b"avif", b"avis"})
_HEIF_BRANDS = frozenset(
    {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1"}
)
_SOUND_BRANDS = frozenset({b"M4A ", b"M4B ", b"F4A ", b"F4B "})
# Only to say what a refused file is, and what to do; the words are in core/i18n/words. Text may
# begin with a byte order mark and white space.
_REFUSED: tuple[tuple[re.Pattern[bytes], str, str], ...] = tuple(
    (re.compile(pattern, re.DOTALL | re.IGNORECASE), name, fix)
    for pattern, name, fix in (
        (rb"\xff\x0a|\0\0\0\x0cJXL ", "jpeg_xl", "fix_jpeg"),
        (rb"\0\0\0\x0cjP  |\xff\x4f\xff\x51", "jpeg_2000", "fix_jpeg"),
        (rb"....ftypcrx ", "raw_photo", "fix_raw"),
        (rb"II\*\0.{4}CR|IIRO|IIU\0|FUJIFILMCCD-RAW|\0MRM", "raw_photo", "fix_raw"),
        (rb"(?:II\*\0|MM\0\*).{0,2048}(?:nikon|sony|pentax|dng|leica)", "raw_photo", "fix_raw"),
        (rb"II[\*+]\0|MM\0[\*+]", "tiff", "fix_jpeg"),
        (rb"8BPS", "photoshop", "fix_jpeg"),
        (rb"gimp xcf", "gimp", "fix_jpeg"),
        (rb"\0\0[\x01\x02]\0[^\0]\0", "icon", "fix_jpeg"),
        (rb"v/1\x01|#\?RADIANCE", "hdr_picture", "fix_jpeg"),
        (rb"BPG\xfb", "bpg", "fix_jpeg"),
        (rb"P[1-7]\s", "netpbm", "fix_jpeg"),
        (rb"qoif", "qoi", "fix_jpeg"),
        (rb"BM", "bmp", "fix_jpeg"),
        (rb"SIMPLE  =", "fits", "fix_jpeg"),
        (rb"\s*%PDF", "pdf", "fix_screenshot"),
        (rb"%!PS|\xc5\xd0\xd3\xc6", "postscript", "fix_screenshot"),
        (rb"MThd", "midi", "fix_sound"),
        (rb"\x06\x0e\x2b\x34", "mxf", "fix_h264"),
        (rb"\.RMF|\.ra\xfd", "real_media", "fix_h264"),
        (rb"MAC |wvpk|TTA1|DSD |MPCK|MP\+", "rare_sound", "fix_sound"),
        (
            rb"ADIF|\x7f\xfe\x80\x01|\x56[\xe0-\xff].|.{4}\xf8\x72\x6f[\xba\xbb]",
            "rare_sound",
            "fix_sound",
        ),
        (rb"\s*#EXTM3U|\s*ffconcat|\[playlist\]", "playlist", "fix_file_itself"),
        (rb"[^\0]{0,512}<MPD", "playlist", "fix_file_itself"),
        (rb"[^\0]{0,1024}<svg", "svg", "fix_screenshot"),
        (rb"[^\0]{0,512}<(?:!doctype|html|script)", "web_page", "fix_file_itself"),
        (rb"\x1f\x8b", "compressed", "fix_screenshot"),
        (rb"PK\x03\x04|Rar!|7z\xbc\xaf|BZh|\xfd7zXZ", "archive", "fix_unpack"),
        (rb"MZ|\x7fELF|\xca\xfe\xba\xbe|#!/", "program", "fix_convert"),
        (rb"\{|\[", "plain_text", "fix_convert"),
    )
)
_TEXT = re.compile(rb"[\t\n\r\x20-\x7e\x80-\xff]{32,}\Z")


def detect(head: bytes) -> Format | None:
    """Detect the accepted format that a file with the first bytes ``head`` claims to be."""
    if head[4:8] == b"ftyp":
        return _by_brand(head)
    if head[:3] == b"ID3":
        return MP3
    return next((format_ for magic, format_ in _MAGIC if magic.match(head)), None)


def detect_file(read: Read) -> Format | None:
    """Detect the accepted format of a file; what is behind tags and leading zeros counts.

    Args:
        read: of the file; it is asked for a few parts of ``HEAD_BYTES``.
    """
    head, at = read(0, HEAD_BYTES), 0
    for _ in range(_MOST_TAGS):
        if head[:3] != b"ID3" or len(head) < 10:
            break
        at += _tag_bytes(head)
        head = read(at, HEAD_BYTES)
    found = detect(head)
    if at:
        # a reader of MP3 searches for the sound
        return MP3 if found is None or found.kinds == _STILL else replace(found, behind=at)
    if found is None and head[:1] == b"\0":
        start = read(at, _MOST_ZEROS)
        zeros = len(start) - len(start.lstrip(b"\0"))
        behind = detect(start[zeros : zeros + HEAD_BYTES]) if zeros < len(start) else None
        found = MP3 if behind is MP3 else None
    if found is None:
        found = MP3 if _has_mp3_frames(head) else None
    return found


def picture_reader(found: Format) -> str:
    """Return the reader of ``found`` where a picture is wanted."""
    return _PICTURE_READERS.get(found.reader, found.reader)


def describe_refused(head: bytes) -> tuple[str, str]:
    """Return identifiers for what a file of no accepted format seems to be, and what to do."""
    head = head.removeprefix(b"\xef\xbb\xbf")
    for magic, name, fix in _REFUSED:
        if magic.match(head):
            return name, fix
    if _TEXT.match(head):
        return "plain_text", "fix_convert"
    return "unknown_format", "fix_convert"


def _by_brand(head: bytes) -> Format | None:
    """Tell pictures from films: both may begin with the same box."""
    size = min(int.from_bytes(head[:4]), 256)
    brands = {head[8:12], *(head[at : at + 4] for at in range(16, size, 4))}
    if head[8:12] == b"crx ":
        return None  # a raw photo of Canon
    if brands & _AVIF_BRANDS:
        return AVIF
    if head[8:12] in _HEIF_BRANDS or b"heic" in brands:
        return HEIC
    return M4A if head[8:12] in _SOUND_BRANDS else MP4


def _tag_bytes(head: bytes) -> int:
    """Return the length of the ID3 tag at the beginning of ``head``, with its footer."""
    size = 0
    for byte in head[6:10]:
        size = size << 7 | byte & 0x7F
    return 10 + size + (10 if head[5] & 0x10 else 0)


_RATES = {3: (44_100, 48_000, 32_000), 2: (22_050, 24_000, 16_000), 0: (11_025, 12_000, 8_000)}
_KILOBITS = {
    3: (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    2: (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}


def _has_mp3_frames(head: bytes) -> bool:
    """Tell whether three frames follow one another: an MP3 that was cut inside a frame."""
    at = head.find(b"\xff")
    while 0 <= at < len(head) - 4:
        place, frames = at, 0
        while frames < 3 and (size := _frame_bytes(head[place : place + 4])):
            place, frames = place + size, frames + 1
            if place > len(head) - 4:
                break
        if frames == 3:
            return True
        at = head.find(b"\xff", at + 1)
    return False


def _frame_bytes(header: bytes) -> int:
    """Return the length of the frame of MPEG Layer III that begins so; 0 where none does."""
    if len(header) < 4 or header[0] != 0xFF or header[1] & 0xE6 != 0xE2:
        return 0
    version, rate = header[1] >> 3 & 3, header[2] >> 2 & 3
    kilobits = header[2] >> 4
    if version == 1 or rate == 3 or kilobits in {0, 15}:
        return 0
    bits = _KILOBITS[3 if version == 3 else 2][kilobits] * 1000
    return (144 if version == 3 else 72) * bits // _RATES[version][rate] + (header[2] >> 1 & 1)
