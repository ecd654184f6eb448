"""Sounds as devices and programs write them: a beep at one second of two."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from tests.support import recordings as made

Make: TypeAlias = Callable[[Path], Path]
EVENT_S, LENGTH_S = 1.0, 2.0
_BEEP = "aevalsrc=0.5*sin(2000*PI*t)*between(t\\,1\\,1.1):s=%d:d=2"


@dataclass(frozen=True, slots=True)
class Sound:
    """One device or program, and what its sound has to be when it is stored."""

    device: str
    make: Make
    channels: int = 1
    peaks: tuple[float, ...] = (0.5, 0.5)  # of left and right
    seconds: float = LENGTH_S
    notes: tuple[str, ...] = ()


def _sound(name: str, *codec: str, rate: int = 48_000, front: bytes = b"") -> Make:
    def make(folder: Path) -> Path:
        path = folder / name
        made.ffmpeg("-f", "lavfi", "-i", _BEEP % rate, *codec, path)
        path.write_bytes(front + path.read_bytes())
        return path

    return make


def _id3(size: int, version: int = 3, *, times: int = 1) -> bytes:
    """Return an ID3 tag with so many bytes of nothing."""
    length = bytes(size >> shift & 0x7F for shift in (21, 14, 7, 0))
    return (b"ID3" + bytes([version, 0, 0]) + length + bytes(size)) * times


def _cut(make: Make, share: float) -> Make:
    def cut(folder: Path) -> Path:
        path = make(folder)
        content = path.read_bytes()
        path.write_bytes(content[: round(len(content) * share)])
        return path

    return cut


def _streamed(folder: Path) -> Path:
    """Write a WAV of a program that did not know the length when it began."""
    path = _sound("stream.wav")(folder)
    content = bytearray(path.read_bytes())
    data = content.index(b"data") + 4
    content[4:8] = content[data : data + 4] = b"\xff" * 4
    path.write_bytes(content)
    return path


_VOICE = ("-c:a", "libopus", "-b:a", "24k", "-ac", "1")
_CENTRE = (0.354, 0.354)  # −3 dB on both sides
_FLAC = ("-c:a", "flac")
_READ = ("film_read_in_part",)

SOUNDS = (
    Sound("Audacity, float WAV", _sound("a.wav", "-c:a", "pcm_f32le")),
    Sound("SciPy, float64 WAV", _sound("a.wav", "-c:a", "pcm_f64le")),
    Sound("EAC, FLAC behind ID3", _sound("a.flac", front=_id3(2048))),
    Sound("FLAC behind two tags", _sound("a.flac", front=_id3(10, times=2))),
    Sound("WAV behind ID3", _sound("a.wav", front=_id3(10))),
    Sound("M4A behind ID3", _sound("a.m4a", front=_id3(300_000, 4))),
    Sound("MP3 with a cover of 300 kB", _sound("a.mp3", "-id3v2_version", "0",
                                               front=_id3(300_000))),
    Sound("Telegram, voice message", _sound("voice.ogg", *_VOICE)),
    Sound("WhatsApp, voice message", _sound("voice.opus", *_VOICE, "-application", "voip")),
    Sound("iPhone, voice memo", _sound("memo.m4a", "-c:a", "aac", rate=44_100)),
    Sound("Android recorder, AMR", _sound("a.amr", "-c:a", "libopencore_amrnb", "-ar", "8000",
                                          "-b:a", "12.2k"), peaks=(0.52, 0.52)),
    Sound("GarageBand, 24-bit AIFF", _sound("a.aiff", "-c:a", "pcm_s24be")),
    Sound("Logic, CAF", _sound("a.caf", "-c:a", "alac")),
    Sound("field recorder, RF64 at 192 kHz", _sound("a.wav", "-rf64", "always", rate=192_000)),
    Sound("Sound Forge, W64", _sound("a.w64")),
    Sound("telephone, 8 kHz µ-law", _sound("a.wav", "-c:a", "pcm_mulaw", rate=8_000)),
    Sound("dictation machine, ADPCM", _sound("a.wav", "-c:a", "adpcm_ms"), seconds=2.04),
    Sound("a program that streams WAV", _streamed),
    Sound("browser, WebM", _sound("a.webm", "-c:a", "libopus")),
    Sound("DVD, AC-3", _sound("a.ac3")),
    Sound("5.1, speech in the centre", _sound("a.wav", "-af", "pan=5.1|FC=c0"),
          channels=2, peaks=_CENTRE),
    Sound("7.1 AAC, speech in the centre", _sound("a.m4a", "-af", "pan=7.1|FC=c0"),
          channels=2, peaks=_CENTRE),
    Sound("lapel microphone on the right", _sound("a.wav", "-af", "pan=stereo|c1=c0"),
          channels=2, peaks=(0.0, 0.5)),
    Sound("both sides the same", _sound("a.flac", "-af", "pan=stereo|c0=c0|c1=c0"), channels=2),
    Sound("WAV, cut", _cut(_sound("a.wav"), 0.8), seconds=1.6, notes=_READ),
    Sound("W64, cut", _cut(_sound("a.w64"), 0.8), seconds=1.6, notes=_READ),
    Sound("AU, cut", _cut(_sound("a.au"), 0.8), seconds=1.6, notes=_READ),
    Sound("AIFF, cut", _cut(_sound("a.aiff"), 0.8), seconds=1.6, notes=_READ),
    Sound("CAF, cut", _cut(_sound("a.caf", "-c:a", "pcm_s16le"), 0.8), seconds=1.6, notes=_READ),
    Sound("MP3, cut", _cut(_sound("a.mp3", "-b:a", "128k"), 0.8), seconds=1.6, notes=_READ),
    Sound("WMA, cut", _cut(_sound("a.wma", "-b:a", "128k", "-af", "adelay=46"), 0.8), seconds=1.6,
          notes=_READ),
)  # fmt: skip
