"""Frames come back as they were asked, whatever a graph does to them after its decoder."""

from typing import TYPE_CHECKING, Any

import pytest

from core.domain.modes import Mode
from core.workflow.adopt import adopt
from core.workflow.errors import NotAdoptable
from tests.workflows.test_adopt_reach import Nodes, codes, graph_of, node, prompt_of

if TYPE_CHECKING:
    from tests.workflows.conftest import Ask, Export

T2V = Mode.T2V


def with_last(nodes: Nodes, kind: str, picture: str = "image", **inputs: Any) -> Nodes:
    """Put a node between the decoded frames and what saves them."""
    nodes["last"] = node(kind, **{picture: ["frames", 0]}, **inputs)
    nodes["217"]["inputs"]["any_04"] = ["last", 0]
    return nodes


@pytest.mark.parametrize(
    ("kind", "inputs"),
    [
        ("ImageUpscaleWithModel", {"upscale_model": ["loader", 0]}),
        ("ImageScaleBy", {"upscale_method": "lanczos", "scale_by": 2.0}),
        ("ImageScale", {"upscale_method": "area", "width": 1920, "height": 1080, "crop": "center"}),
        ("ImageResizeKJ", {"width": 1280, "height": 1280}),
        ("RTXVideoSuperResolution", {"scale": 2}),
    ],
)
def test_frames_whose_size_is_changed_are_brought_to_the_asked_one(
    export: "Export", ask: "Ask", kind: str, inputs: dict[str, Any]
) -> None:
    nodes = with_last(export(T2V), kind, **inputs)
    nodes["loader"] = node("UpscaleModelLoader", model_name="4x.safetensors")

    found = adopt(graph_of(nodes), T2V)

    graph = prompt_of(found, ask, width=640, height=384)
    last = graph[graph["clapper_output"]["inputs"]["images"][0]]
    assert "adopt_fitted" in codes(found)
    assert last["class_type"] == "ImageScale"
    assert (last["inputs"]["width"], last["inputs"]["height"]) == (640, 384)
    assert "last" in graph, "what its owner does stays"


def test_frames_that_are_fitted_are_not_cut_once_more(export: "Export", ask: "Ask") -> None:
    """A graph with a guide of half the size works on larger sides than were asked."""
    nodes = with_last(export(Mode.STYLE), "ImageScaleBy", upscale_method="area", scale_by=2.0)
    nodes["up"] = node(
        "LTXVLatentUpsampler", samples=["crop", 2], upscale_model=["101", 0], vae=["174", 0]
    )
    nodes["frames"]["inputs"]["samples"] = ["up", 0]

    found = adopt(graph_of(nodes), Mode.STYLE)

    assert found.workflow.bindings.canvas == 128
    kinds = [one["class_type"] for one in prompt_of(found, ask, width=640, height=448).values()]
    assert "ImageScale" in kinds
    assert "ImageCrop" not in kinds


def test_a_cut_of_its_owner_is_made_to_the_asked_size(export: "Export", ask: "Ask") -> None:
    nodes = export(T2V)
    cut = {"width": 1920, "height": 1080, "x": 0, "y": 4}
    nodes["cut"] = node("ImageCrop", image=["frames", 0], **cut)
    nodes["made"] = node("CreateVideo", images=["cut", 0], audio=["218", 0], fps=["5446", 0])
    nodes["188"] = node("SaveVideo", video=["made", 0], filename_prefix="x", format="auto",
                        codec="auto")  # fmt: skip

    graph = prompt_of(adopt(graph_of(nodes), T2V), ask, width=640, height=384)

    inputs = graph["cut"]["inputs"]
    assert [inputs[name] for name in ("width", "height", "x", "y")] == [640, 384, 0, 0]


def test_a_grain_over_the_frames_changes_no_size(export: "Export") -> None:
    found = adopt(graph_of(with_last(export(T2V), "SomebodysFilmGrain", "images")), T2V)

    assert "adopt_fitted" not in codes(found)
    assert "clapper_fitted" not in found.workflow.graph.nodes


def test_a_size_before_the_decoder_is_no_size_of_the_clip(export: "Export") -> None:
    assert "adopt_fitted" not in codes(adopt(graph_of(export(Mode.I2V)), Mode.I2V))


@pytest.mark.parametrize("kind", ["RIFE VFI", "FrameInterpolate", "RIFEInterpolation", "FILM VFI"])
def test_frames_between_frames_are_refused_by_name(export: "Export", kind: str) -> None:
    nodes = with_last(export(T2V), kind, "frames", multiplier=2)

    with pytest.raises(NotAdoptable) as caught:
        adopt(graph_of(nodes), T2V)

    assert caught.value.reason == "more_frames"
    assert kind in caught.value.detail


def test_a_picture_beside_the_film_is_refused_by_name(export: "Export") -> None:
    nodes = with_last(export(T2V), "ImageConcatMulti", "image_1", image_2=["frames", 0])

    with pytest.raises(NotAdoptable) as caught:
        adopt(graph_of(nodes), T2V)

    assert caught.value.reason == "frames_beside"


def test_an_upscaler_of_a_pack_is_known_by_the_network_that_it_takes(
    export: "Export", ask: "Ask"
) -> None:
    nodes = export(T2V)
    nodes["up"]["class_type"] = "LTXVLatentUpsamplerTiled"

    graph = prompt_of(adopt(graph_of(nodes), T2V), ask, width=640, height=384)

    assert (graph["latent"]["inputs"]["width"], graph["latent"]["inputs"]["height"]) == (320, 192)


def test_latents_that_get_more_frames_are_refused_by_name(export: "Export") -> None:
    nodes = export(T2V)
    nodes["101"]["inputs"]["model_name"] = "ltx-2.3-Temporal-upscaler-x2.safetensors"

    with pytest.raises(NotAdoptable) as caught:
        adopt(graph_of(nodes), T2V)

    assert caught.value.reason == "more_frames"
