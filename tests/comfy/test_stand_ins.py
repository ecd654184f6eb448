"""Small files of random weights hold all that ComfyUI loads: nothing is left to chance."""

import logging
from typing import TYPE_CHECKING, Any

import pytest

from core.domain.modes import Mode
from core.models.catalog import Profile

if TYPE_CHECKING:
    from tests.comfy.conftest import Lab

pytestmark = [
    pytest.mark.comfy_real,
    pytest.mark.filterwarnings("ignore"),  # torch and ComfyUI warn of themselves
    pytest.mark.timeout(600),  # a text of a thousand tokens is read first
]
SAMPLED = {
    "sampling_mode": "on",
    "temperature": 0.7,
    "top_k": 64,
    "top_p": 0.95,
    "min_p": 0.05,
    "repetition_penalty": 1.05,
    "seed": 3,
}


@pytest.fixture
def nodes(lab: "Lab") -> Any:
    assert lab.executor.engine is not None
    return lab.executor.engine.node_classes()


async def test_nothing_that_comfyui_loads_is_missing_in_a_file(
    lab: "Lab", nodes: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """A parameter that no file gives is whatever lay in memory, now and then no number."""
    names = lab.family.names(Profile.FP8)
    with caplog.at_level(logging.DEBUG):
        nodes["CheckpointLoaderSimple"]().load_checkpoint(names.checkpoint)
        nodes["LTXAVTextEncoderLoader"].execute(names.text_encoder, names.checkpoint, "default")
        nodes["LTXVAudioVAELoader"].execute(names.checkpoint)
        nodes["LatentUpscaleModelLoader"].execute(names.upscaler)

    said = [record.getMessage() for record in caplog.records]
    assert [line for line in said if "missing" in line.lower()] == []


async def test_a_text_about_a_picture_is_drawn_from_numbers(lab: "Lab", nodes: Any) -> None:
    torch = pytest.importorskip("torch")
    await lab.run(lab.request(Mode.T2V, seed=170))  # models of before lie in memory
    names = lab.family.names(Profile.FP8)
    made = nodes["LTXAVTextEncoderLoader"].execute(names.text_encoder, names.checkpoint, "default")
    clip = made[0]
    seen: list[bool] = []
    kind: Any = pytest.importorskip("comfy.text_encoders.llama").BaseGenerate
    draw = kind.sample_token

    def looked_at(self: Any, logits: Any, *given: Any, **named: Any) -> Any:
        seen.append(bool(torch.isfinite(logits).all()))
        return draw(self, logits, *given, **named)

    picture = torch.full((1, 96, 128, 3), 0.1)
    try:
        kind.sample_token = looked_at
        nodes["TextGenerateLTX2Prompt"].execute(clip, "a boat", 3, SAMPLED, image=picture)
    finally:
        kind.sample_token = draw

    assert seen == [True] * 3
