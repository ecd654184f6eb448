"""The one list of accepted files: what people are told, and what a declared type can tell.

What a file is, its bytes say (:mod:`core.media.intake.formats`). A type that a platform declares is
often missing or too general, so it only chooses between slots, and speeds up the refusal of what no
slot ever takes.
"""

from pathlib import PurePath

from core.domain.media import MediaKind

ACCEPTED: dict[MediaKind, str] = {
    MediaKind.IMAGE: "JPEG, PNG, HEIC, WebP, AVIF, GIF, BMP",
    MediaKind.AUDIO: "MP3, M4A, WAV, FLAC, OGG, AAC, AIFF, MP4, WebM",
    MediaKind.VIDEO: "MP4, MOV, WebM, MKV, AVI, TS, GIF",
}
_ALL = (MediaKind.IMAGE, MediaKind.AUDIO, MediaKind.VIDEO)
FILM = (MediaKind.VIDEO, MediaKind.AUDIO)  # the sound of a film is welcome as a sound
MOVING_PICTURE = (MediaKind.VIDEO, MediaKind.IMAGE)  # its first picture is welcome as a picture
_SUFFIXES: tuple[tuple[tuple[MediaKind, ...], tuple[str, ...]], ...] = (
    ((MediaKind.IMAGE,), (
        "jpg", "jpeg", "jpe", "jfif", "mpo", "png", "apng", "webp", "heic", "heif", "hif", "avif",
        "bmp", "dib",
    )),
    (MOVING_PICTURE, ("gif",)),
    ((MediaKind.AUDIO,), (
        "mp3", "m4a", "m4b", "aac", "flac", "wav", "wave", "w64", "rf64", "bwf", "ogg", "oga",
        "opus", "aif", "aiff", "aifc", "caf", "au", "amr", "awb", "wma", "ac3", "eac3", "mka",
        "weba", "mp2",
    )),
    (FILM, (
        "mp4", "m4v", "mov", "qt", "webm", "mkv", "avi", "3gp", "3g2", "ts", "mts", "m2ts", "mpg",
        "mpeg", "vob", "wmv", "asf", "flv", "f4v", "ogv",
    )),
)  # fmt: skip
# of no use to any slot, but pictures, sounds and films all the same: their refusal says more
_REFUSED: tuple[tuple[tuple[MediaKind, ...], tuple[str, ...]], ...] = (
    ((MediaKind.IMAGE,), (
        "tif", "tiff", "svg", "jxl", "jp2", "psd", "ico", "dng", "cr2", "cr3", "nef", "arw", "raf",
        "orf", "rw2",
    )),
    ((MediaKind.AUDIO,), ("mid", "midi", "ape", "wv", "dsf")),
    (FILM, ("mxf", "rm", "rmvb")),
)  # fmt: skip
_BY_SUFFIX = {
    suffix: kinds
    for table in (_SUFFIXES, _REFUSED)
    for kinds, suffixes in table
    for suffix in suffixes
}
_MOVING_AS_PICTURE = ("mp4", "webm")  # what chats make of a GIF, and of a sticker
_SOUND_IN_FILMS = frozenset({"mp4", "webm", "x-matroska", "matroska", "ogg", "3gpp", "3gpp2"})
# what is neither picture, sound nor film whatever its bytes are: what it is, and what to do
_NEVER: dict[str, tuple[str, str]] = {
    "application/pdf": ("pdf", "fix_screenshot"),
    "application/postscript": ("postscript", "fix_screenshot"),
    "application/zip": ("archive", "fix_unpack"),
    "application/x-7z-compressed": ("archive", "fix_unpack"),
    "application/x-rar-compressed": ("archive", "fix_unpack"),
    "application/vnd.rar": ("archive", "fix_unpack"),
    "application/gzip": ("compressed", "fix_screenshot"),
    "application/x-tgsticker": ("compressed", "fix_screenshot"),
    "application/x-msdownload": ("program", "fix_convert"),
    "image/x-lottie": ("lottie", "fix_screenshot"),
    "application/json": ("plain_text", "fix_convert"),
    "text/html": ("web_page", "fix_file_itself"),
    "text/plain": ("plain_text", "fix_convert"),
}


def never_accepted(declared: str | None, name: str | None = None) -> tuple[str, str] | None:
    """Tell what a file is that no slot ever takes, and what to do; None for all others.

    Args:
        declared: its media type as a platform tells it; often missing, or ``octet-stream``.
        name: its file name; one that belongs to a picture, sound or film leaves it to the bytes.
    """
    return None if _suffix(name) in _BY_SUFFIX else _NEVER.get(_plain(declared))


def likely_kinds(declared: str | None, name: str | None = None) -> tuple[MediaKind, ...]:
    """Return what a file may be used as, the likeliest first.

    Where neither the type nor the name says anything that is every kind: its bytes will tell.
    """
    main, _, rest = _plain(declared).partition("/")
    if rest == "gif":
        return MOVING_PICTURE
    if main == "audio" and rest in _SOUND_IN_FILMS:
        return (MediaKind.AUDIO, MediaKind.VIDEO)
    by_type = {"image": (MediaKind.IMAGE,), "audio": (MediaKind.AUDIO,), "video": FILM}.get(main)
    return by_type or _BY_SUFFIX.get(_suffix(name)) or _ALL


def offered_types(kind: MediaKind) -> tuple[str, ...]:
    """Return what a dialog for files offers where a ``kind`` is wanted: types, and suffixes.

    A file of another name or of none can be given all the same; its bytes tell what it is.
    """
    kinds = (kind, MediaKind.VIDEO) if kind is MediaKind.AUDIO else (kind,)
    fitting = [suffix for takes, suffixes in _SUFFIXES if kind in takes for suffix in suffixes]
    also = _MOVING_AS_PICTURE if kind is MediaKind.IMAGE else ()
    return (*(f"{one}/*" for one in kinds), *(f".{suffix}" for suffix in (*fitting, *also)))


def _plain(declared: str | None) -> str:
    return (declared or "").partition(";")[0].strip().lower()


def _suffix(name: str | None) -> str:
    return PurePath(name or "").suffix.lower().removeprefix(".")
