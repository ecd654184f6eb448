"""Films as devices and programs write them: the test picture, a flash and a beep at one second."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeAlias

from PIL import Image

from tests.support import recordings as made
from tests.support.recordings import BT709, HDR, LINEAR, QUADRANTS, X264, hevc

Make: TypeAlias = Callable[[Path], Path]
EVENT_S = 1.0  # when it flashes and beeps
LENGTH_S = 2.0
_BEEP = "aevalsrc=0.5*sin(2000*PI*t)*between(t\\,1\\,1.1):s=48000:d=2"
_FLASH = "drawbox=c=white:t=fill:enable='between(t,0.99,1.09)'"
_AAC = ("-c:a", "aac")


@dataclass(frozen=True, slots=True)
class Recording:
    """One device or program, and what its film has to be when it is stored."""

    device: str
    make: Make
    size: tuple[int, int] = (made.WIDTH, made.HEIGHT)
    fps: float = 30
    seconds: float = LENGTH_S
    event_s: float = EVENT_S
    beeps: bool = True
    colours: Sequence[tuple[int, int, int]] = QUADRANTS
    tolerance: int = 8
    notes: tuple[str, ...] = ()


def _film(
    name: str, *codecs: str, filters: str = BT709, fps: str = "30", sound: Sequence[str] = _AAC
) -> Make:
    def make(folder: Path) -> Path:
        path = folder / name
        picture = ("-loop", "1", "-framerate", fps, "-t", "2", "-i", made.picture(folder))
        heard = ("-f", "lavfi", "-i", _BEEP) if sound else ()
        made.ffmpeg(*picture, *heard, "-vf", f"{_FLASH},{filters}", *codecs, *sound, path)
        return path

    return make


def _copied(make: Make, name: str, *options: str, before: Sequence[str] = ()) -> Make:
    """Put what ``make`` makes into another file, undecoded."""

    def copied(folder: Path) -> Path:
        path = folder / name
        made.ffmpeg(*before, "-i", make(folder), *options, "-c", "copy", path)
        return path

    return copied


_P3 = ("-color_primaries", "smpte432", "-color_trc", "bt709", "-colorspace", "bt709")
_VP8 = ("-c:v", "libvpx", "-deadline", "realtime", "-cpu-used", "8", "-b:v", "2M")
_OPUS = ("-c:a", "libopus")
_VP9 = ("-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8")
_AV1 = ("-c:v", "libsvtav1", "-preset", "12", "-svtav1-params", "log=0")
_TAGS = ("-color_primaries", "bt2020", "-colorspace", "bt2020nc", "-color_trc")
_TAGS_PQ, _TAGS_HLG = (*_TAGS, "smpte2084"), (*_TAGS, "arib-std-b67")
_HLG = f"{LINEAR},zscale=t=arib-std-b67{HDR}"
_PQ = f"{LINEAR},zscale=t=smpte2084{HDR}"
_TURNED = (QUADRANTS[2], QUADRANTS[0], QUADRANTS[3], QUADRANTS[1])
_DVD = ("-c:v", "mpeg2video", "-q:v", "3", "-flags", "+ilme+ildct", "-f", "vob")
_SD = "scale=out_color_matrix=bt601:out_range=tv,format=yuv420p"
_NTSC = "scale=720:480:out_color_matrix=smpte170m:out_range=tv,setsar=8/9,format=yuv420p"

_CONTAINER_ONLY = (
    "-bsf:v", "h264_metadata=colour_primaries=2:transfer_characteristics=2:matrix_coefficients=2",
    "-movflags", "+write_colr",
)  # fmt: skip


def _with_sensors(folder: Path) -> Path:
    """Add a track of data as GoPro writes it, which no player knows."""
    text, path = folder / "text.srt", folder / "sensors.mp4"
    text.write_text("1\n00:00:00,000 --> 00:00:02,000\nhi\n")
    film = _film("plain.mp4", *X264)(folder)
    made.ffmpeg("-i", film, "-i", text, "-c", "copy", "-c:s", "mov_text", path)
    content = path.read_bytes().replace(b"sbtl", b"meta").replace(b"tx3g", b"gpmd")
    path.write_bytes(content)
    return path


def _behind_cover(folder: Path) -> Path:
    """Put a picture before the film, as music shops do."""
    film, path = _film("plain.mp4", *X264)(folder), folder / "cover.mp4"
    cover = made.picture(folder).with_suffix(".jpg")
    with Image.open(made.picture(folder)) as upright:
        upright.rotate(180).save(cover)
    both = ("-map", "0", "-map", "1", "-c", "copy", "-disposition:v:0", "attached_pic")
    made.ffmpeg("-i", cover, "-i", film, *both, path)
    return path


def _begun_late(folder: Path) -> Path:
    """Cut a transport stream inside a packet, as a receiver does that starts to record."""
    path = _film("late.ts", *X264, "-g", "15", sound=("-c:a", "mp2"))(folder)
    content = path.read_bytes()
    keys = [at for at in range(0, len(content), 188) if _is_key(content[at : at + 6])]
    path.write_bytes(content[keys[1] - 111 :])
    return path


def _is_key(head: bytes) -> bool:
    """Tell whether a packet of a transport stream begins a picture that needs no other."""
    video = int.from_bytes(head[1:3]) & 0x1FFF == 0x100
    return video and bool(head[3] & 0x20 and head[4] and head[5] & 0x40)


def _dolby(folder: Path, profile: int, base: int) -> Path:
    """Say in an HLG film that it is Dolby Vision of ``profile`` over a base of that number."""
    path = _iphone(folder)
    content = bytearray(path.read_bytes())
    at = content.index(b"hvcC") - 4
    at += int.from_bytes(content[at : at + 4])
    record = bytes([1, 0, profile << 1, 0x4D, base << 4]) + bytes(19)
    for name in (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd", b"hvc1"):
        place = content.index(name) - 4
        size = int.from_bytes(content[place : place + 4]) + 32
        content[place : place + 4] = size.to_bytes(4)
    content[at:at] = (32).to_bytes(4) + b"dvcC" + record
    path.write_bytes(content)
    return path


_iphone = _film("iphone.mov", *hevc("arib-std-b67"), filters=_HLG)
dolby_5 = partial(_dolby, profile=5, base=0)
_long_gop = _film("photos.mp4", *X264, "-g", "300")

RECORDINGS = (
    Recording("iPhone, HLG", _iphone, tolerance=25),
    Recording(
        "iPhone, HLG, held upright",
        _copied(_iphone, "upright.mov", before=("-display_rotation", "-90")),
        size=(made.HEIGHT, made.WIDTH),
        colours=_TURNED,
        tolerance=25,
    ),
    Recording(
        "iPhone, P3",
        _film("p3.mov", *X264, *_P3, filters=f"{BT709},zscale=p=smpte432:t=bt709:m=bt709"),
    ),
    Recording(
        "Photos, trimmed",
        _copied(_long_gop, "trimmed.mp4", before=("-ss", "0.4")),
        seconds=1.6,
        event_s=0.6,
    ),
    Recording(
        "Pixel, HLG at 60",
        _film("pixel.mp4", *hevc("arib-std-b67"), filters=_HLG, fps="60"),
        tolerance=25,
    ),
    Recording("Galaxy, HDR10", _film("galaxy.mp4", *hevc("smpte2084"), filters=_PQ), tolerance=25),
    Recording("GoPro, with a track of its sensors", _with_sensors),
    Recording(
        "GoPro, with a time code track", _film("gopro.mp4", *X264, "-timecode", "10:00:00:00")
    ),
    Recording("OBS", _film("obs.mkv", *X264, "-bf", "2")),
    Recording(
        "Chrome, MediaRecorder", _film("chrome.webm", *_VP8, "-live", "1", sound=_OPUS, filters=_SD)
    ),
    Recording(
        "WhatsApp",
        _film("whatsapp.mp4", *X264, "-profile:v", "baseline", "-movflags", "+faststart"),
    ),
    Recording(
        "Telegram, video note",
        _film("note.mp4", *X264, filters=f"crop=256:256,{BT709}"),
        size=(256, 256),
    ),
    Recording(
        "DVD",
        _film("dvd.vob", *_DVD, filters=_NTSC, fps="30000/1001", sound=("-c:a", "ac3")),
        size=(640, 480),
        fps=29.97,
        tolerance=10,
    ),
    Recording("surveillance camera", _film("cctv.ts", *X264, sound=("-c:a", "mp2"))),
    Recording(
        "Final Cut, ProRes",
        _film(
            "cut.mov",
            "-c:v",
            "prores_ks",
            "-profile:v",
            "0",
            sound=("-c:a", "pcm_s24le"),
            filters=f"{BT709},format=yuv422p10le",
        ),
    ),
    Recording(
        "DivX", _film("divx.avi", "-c:v", "mpeg4", "-q:v", "3", sound=("-c:a", "ac3"), filters=_SD)
    ),
    Recording(
        "Windows Movie Maker",
        _film("wmm.wmv", "-c:v", "wmv2", "-q:v", "3", sound=("-c:a", "wmav2"), filters=_SD),
    ),
    Recording("iPhone, Dolby Vision over HLG", partial(_dolby, profile=8, base=4), tolerance=25),
    Recording(
        "HDR10 in AV1", _film("hdr.mp4", *_AV1, *_TAGS_PQ, filters=_PQ), tolerance=25, event_s=0.985
    ),
    Recording(
        "HLG in VP9, said by the container",
        _film("hlg.webm", *_VP9, *_TAGS_HLG, filters=_HLG, sound=_OPUS),
        tolerance=25,
    ),
    Recording(
        "MP4, P3 said by the container",
        _film(
            "box.mp4",
            *X264,
            *_P3,
            *_CONTAINER_ONLY,
            filters=f"{BT709},zscale=p=smpte432:t=bt709:m=bt709,format=yuv420p",
        ),
    ),
    Recording("H.264 and MP3 in AVI", _film("a.avi", *X264, sound=("-c:a", "mp3")), event_s=1.01),
    Recording(
        "web player, MP4 in fragments",
        _film("f.mp4", *X264, "-g", "15", "-movflags", "frag_keyframe+empty_moov"),
        seconds=2.03,
        event_s=1.02,
    ),
    Recording(
        "Theora, still at its end",
        _film(
            "a.ogv",
            "-c:v",
            "libtheora",
            "-q:v",
            "8",
            sound=("-c:a", "libvorbis"),
            filters=_SD,
        ),
        fps=10,
    ),
    Recording("music shop, cover first", _behind_cover),
    Recording("receiver, begun inside a packet", _begun_late, seconds=1.5, event_s=0.5),
    Recording("screen recorder, no sound", _film("screen.mp4", *X264, sound=()), beeps=False),
)
