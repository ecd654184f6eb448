"""Lips follow a noisy copy of the speech; what is delivered is the speech itself."""

import importlib
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from core.domain.modes import Mode
from core.media.decode import load_sound

if TYPE_CHECKING:
    from tests.comfy.conftest import Lab

pytestmark = [
    pytest.mark.comfy_real,
    pytest.mark.filterwarnings("ignore"),  # torch and ComfyUI warn of themselves
]


async def test_noise_reaches_the_picture_and_never_the_delivered_sound(lab: "Lab") -> None:
    request = lab.request(Mode.LIPSYNC, seed=80)
    before = lab.executor.plan
    clean = replace(lab.family, sound_noise=0.0)

    noisy = await lab.run(request)
    lab.executor.plan = replace(before, family=clean)
    try:
        plain = await lab.run(request)
    finally:
        lab.executor.plan = before

    audio = request.media()["audio"]
    sent = load_sound(lab.media / audio.name, 48_000, 2, request.sampling.seconds)
    assert not np.array_equal(noisy.frames, plain.frames)
    for clip in (noisy, plain):
        assert clip.sound is not None
        assert np.array_equal(clip.sound.samples, sent.samples)


def test_noise_is_as_loud_as_its_part_of_the_sound_and_the_same_for_a_seed(lab: "Lab") -> None:
    torch = importlib.import_module("torch")
    assert lab.executor.engine is not None
    add = lab.executor.engine.node_classes()["ClapperSoundNoise"]().add  # pyright: ignore[reportAttributeAccessIssue]
    wave = torch.sin(torch.arange(96_000) / 20).reshape(1, 1, -1).repeat(1, 2, 1) * 0.5
    sound = {"waveform": wave, "sample_rate": 48_000}

    (one,), (again,), (other,), (none,) = (
        add(sound, level, seed) for level, seed in ((0.03, 1), (0.03, 1), (0.03, 2**64 - 1), (0, 1))
    )

    difference = one["waveform"] - wave
    share = float(difference.square().mean().sqrt() / wave.square().mean().sqrt())
    assert share == pytest.approx(0.03, rel=0.02)
    assert torch.equal(one["waveform"], again["waveform"])
    assert not torch.equal(one["waveform"], other["waveform"])
    assert none is sound
    silence = {"waveform": torch.zeros(1, 2, 100), "sample_rate": 48_000}
    assert not add(silence, 0.03, 1)[0]["waveform"].any()
