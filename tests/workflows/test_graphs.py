"""The graphs: sound in every form, small, made of core nodes, true to the two-stage facts."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from core.domain.modes import MODES, Mode
from core.domain.presets import Preset, Sync
from core.models.catalog import Profile, names
from core.workflow.bind import bind
from core.workflow.bindings import Binding
from core.workflow.errors import TemplateBroken
from core.workflow.graph import Graph, Link, Literal, Node
from core.workflow.guides import guides_of
from core.workflow.input_files import inputs_of
from core.workflow.library import Workflow, load
from core.workflow.node_schema import known_nodes
from core.workflow.validation import MAX_NODES, defects, require_sound
from core.workflow.values import MachineChoices

if TYPE_CHECKING:
    from tests.workflows.conftest import Ask, Fill

LOADERS = {"checkpoint", "text_encoder", "audio_vae", "upscaler", "stage1_model", "stage2_model"}
FROZEN = [Mode.A2V, Mode.LIPSYNC]


def prompt_of(mode: Mode) -> dict[str, Any]:
    return load(mode, None).graph.to_prompt()


def of_kind(graph: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return [node["inputs"] for node in graph.values() if node["class_type"] == kind]


@pytest.mark.parametrize("mode", Mode)
def test_graph_bindings_schema_and_requests_fit_together(mode: Mode) -> None:
    assert defects(load(mode, None)) == []


@pytest.mark.parametrize("mode", Mode)
def test_graphs_are_small_and_use_core_nodes_only(mode: Mode) -> None:
    graph = load(mode, None).graph

    packs = {known_nodes()[node.kind].pack for node in graph.nodes.values()}
    assert packs == {"core", "clapper"}
    assert len(graph.nodes) <= MAX_NODES
    assert all(node.title for node in graph.nodes.values())


@pytest.mark.parametrize("mode", Mode)
def test_loaders_are_the_same_text_in_every_mode_so_that_models_stay_warm(mode: Mode) -> None:
    own, first = prompt_of(mode), prompt_of(Mode.T2V)

    assert {key: own[key] for key in LOADERS} == {key: first[key] for key in LOADERS}


@pytest.mark.parametrize("mode", Mode)
def test_two_stages_of_plain_euler(mode: Mode, ask: "Ask", fill: "Fill") -> None:
    bound = fill(ask(mode))
    graph = bound.graph

    assert [item["sampler_name"] for item in of_kind(graph, "KSamplerSelect")] == ["euler"]
    assert graph["stage2_sigmas"]["inputs"]["sigmas"] == "0.85, 0.725, 0.4219, 0.0"
    assert bound.steps == {"stage1_sampler": 8, "stage2_sampler": 3}
    assert {item["cfg"] for item in of_kind(graph, "CFGGuider")} == {1.0}
    assert graph["video_latent"]["inputs"]["width"] == 384
    assert graph["stage1_noise"]["inputs"] != graph["stage2_noise"]["inputs"]


@pytest.mark.parametrize("mode", Mode)
def test_the_distilled_schedule_reads_no_negative_prompt(
    mode: Mode, ask: "Ask", fill: "Fill"
) -> None:
    request = ask(mode, Preset.QUALITY, negative_prompt="rain")

    assert len(of_kind(fill(request).graph, "CLIPTextEncode")) == 1
    assert len(of_kind(fill(request, guided=True).graph, "CLIPTextEncode")) == 2


@pytest.mark.parametrize("mode", Mode)
def test_guidance_runs_the_undistilled_model_in_stage_1_only(
    mode: Mode, ask: "Ask", fill: "Fill"
) -> None:
    bound = fill(ask(mode, Preset.QUALITY), guided=True)

    assert bound.steps == {"stage1_sampler": 30, "stage2_sampler": 3}
    inputs = {key: node["inputs"] for key, node in bound.graph.items()}
    strengths = [inputs[key]["strength_model"] for key in ("stage1_model", "stage2_model")]
    assert strengths == [0.0, 0.5]
    assert inputs["stage2_guider"]["cfg"] == 1.0


@pytest.mark.parametrize("mode", Mode)
def test_the_guided_schedule_has_every_term_of_the_makers(
    mode: Mode, ask: "Ask", fill: "Fill"
) -> None:
    graph = fill(ask(mode, Preset.QUALITY), guided=True).graph

    guider = graph["stage1_guider"]
    assert guider["class_type"] == "LTXVDualCFGGuider"
    assert (guider["inputs"]["video_cfg"], guider["inputs"]["audio_cfg"]) == (3.0, 7.0)
    rescaled = graph[guider["inputs"]["model"][0]]
    assert rescaled["inputs"]["rescale"] == 0.7
    modality = graph[rescaled["inputs"]["model"][0]]
    assert modality["inputs"]["modality_scale"] == 3.0
    perturbed = graph[modality["inputs"]["model"][0]]
    assert (perturbed["inputs"]["scale"], perturbed["inputs"]["blocks"]) == (1.0, "28")
    plain = fill(ask(mode, Preset.QUALITY)).graph["stage1_guider"]["inputs"]
    assert perturbed["inputs"]["model"] == plain["model"]


def test_lips_are_drawn_to_the_voice_where_it_is_asked_for(ask: "Ask", fill: "Fill") -> None:
    def scale(preset: Preset, sync: Sync, *, guided: bool) -> float:
        graph = fill(ask(Mode.LIPSYNC, preset, sync=sync), guided=guided).graph
        found = graph.get("stage1_modality")
        return found["inputs"]["modality_scale"] if found else 1.0

    quality = Preset.QUALITY
    assert [scale(quality, sync, guided=False) for sync in Sync] == [1.0, 3.0, 1.0]
    assert [scale(quality, sync, guided=True) for sync in Sync] == [3.0, 3.0, 1.0]
    assert [scale(Preset.BALANCED, sync, guided=True) for sync in Sync] == [1.0, 1.0, 1.0]


@pytest.mark.parametrize("preset", [Preset.FAST, Preset.BALANCED])
def test_only_the_quality_preset_takes_the_guided_schedule(
    preset: Preset, ask: "Ask", fill: "Fill"
) -> None:
    request = ask(Mode.T2V, preset)

    assert fill(request, guided=True).graph == fill(request).graph


@pytest.mark.parametrize("mode", [Mode.I2V, Mode.LIPSYNC])
def test_a_first_frame_is_held_loosely_then_firmly(mode: Mode) -> None:
    graph = prompt_of(mode)

    assert graph["stage1_image"]["inputs"]["strength"] == 0.7
    assert graph["stage2_image"]["inputs"]["strength"] == 1.0
    assert graph["image_compressed"]["inputs"]["img_compression"] == 33


@pytest.mark.parametrize("mode", [mode for mode in Mode if guides_of(mode).images])
def test_pictures_are_compressed_as_the_model_saw_them_unless_the_operator_says_so(
    mode: Mode, ask: "Ask"
) -> None:
    def levels(choices: MachineChoices) -> set[int]:
        workflow, request = load(mode, None), ask(mode)
        staged = {item.role: item.file.name for item in inputs_of(workflow, request)}
        bound = bind(workflow, request, names(Profile.FP8), staged, "job-1", choices)
        return {item["img_compression"] for item in of_kind(bound.graph, "LTXVPreprocess")}

    assert levels(MachineChoices()) == {33}
    assert levels(MachineChoices(compression=0)) == {0}


def test_lips_listen_to_a_noisy_copy_and_people_hear_the_clean_one(
    ask: "Ask", fill: "Fill"
) -> None:
    graph = fill(ask(Mode.LIPSYNC)).graph

    heard = graph["sound_latent"]["inputs"]["audio"][0]
    assert graph[heard]["class_type"] == "ClapperSoundNoise"
    assert graph[heard]["inputs"] == {"audio": ["audio", 0], "level": 0.03, "seed": 0}
    assert graph["output"]["inputs"]["audio"] == ["sound", 0]
    assert not of_kind(fill(ask(Mode.A2V)).graph, "ClapperSoundNoise")


@pytest.mark.parametrize("mode", FROZEN)
def test_given_sound_is_frozen_in_both_stages_and_delivered_untouched(mode: Mode) -> None:
    graph = prompt_of(mode)

    assert {item["audio_latent"][0] for item in of_kind(graph, "LTXVConcatAVLatent")} == {
        "audio_latent"
    }
    assert graph["audio_latent"]["class_type"] == "SetLatentNoiseMask"
    assert graph["freeze"]["inputs"]["value"] == 0.0
    assert not of_kind(graph, "LTXVAudioVAEDecode")
    sound = graph[graph["output"]["inputs"]["audio"][0]]
    assert sound["class_type"] == "TrimAudioDuration"
    assert graph[sound["inputs"]["audio"][0]]["class_type"] == "LoadAudio"


def test_keyframes_guide_both_stages_and_are_cut_off_before_decoding() -> None:
    graph = prompt_of(Mode.KEYFRAME)

    guides = of_kind(graph, "LTXVAddGuide")
    assert [guide["frame_idx"] for guide in guides] == [0, -1, 0, -1]
    assert {guide["strength"] for guide in guides} == {1.0}  # others mask every attention
    assert graph["frames"]["inputs"]["samples"] == ["stage2_crop", 2]
    assert graph["upscaled"]["inputs"]["samples"] == ["stage1_crop", 2]


def test_style_is_controlled_in_stage_1_by_edges_at_full_strength() -> None:
    graph = prompt_of(Mode.STYLE)

    (guide,) = of_kind(graph, "LTXVAddGuide")
    assert guide["strength"] == 1.0
    assert guide["iclora_parameters"] == ["control_parameters", 0]
    assert graph[guide["image"][0]]["class_type"] == "ClapperEdges"
    assert graph["stage1_guider"]["inputs"]["model"] == ["control_model", 0]
    assert graph["stage2_guider"]["inputs"]["model"] == ["stage2_model", 0]


def test_style_works_in_whole_latents_of_its_guide_and_delivers_the_asked_size(
    ask: "Ask", fill: "Fill"
) -> None:
    graph = fill(ask(Mode.STYLE, Preset.BALANCED)).graph  # 1280×704: 11 latents high in stage 1

    latent = graph["video_latent"]["inputs"]
    assert (latent["width"] % 64, latent["height"] % 64) == (0, 0)
    assert latent["height"] == 384
    assert graph["cropped"]["inputs"] | {"image": None} == {
        "image": None,
        "width": 1280,
        "height": 704,
        "x": 0,
        "y": 32,
    }


def test_style_keeps_the_sound_of_its_source(ask: "Ask", fill: "Fill", with_sound: Any) -> None:
    silent, loud = fill(ask(Mode.STYLE)), fill(ask(Mode.STYLE, media={"video": with_sound}))

    assert silent.graph["any_sound"]["class_type"] == "LTXVAudioVAEDecode"
    assert loud.graph["any_sound"] == {
        "class_type": "LoadAudio",
        "inputs": {"audio": with_sound.name},
        "_meta": {"title": "Sound"},
    }


@pytest.mark.parametrize("mode", Mode)
def test_decoding_in_tiles_changes_the_decoder_alone(mode: Mode, ask: "Ask", fill: "Fill") -> None:
    whole, tiled = fill(ask(mode)).graph, fill(ask(mode), tile=640).graph

    assert {key for key in whole if whole[key] != tiled[key]} == {"frames"}
    assert (whole["frames"]["class_type"], tiled["frames"]["class_type"]) == (
        "VAEDecode",
        "VAEDecodeTiled",
    )
    assert whole["frames"]["inputs"].items() <= tiled["frames"]["inputs"].items()
    assert tiled["frames"]["inputs"]["tile_size"] == 640
    assert fill(ask(mode, Preset.DRAFT), tile=256).graph["frames"]["inputs"]["tile_size"] == 256


def test_every_mode_binds_its_files() -> None:
    for mode in Mode:
        bound = {binding.value for binding in load(mode, None).bindings.values}
        assert {slot.role for slot in MODES[mode].slots} <= bound


def with_input(workflow: Workflow, node: str, name: str, value: Literal | Link) -> Workflow:
    changed = workflow.graph.nodes[node].with_input(name, value)
    return replace(workflow, graph=workflow.graph.with_nodes(changed))


def without_input(workflow: Workflow) -> Workflow:
    node = workflow.graph.nodes["stage1_guider"]
    rest = {name: value for name, value in node.inputs.items() if name != "cfg"}
    return replace(workflow, graph=workflow.graph.with_nodes(replace(node, inputs=rest)))


def with_dead_node(workflow: Workflow) -> Workflow:
    dead = Node("dead", "RandomNoise", {"noise_seed": Literal.of(1)}, "Nobody's")
    return replace(workflow, graph=Graph.of([*workflow.graph.nodes.values(), dead]))


def without_binding(workflow: Workflow, value: str) -> Workflow:
    rest = tuple(item for item in workflow.bindings.values if item.value != value)
    return replace(workflow, bindings=replace(workflow.bindings, values=rest))


def with_binding(workflow: Workflow, binding: Binding) -> Workflow:
    values = (*workflow.bindings.values, binding)
    return replace(workflow, bindings=replace(workflow.bindings, values=values))


BREAKS: dict[str, Any] = {
    "unknown_class": lambda w: replace(
        w, graph=w.graph.with_nodes(replace(w.graph.nodes["sampler"], kind="Nonsense"))
    ),
    "input_missing": without_input,
    "unknown_input": lambda w: with_input(w, "prompt", "txet", Literal.of("a")),
    "bad_value": lambda w: with_input(w, "video_latent", "width", Literal.of(32)),
    "type_mismatch": lambda w: with_input(w, "prompt", "clip", Link("checkpoint", 2)),
    "no_such_node": lambda w: with_input(w, "prompt", "clip", Link("nowhere")),
    "no_such_output": lambda w: with_input(w, "prompt", "clip", Link("text_encoder", 1)),
    "dead_node": with_dead_node,
    "no_stage": with_dead_node,
    "field_unbound": lambda w: without_binding(w, "prompt"),
    "unknown_value": lambda w: with_binding(w, Binding("mood", "prompt", "CLIPTextEncode", "text")),
    "another_class": lambda w: with_binding(w, Binding("seed", "prompt", "RandomNoise", "text")),
    "form_unbound": lambda w: without_binding(w, "tile_size"),
    "no_output": lambda w: replace(w, bindings=replace(w.bindings, output="prompt")),
}


@pytest.mark.parametrize("reason", BREAKS)
def test_the_check_finds(reason: str) -> None:
    broken = BREAKS[reason](load(Mode.T2V, None))

    assert reason in {defect.reason for defect in defects(broken)}
    with pytest.raises(TemplateBroken):
        require_sound(broken)


@pytest.mark.parametrize(
    ("node", "name", "value"),
    [
        ("stage1_sampler", "noise", 5),
        ("sampler", "sampler_name", "eular"),
        ("checkpoint", "ckpt_name", ""),
        ("video_latent", "length", True),
        ("video_latent", "length", 9.5),
        ("stage1_guider", "cfg", "3"),
        ("prompt", "text", ["a"]),
        ("stage1_guider", "cfg", 100.5),
    ],
)
def test_the_check_knows_types_ranges_and_choices(node: str, name: str, value: object) -> None:
    broken = with_input(load(Mode.T2V, None), node, name, Literal.of(value))

    assert [defect.node for defect in defects(broken) if defect.reason == "bad_value"]
