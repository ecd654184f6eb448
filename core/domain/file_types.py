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
_FILM = (MediaKind.VIDEO, MediaKind.AUDIO)  # the sound of a film is welcome as a sound
_MOVING_PICTURE = (MediaKind.VIDEO, MediaKind.IMAGE)  # its first picture is welcome as a picture
_BY_SUFFIX: dict[str, tuple[MediaKind, ...]] = {
    **dict.fromkeys(
        "jpg jpeg jpe jfif png heic heif hif avif bmp dib tif tiff svg jxl psd ico dng cr2 cr3 nef "
        "arw raf orf rw2 jp2".split(),
        (MediaKind.IMAGE,),
    ),
    **dict.fromkeys(["gif", "webp", "apng"], _MOVING_PICTURE),
    **dict.fromkeys(
        "mp3 m4a m4b aac flac wav wave ogg oga opus aif aiff aifc caf amr awb wma w64 rf64 bwf au "
        "ac3 mka weba mid midi ape wv dsf".split(),
        (MediaKind.AUDIO,),
    ),
    **dict.fromkeys(
        "mp4 m4v mov qt webm mkv avi 3gp 3g2 ts mts m2ts mpg mpeg vob wmv asf flv f4v ogv mxf "
        "rm rmvb".split(),
        _FILM,
    ),
}
# types of what is neither picture, sound nor film, whatever its bytes are
_NEVER = ("text/", "font/", "model/", "message/", "multipart/", "chemical/")
_NEVER_OF_PROGRAMS = frozenset({
    "pdf", "zip", "json", "xml", "javascript", "gzip", "x-7z-compressed", "x-rar-compressed",
    "vnd.rar", "x-tar", "x-tgsticker", "rtf", "msword", "x-sh", "x-msdownload", "java-archive",
    "vnd.android.package-archive",
})  # fmt: skip
_OFFICE = ("vnd.ms-", "vnd.openxmlformats", "vnd.oasis", "vnd.apple.pages", "vnd.apple.numbers")


def possible_kinds(declared: str | None, name: str | None = None) -> tuple[MediaKind, ...]:
    """Return what a file may be, the likeliest first; nothing for what is never accepted.

    Args:
        declared: its media type as a platform tells it; often missing, or ``octet-stream``.
        name: its file name, which decides where the type says nothing.
    """
    found = (declared or "").partition(";")[0].strip().lower()
    suffix = PurePath(name or "").suffix.lower().removeprefix(".")
    main, _, rest = found.partition("/")
    if suffix not in _BY_SUFFIX and (
        found.startswith(_NEVER)
        or (main == "application" and (rest in _NEVER_OF_PROGRAMS or rest.startswith(_OFFICE)))
    ):
        return ()
    likely = _of_type(main, rest) or _BY_SUFFIX.get(suffix, ())
    return likely + tuple(kind for kind in _ALL if kind not in likely)


def likely_kinds(declared: str | None, name: str | None = None) -> tuple[MediaKind, ...]:
    """Return what type or name say that a file is; everything where neither says anything."""
    found = (declared or "").partition(";")[0].strip().lower()
    main, _, rest = found.partition("/")
    suffix = PurePath(name or "").suffix.lower().removeprefix(".")
    return (
        _of_type(main, rest) or _BY_SUFFIX.get(suffix, ()) or possible_kinds(declared, name)
    )


def _of_type(main: str, rest: str) -> tuple[MediaKind, ...]:
    if rest in {"gif", "webp", "apng"}:
        return _MOVING_PICTURE
    return {"image": (MediaKind.IMAGE,), "audio": (MediaKind.AUDIO,), "video": _FILM}.get(main, ())
