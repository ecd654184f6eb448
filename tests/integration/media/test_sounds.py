"""Sounds as devices and programs write them: what is stored is as long and as loud."""

from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from core.domain.media import MediaKind
from core.media.decode import load_sound
from core.media.intake.store import MediaStore
from tests.support import recordings as made

AUDIO = MediaKind.AUDIO
SINE = "sine=440:r=48000:d=2"

SOUNDS = {
    # name: how it is encoded
    "audacity float.wav": ("-c:a", "pcm_f32le"),
    "scipy float64.wav": ("-c:a", "pcm_f64le"),
    "dictaphone.wav": ("-c:a", "adpcm_ima_wav"),
    "microsoft.wav": ("-c:a", "adpcm_ms"),
    "long.rf64.wav": ("-rf64", "always"),
    "sony.w64": (),
    "logic.aiff": ("-c:a", "pcm_s24be"),
    "garageband.caf": ("-c:a", "pcm_s16le"),
    "voice memo.caf": ("-c:a", "alac"),
    "nokia.amr": ("-c:a", "libopencore_amrnb", "-ar", "8000", "-ac", "1"),
    "nokia.3gp": ("-c:a", "libopencore_amrnb", "-ar", "8000", "-ac", "1"),
    "television.ts": ("-c:a", "mp2"),
    "dvd.ac3": ("-c:a", "ac3"),
    "stream.eac3": ("-c:a", "eac3"),
    "windows.wma": ("-c:a", "wmav2"),
    "old.avi": ("-c:a", "libmp3lame"),
    "flash.flv": ("-c:a", "libmp3lame", "-ar", "44100"),
    "telegram voice.ogg": ("-c:a", "libopus", "-ac", "1", "-b:a", "32k"),
    "sun.au": ("-c:a", "pcm_s16be"),
}


@pytest.mark.parametrize("name", SOUNDS)
async def test_sounds_of_every_kind_keep_their_length_pitch_and_level(
    name: str, tmp_path: Path, store: MediaStore
) -> None:
    source = tmp_path / name
    made.ffmpeg("-f", "lavfi", "-i", SINE, *SOUNDS[name], source)

    file = await store.admit(source, "audio", AUDIO)

    assert file.seconds == pytest.approx(2.0, abs=0.11)  # blocks of old codecs
    heard = load_sound(store.path_of(file), 16_000, 1).samples[0]
    middle = heard[8000:24_000]
    assert np.argmax(np.abs(np.fft.rfft(middle))) == pytest.approx(440, abs=1)
    assert np.sqrt(np.mean(middle**2)) == pytest.approx(
        0.0884,  # an eighth, as a sine; what telephones encode is no tone
        rel=0.55 if "nokia" in name else 0.15,
    )
    assert file.notes == ()


async def stored(store: MediaStore, source: Path) -> NDArray[np.float32]:
    return load_sound(store.path_of(await store.admit(source, "audio", AUDIO)), 48_000, 2).samples


def decibels(samples: NDArray[np.float32]) -> float:
    """Power of both channels together, as one hears it."""
    return float(10 * np.log10(np.mean(samples.astype(np.float64) ** 2, axis=1).sum()))


@pytest.mark.parametrize(
    ("layout", "codec"),
    [("5.1", "flac"), ("7.1", "flac"), ("5.1(side)", "ac3"), ("3.0", "flac"), ("5.1", "pcm_s16le")],
)
async def test_speech_in_the_centre_is_as_loud_after_mixing(
    layout: str, codec: str, tmp_path: Path, store: MediaStore
) -> None:
    names = [channel.name for channel in av.AudioLayout(layout).channels]
    gains = "|".join("0.7*sin(880*PI*t)" if name == "FC" else "0" for name in names)
    source = tmp_path / f"a.{ {'flac': 'flac', 'ac3': 'ac3'}.get(codec, 'wav') }"
    speech = f"aevalsrc={gains}:c={layout}:s=48000:d=1"
    made.ffmpeg("-f", "lavfi", "-i", speech, "-c:a", codec, source)

    heard = await stored(store, source)

    assert decibels(heard[:, 9600:38_400]) == pytest.approx(10 * np.log10(0.7**2 / 2), abs=0.7)


async def test_many_loud_channels_are_limited_below_full_scale(
    tmp_path: Path, store: MediaStore
) -> None:
    loud = "|".join(f"0.95*sin({200 + 131 * n}*2*PI*t)" for n in range(6))
    source = tmp_path / "a.flac"
    made.ffmpeg("-f", "lavfi", "-i", f"aevalsrc={loud}:c=5.1:s=48000:d=2", "-c:a", "flac", source)

    heard = await stored(store, source)

    frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(heard), "fltp", "stereo")
    frame.sample_rate = 48_000
    finer = av.AudioResampler("fltp", "stereo", 192_000).resample(frame)
    peak = max(float(np.abs(part.to_ndarray()).max()) for part in finer)
    assert 20 * np.log10(peak) <= -1.0
    assert decibels(heard) > -6


async def test_a_stereo_sound_is_not_touched(tmp_path: Path, store: MediaStore) -> None:
    source = tmp_path / "a.wav"
    made.ffmpeg("-f", "lavfi", "-i", "aevalsrc=0.99*sin(880*PI*t)|0:s=48000:d=1", source)

    heard = await stored(store, source)

    assert np.abs(heard[0]).max() == pytest.approx(0.99, abs=1e-3)
    assert np.abs(heard[1]).max() < 1e-4


async def test_television_that_changes_its_channels_goes_on(
    tmp_path: Path, store: MediaStore
) -> None:
    parts: list[bytes] = []
    for layout in ("5.1(side)", "stereo"):
        part = tmp_path / f"{layout}.ac3"
        made.ffmpeg("-f", "lavfi", "-i", SINE, "-ac", "6" if layout != "stereo" else "2", part)
        parts.append(part.read_bytes())
    source = tmp_path / "both.ac3"
    source.write_bytes(b"".join(parts))

    file = await store.admit(source, "audio", AUDIO)

    assert file.seconds == pytest.approx(4.0, abs=0.1)


@pytest.mark.parametrize("name", ["a.wav", "a.flac", "a.aiff", "a.m4a", "a.caf"])
async def test_a_sound_whose_end_is_missing_says_how_much_was_read(
    name: str, tmp_path: Path, store: MediaStore
) -> None:
    whole = tmp_path / f"whole-{name}"
    start = ("-movflags", "+faststart") if name == "a.m4a" else ()
    made.ffmpeg("-f", "lavfi", "-i", "sine=440:r=48000:d=6", *start, whole)
    source = tmp_path / name
    data = whole.read_bytes()
    source.write_bytes(data[: len(data) * 6 // 10])

    file = await store.admit(source, "audio", AUDIO)

    assert 2 < file.seconds < 5
    (note,) = file.notes
    assert note.code == "film_read_in_part"
    assert note.data["read_s"] == pytest.approx(file.seconds)


@pytest.mark.parametrize("size", [b"\xff\xff\xff\xff", b"\0\0\0\0", b"\xff\xff\xff\x7f"])
async def test_a_streamed_wav_that_does_not_know_its_size_is_whole(
    size: bytes, tmp_path: Path, store: MediaStore
) -> None:
    source = tmp_path / "a.wav"
    made.ffmpeg("-f", "lavfi", "-i", SINE, "-fflags", "+bitexact", source)
    data = bytearray(source.read_bytes())
    at = data.index(b"data") + 4
    data[4:8], data[at : at + 4] = size, size
    source.write_bytes(data)

    file = await store.admit(source, "audio", AUDIO)

    assert file.seconds == pytest.approx(2.0, abs=0.01)
    assert file.notes == ()
