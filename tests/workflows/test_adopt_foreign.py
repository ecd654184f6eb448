"""Foreign graphs are followed by what flows through them, and what their owner did stays."""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from core.domain.modes import Mode
from core.workflow.adopt import adopt
from core.workflow.errors import NotAdoptable
from core.workflow.library import load
from tests.workflows.test_adopt_reach import codes, graph_of, node, prompt_of

if TYPE_CHECKING:
    from tests.workflows.conftest import Ask, Export

T2V = Mode.T2V


def test_conditioning_is_followed_through_a_node_that_nobody_knows(
    export: "Export", ask: "Ask"
) -> None:
    nodes = export(T2V)
    nodes["order"] = node("SomebodysOrder", signal=["5536", 0], value=["5537", 0])
    nodes["cond"]["inputs"] |= {"positive": ["order", 0], "negative": ["order", 1]}

    graph = prompt_of(adopt(graph_of(nodes), T2V), ask, negative_prompt="rain")

    assert graph["5536"]["inputs"]["text"] == "a fox runs through snow"
    assert graph["5537"]["inputs"]["text"] == "rain"


@pytest.mark.parametrize("kind", ["LTXVLoopingSampler", "SomebodysSampler"])
def test_a_sampler_is_known_by_what_it_takes(export: "Export", ask: "Ask", kind: str) -> None:
    nodes = export(T2V)
    for one in nodes.values():
        if one["class_type"] == "SamplerCustomAdvanced":
            one["class_type"] = kind
            one["inputs"]["latents"] = one["inputs"].pop("latent_image")

    graph = prompt_of(adopt(graph_of(nodes), T2V), ask, seed=99)

    assert graph["noise"]["inputs"]["noise_seed"] == 99
    assert graph["5536"]["inputs"]["text"] == "a fox runs through snow"


def test_an_empty_latent_is_known_by_what_it_gives(export: "Export", ask: "Ask") -> None:
    nodes = export(T2V)
    nodes["latent"]["class_type"] = "SomebodysEmptyLatent"

    graph = prompt_of(adopt(graph_of(nodes), T2V), ask, width=640, height=384, frames=49)

    latent = graph["latent"]["inputs"]
    assert (latent["width"], latent["height"], latent["length"]) == (320, 192, 49)


def test_arithmetic_that_stays_is_no_reason_to_refuse(export: "Export") -> None:
    nodes = export(T2V)
    nodes["tile"] = node("ComfyMathExpression", expression="a * 64", values__a=8)
    nodes["frames"] = node(
        "VAEDecodeTiled", samples=nodes["frames"]["inputs"]["samples"], vae=["174", 0],
        tile_size=["tile", 1], overlap=64, temporal_size=64, temporal_overlap=8,
    )  # fmt: skip

    assert "tile" in adopt(graph_of(nodes), T2V).workflow.graph.nodes
    nodes["tile"] = node("ComfyMathExpression", expression="64")
    with pytest.raises(NotAdoptable, match="values"):
        adopt(graph_of(nodes), T2V)


def test_a_size_that_is_halved_by_arithmetic_is_followed_to_its_root(
    export: "Export", ask: "Ask"
) -> None:
    nodes = export(T2V)
    for side, root in (("width", "5383"), ("height", "5382")):
        nodes[f"half {side}"] = node("ComfyMathExpression", expression="a/2", values__a=[root, 0])
        nodes["latent"]["inputs"][side] = [f"half {side}", 1]

    graph = prompt_of(adopt(graph_of(nodes), T2V), ask, width=640, height=384)

    assert (graph["latent"]["inputs"]["width"], graph["latent"]["inputs"]["height"]) == (320, 192)


def test_what_else_gets_the_length_follows_the_request(export: "Export", ask: "Ask") -> None:
    nodes = export(T2V)
    nodes["many"] = node("PrimitiveInt", "Video Length", value=121)
    nodes["latent"]["inputs"]["length"] = ["many", 0]
    nodes["cut"] = node("ImageFromBatch", image=["frames", 0], batch_index=0, length=["many", 0])
    nodes["217"]["inputs"] = {"any_01": ["cut", 0]}

    graph = prompt_of(adopt(graph_of(nodes), T2V), ask, frames=49)

    assert graph["cut"]["inputs"]["length"] == 49


def test_a_guide_at_the_last_frame_stays_at_the_last_frame_of_any_length(
    export: "Export", ask: "Ask"
) -> None:
    nodes = export(Mode.KEYFRAME)
    guides = [one["inputs"] for one in nodes.values() if one["class_type"] == "LTXVAddGuideMulti"]
    for inputs in guides:
        inputs["num_guides.frame_idx_2"] = 150  # of 6 s at 25 frames, and one

    graph = prompt_of(adopt(graph_of(nodes), Mode.KEYFRAME), ask, frames=49)

    bound = [one["inputs"] for one in graph.values() if one["class_type"] == "LTXVAddGuideMulti"]
    assert {inputs["num_guides.frame_idx_2"] for inputs in bound} == {-1}
    assert graph["5437"]["inputs"]["image"] == "first.bin"


def test_what_the_owner_does_with_the_prompt_stays(export: "Export", ask: "Ask") -> None:
    nodes = export(T2V)
    nodes["typed"] = node("PrimitiveStringMultiline", "Prompt", value="a man talks")
    nodes["longer"] = node(
        "TextGenerateLTX2Prompt", clip=["146", 0], prompt=["typed", 0], max_length=64,
        sampling_mode="off",
    )  # fmt: skip
    nodes["either"] = node(
        "ComfySwitchNode", switch=["enhance", 0], on_false=["typed", 0], on_true=["longer", 0]
    )
    nodes["enhance"] = node("PrimitiveBoolean", "Enhance", value=True)
    nodes["5536"]["inputs"]["text"] = ["either", 0]

    found = adopt(graph_of(nodes), T2V)

    graph = prompt_of(found, ask)
    assert graph["typed"]["inputs"]["value"] == "a fox runs through snow"
    assert graph["5536"]["inputs"]["text"] == ["longer", 0]
    assert "adopt_text_kept" in codes(found)
    nodes["enhance"]["inputs"]["value"] = False
    plain = prompt_of(adopt(graph_of(nodes), T2V), ask)
    assert plain["5536"]["inputs"]["text"] == "a fox runs through snow"
    assert "longer" not in plain


def test_of_texts_put_together_the_one_called_prompt_is_filled(
    export: "Export", ask: "Ask"
) -> None:
    nodes = export(T2V)
    nodes["typed"] = node("PrimitiveStringMultiline", "my prompt", value="a man talks")
    nodes["joined"] = node(
        "StringConcatenate", string_a="cinematic", string_b=["typed", 0], delimiter=", "
    )
    nodes["5536"]["inputs"]["text"] = ["joined", 0]

    graph = prompt_of(adopt(graph_of(nodes), T2V), ask)

    assert graph["typed"]["inputs"]["value"] == "a fox runs through snow"
    assert graph["joined"]["inputs"]["string_a"] == "cinematic"
    nodes["typed"]["_meta"]["title"] = "text"
    assert "adopt_text_cut" in codes(adopt(graph_of(nodes), T2V))


def test_an_input_that_became_required_is_filled_and_told(export: "Export") -> None:
    nodes = export(T2V)
    del nodes["euler"]["inputs"]["sampler_name"]

    found = adopt(graph_of(nodes), T2V)

    assert found.workflow.graph.to_prompt()["euler"]["inputs"]["sampler_name"] == "euler"
    (told,) = [notice for notice in found.notices if notice.code == "adopt_default"]
    assert told.data["input"] == "sampler_name"


def test_of_several_savers_one_can_be_named(export: "Export") -> None:
    nodes = export(T2V)
    nodes["sampler9"] = node("SamplerCustomAdvanced", **nodes["sampler1"]["inputs"])
    nodes["look"] = node("VAEDecode", samples=["sampler9", 0], vae=["174", 0])
    nodes["other"] = node("VHS_VideoCombine", "side", images=["look", 0], frame_rate=24)

    graph = adopt(graph_of(nodes), T2V, output="188").workflow.graph

    assert graph.to_prompt()["clapper_output"]["inputs"]["images"] == ["217", 0]
    assert "look" not in graph.nodes
    with pytest.raises(NotAdoptable) as caught:
        adopt(graph_of(nodes), T2V, output="elsewhere")
    assert caught.value.reason == "no_such_output"


def test_a_lora_is_judged_by_the_model_of_its_own_graph(export: "Export") -> None:
    nodes = export(T2V)
    nodes["366"] = node("CheckpointLoaderSimple", ckpt_name="ltx-2-19b-dev-fp8.safetensors")

    found = adopt(graph_of(nodes), T2V)

    rows = found.workflow.graph.to_prompt()["211"]["inputs"]
    assert rows["lora_2"]["on"] is True
    assert rows["lora_1"]["on"] is False
    (told,) = [notice for notice in found.notices if notice.code == "adopt_lora"]
    assert told.data["wanted"] == "ltx-2-19b"


def test_classes_of_comfyui_itself_need_no_pack(export: "Export") -> None:
    nodes = export(T2V)
    nodes["more"] = node("LoraLoader", model=["700", 0], clip=["146", 0], strength_clip=1,
                         lora_name="ltx-2.3-x.safetensors", strength_model=1)  # fmt: skip
    for one in nodes.values():
        if one["class_type"] == "CFGGuider":
            one["inputs"]["model"] = ["more", 0]

    assert "adopt_unknown" not in codes(adopt(graph_of(nodes), T2V))


def test_a_list_that_packs_widen_is_believed_only_beside_a_pack(export: "Export") -> None:
    own = load(T2V, None).graph.to_prompt()
    for nodes in (own, beside := export(T2V)):
        for one in nodes.values():
            if one["class_type"] == "KSamplerSelect":
                one["inputs"]["sampler_name"] = "res_2s"

    with pytest.raises(NotAdoptable, match="res_2s"):
        adopt(graph_of(own), T2V)
    found = adopt(graph_of(beside), T2V)
    (told,) = [notice.data for notice in found.notices if notice.code == "adopt_listed"]
    assert (told["input"], told["value"]) == ("sampler_name", "res_2s")


def test_another_version_of_a_pack_is_no_reason_to_refuse(export: "Export") -> None:
    nodes = export(T2V)
    nodes["700"]["inputs"] = {"chunks": "many", "model": ["211", 0]}

    assert adopt(graph_of(nodes), T2V)


def test_what_a_pack_only_shows_is_not_what_saves_the_clip(export: "Export") -> None:
    nodes = export(Mode.I2V)
    nodes["asked"] = node("LTXVGemmaEnhancePrompt", clip=["146", 0], prompt="a man talks",
                          image=["149", 0])  # fmt: skip
    nodes["5536"]["inputs"]["text"] = ["asked", 0]

    found = adopt(graph_of(nodes), Mode.I2V)

    assert [n.data["node"] for n in found.notices if n.code == "adopt_output"] == ["188"]


@pytest.mark.parametrize(("counter", "slot"), [("GetImageSize", 2), ("GetImageSizeAndCount", 3)])
def test_a_picture_that_is_shown_in_each_frame_is_shown_in_all(
    export: "Export", ask: "Ask", counter: str, slot: int
) -> None:
    nodes = export(T2V)
    nodes["sheet"] = node("EmptyImage", width=512, height=512, batch_size=1, color=0)
    nodes["each"] = node("RepeatImageBatch", image=["sheet", 0], amount=["product", 1])
    nodes["product"] = node("ComfyMathExpression", expression="a * b", values__a=5, values__b=25)
    nodes["fitted"] = node("ImageScaleBy", image=["each", 0], upscale_method="area", scale_by=0.5)
    nodes["counted"] = node(counter, image=["fitted", 0])
    nodes["latent"]["inputs"]["length"] = ["counted", slot]
    nodes["shown"] = node("LTXVAddGuide", positive=["cond", 0], negative=["cond", 1],
                          vae=["174", 0], latent=["latent", 0], image=["fitted", 0], frame_idx=0,
                          strength=1.0)  # fmt: skip
    nodes["both1"]["inputs"]["video_latent"] = ["shown", 2]

    graph = prompt_of(adopt(graph_of(nodes), T2V), ask, frames=49)

    assert (graph["each"]["inputs"]["amount"], graph["latent"]["inputs"]["length"]) == (49, 49)


def test_files_in_folders_of_windows_are_found_here(export: "Export") -> None:
    nodes = export(T2V)
    nodes["101"]["inputs"]["model_name"] = "ltx\\2.3\\up-x2.safetensors"
    nodes["211"]["inputs"]["lora_1"]["lora"] = "ltx\\ltx-2.3-distilled.safetensors"
    nodes["5536"]["inputs"]["text"] = "a man\\woman talks"

    graph = adopt(graph_of(nodes), T2V).workflow.graph.to_prompt()

    assert graph["101"]["inputs"]["model_name"] == str(Path("ltx", "2.3", "up-x2.safetensors"))
    lora = graph["211"]["inputs"]["lora_1"]["lora"]
    assert lora == str(Path("ltx", "ltx-2.3-distilled.safetensors"))
    assert graph["5536"]["inputs"]["text"] == "a man\\woman talks"


def test_what_a_pack_s_language_model_is_told_beside_the_prompt_stays(
    export: "Export", ask: "Ask"
) -> None:
    """Its preset and its instruction are no prompt, and neither are words behind its picture."""
    nodes = export(T2V)
    nodes["blank"] = node("EmptyImage", width=64, height=64, batch_size=1, color=0)
    nodes["seen"] = node(
        "ImageResizeKJv2", image=["blank", 0], width=64, height=64, upscale_method="area",
        keep_proportion="crop", pad_color="0, 0, 0", crop_position="center", divisible_by=32,
        device="cpu",
    )  # fmt: skip
    nodes["writes"] = node(
        "somebodys_language_model", preset_prompt="Normal - Describe", custom_prompt="a man talks",
        system_prompt="you are a poet", attention="eager", quantization="none", images=["seen", 0],
    )  # fmt: skip
    nodes["5536"]["inputs"]["text"] = ["writes", 0]

    found = adopt(graph_of(nodes), T2V)

    told = prompt_of(found, ask)["writes"]["inputs"]
    assert told["custom_prompt"] == "a fox runs through snow"
    assert (told["preset_prompt"], told["system_prompt"]) == ("Normal - Describe", "you are a poet")
    assert "adopt_text_kept" in codes(found)
