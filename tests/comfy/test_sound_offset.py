"""The model hears a given sound where it is in the clip, not up to 46 ms before."""

import hashlib
import importlib
import wave
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from core.domain.media import MediaFile, MediaKind
from core.domain.modes import Mode
from core.domain.requests import Request
from core.workflow.heard_sound import whole_blocks

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tests.comfy.conftest import Lab

pytestmark = [
    pytest.mark.comfy_real,
    pytest.mark.filterwarnings("ignore"),  # torch and ComfyUI warn of themselves
]
RATE = 44_100  # that ComfyUI takes a sound to before it encodes it
BLOCK = 4096  # samples; of a shorter rest, half was cut at the beginning


def bursts() -> "NDArray[np.int16]":
    """Draw two seconds of noise that swells and falls six times a second."""
    noise = np.random.default_rng(1).normal(0, 6000, 2 * RATE)
    swell = np.sin(np.arange(2 * RATE) / RATE * np.pi * 6) ** 2
    return (noise * swell).clip(-32000, 32000).astype(np.int16)


def spoken(lab: "Lab") -> MediaFile:
    path = lab.media.parent / "bursts.wav"
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, RATE, 0, "NONE", ""))
        file.writeframes(bursts().tobytes())
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    size = path.stat().st_size
    path.rename(lab.media / f"{digest}.wav")
    return MediaFile(digest, ".wav", MediaKind.AUDIO, size, seconds=2.0, sample_rate=RATE)


@pytest.mark.parametrize("mode", [Mode.A2V, Mode.LIPSYNC])
@pytest.mark.parametrize("frames", [17, 25])
async def test_the_latent_is_that_of_the_sound_from_its_first_sample_on(
    lab: "Lab", mode: Mode, frames: int
) -> None:
    asked = lab.request(mode, f"it is heard {frames}", frames=frames)
    audio = spoken(lab)
    files = tuple(audio if file.kind is MediaKind.AUDIO else file for file in asked.files)
    before = lab.executor.plan
    lab.executor.plan = replace(before, family=replace(lab.family, sound_noise=0.0))
    try:
        heard, encode = await heard_latent(lab, replace(asked, files=files))
    finally:
        lab.executor.plan = before

    cut = round(frames / 24 * RATE) % BLOCK // 2
    right, shifted = encode(0, frames / 24), encode(cut, frames / 24)
    assert heard.shape == right.shape
    assert np.abs(heard - right).mean() < 0.01
    assert np.abs(heard - shifted).mean() > 0.03, "what was heard before"


async def heard_latent(lab: "Lab", request: Request) -> tuple[Any, Any]:
    """Return what the run froze, and what encodes the same sound from a sample on."""
    assert lab.executor.engine is not None
    classes: Any = lab.executor.engine.node_classes()
    frozen, encoder = classes["SetLatentNoiseMask"], classes["LTXVAudioVAEEncode"]
    seen: dict[str, Any] = {}
    freeze, run = frozen.set_mask, encoder.execute.__func__

    def watch(self: Any, samples: Any, mask: Any) -> Any:
        seen["heard"] = samples["samples"].float().numpy().copy()
        return freeze(self, samples, mask)

    def keep_vae(cls: Any, audio: Any, audio_vae: Any) -> Any:
        seen["vae"] = audio_vae
        return run(cls, audio, audio_vae)

    frozen.set_mask, encoder.execute = watch, classmethod(keep_vae)
    try:
        await lab.run(request)
    finally:
        frozen.set_mask, encoder.execute = freeze, classmethod(run)
    torch = importlib.import_module("torch")

    def encode(start: int, seconds: float) -> Any:
        count = round(whole_blocks(seconds) * RATE)
        samples = torch.from_numpy(bursts()[start : start + count] / np.float32(32768))
        sound = {"waveform": samples.repeat(1, 2, 1), "sample_rate": RATE}
        with torch.inference_mode():
            return run(encoder, sound, seen["vae"])[0]["samples"].float().numpy()

    return seen["heard"], encode
