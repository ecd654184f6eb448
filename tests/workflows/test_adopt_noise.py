"""A file of which sampling leaves nothing is no control, whatever it is wired to."""

from typing import TYPE_CHECKING, Any

import pytest

from core.domain.modes import Mode
from core.workflow.adopt import adopt
from core.workflow.errors import NotAdoptable
from tests.workflows.test_adopt_reach import graph_of, node

if TYPE_CHECKING:
    from tests.workflows.conftest import Export

Nodes = dict[str, Any]
LIPSYNC = Mode.LIPSYNC


def unmasked(export: "Export") -> Nodes:
    """Give the model the latents of the sound as they are, with no mask that keeps them."""
    nodes = export(LIPSYNC)
    nodes["both1"]["inputs"]["audio_latent"] = ["heard", 0]
    return nodes


def schedule(nodes: Nodes, kind: str, slot: int = 0, **inputs: Any) -> Nodes:
    nodes["schedule"] = node(kind, **inputs)
    nodes["sampler1"]["inputs"]["sigmas"] = ["schedule", slot]
    return nodes


def test_a_sound_that_is_covered_with_noise_is_refused(export: "Export") -> None:
    with pytest.raises(NotAdoptable, match="5400") as caught:
        adopt(graph_of(unmasked(export)), LIPSYNC)

    assert caught.value.reason == "file_unreached"


@pytest.mark.parametrize(
    ("kind", "inputs"),
    [
        ("LTXVScheduler", {"steps": 20, "max_shift": 2.05, "base_shift": 0.95, "stretch": True,
                           "terminal": 0.1, "latent": ["both1", 0]}),
        ("BasicScheduler", {"scheduler": "simple", "steps": 8, "denoise": 1.0,
                            "model": ["700", 0]}),
        ("SplitSigmas", {"sigmas": ["sigmas1", 0], "step": 2}),
    ],
)  # fmt: skip
def test_every_schedule_that_begins_at_full_noise_covers_it(
    export: "Export", kind: str, inputs: dict[str, Any]
) -> None:
    with pytest.raises(NotAdoptable):
        adopt(graph_of(schedule(unmasked(export), kind, **inputs)), LIPSYNC)


@pytest.mark.parametrize(
    ("kind", "slot", "inputs"),
    [
        ("ManualSigmas", 0, {"sigmas": "0.9, 0.7, 0.4, 0.0"}),
        ("BasicScheduler", 0, {"scheduler": "simple", "steps": 8, "denoise": 0.6,
                               "model": ["700", 0]}),
        ("SplitSigmas", 1, {"sigmas": ["sigmas1", 0], "step": 2}),
        ("SomebodysScheduler", 0, {"steps": 8}),
    ],
)  # fmt: skip
def test_a_schedule_that_begins_lower_leaves_some_of_it(
    export: "Export", kind: str, slot: int, inputs: dict[str, Any]
) -> None:
    adopt(graph_of(schedule(unmasked(export), kind, slot, **inputs)), LIPSYNC)


def test_without_noise_nothing_is_covered(export: "Export") -> None:
    nodes = unmasked(export)
    nodes["none"] = node("DisableNoise")
    nodes["sampler1"]["inputs"]["noise"] = ["none", 0]

    adopt(graph_of(nodes), LIPSYNC)


def test_what_an_unknown_node_does_with_latents_may_keep_them(export: "Export") -> None:
    nodes = unmasked(export)
    nodes["kept"] = node("SomebodysMask", samples=["heard", 0])
    nodes["both1"]["inputs"]["audio_latent"] = ["kept", 0]

    adopt(graph_of(nodes), LIPSYNC)


def test_a_picture_that_is_only_encoded_is_no_first_frame(export: "Export") -> None:
    nodes = export(Mode.I2V)
    nodes["flat"] = node("VAEEncode", pixels=["pressed", 0], vae=["174", 0])
    nodes["many"] = node("RepeatLatentBatch", samples=["flat", 0], amount=1)
    nodes["both1"]["inputs"]["video_latent"] = ["many", 0]
    nodes["black"]["inputs"]["again"] = ["latent", 0]
    nodes["up"]["inputs"]["samples"] = ["parts1", 0]
    nodes["both2"]["inputs"]["video_latent"] = ["up", 0]

    with pytest.raises(NotAdoptable):
        adopt(graph_of(nodes), Mode.I2V)
