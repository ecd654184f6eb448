"""A user's own export becomes the workflow of a mode, whatever packs it uses."""

import json
import resource
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from safetensors.numpy import save_file

from core.domain.media import MediaKind
from core.domain.modes import MODES, Mode
from core.domain.progress import Stage
from core.models.catalog import Profile, names
from core.settings import PROJECT_ROOT
from core.workflow.adopt import adopt
from core.workflow.adopt.pipeline import remove_adoption, save_adoption
from core.workflow.bind import BoundWorkflow, bind
from core.workflow.errors import EditorFormat, NotAdoptable, NotAWorkflow, WorkflowNotKept
from core.workflow.graph import Graph, parse, read
from core.workflow.guides import guides_of
from core.workflow.input_files import inputs_of
from core.workflow.library import Workflow, load
from core.workflow.prompt_phrases import prompt_text
from core.workflow.validation import defects
from tests.workflows.disguise import disguised

if TYPE_CHECKING:
    from tests.workflows.conftest import Ask, Export

# a film goes on by a graph of its own alone
ADOPTABLE = [mode for mode in Mode if not MODES[mode].continues]


def graph_of(nodes: dict[str, Any]) -> Graph:
    return parse(json.dumps(nodes), "export.json")


def filled(workflow: Workflow, ask: "Ask", **sampling: Any) -> BoundWorkflow:
    request = ask(workflow.mode, **sampling)
    staged = {item.role: f"{item.role}.bin" for item in inputs_of(workflow, request)}
    return bind(workflow, request, names(Profile.FP8), staged, "job-1")


@pytest.mark.parametrize("saver", ["VHS_VideoCombine", "SaveVideo"])
@pytest.mark.parametrize("mode", ADOPTABLE)
def test_an_export_of_every_mode_is_adopted_and_used(
    mode: Mode, saver: str, export: "Export", ask: "Ask", tmp_path: Path
) -> None:
    found = adopt(graph_of(export(mode, saver)), mode)
    save_adoption(found.workflow, tmp_path)

    workflow = load(mode, tmp_path)
    graph = filled(workflow, ask, width=768, height=512, frames=49, fps=24, seed=99).graph

    assert workflow.custom
    assert defects(workflow) == []
    assert graph["5536"]["inputs"]["text"] == prompt_text("a fox runs through snow", mode, {})
    assert graph["noise"]["inputs"]["noise_seed"] == 99
    assert graph["latent"]["inputs"]["length"] == 49
    assert graph["cond"]["inputs"]["frame_rate"] == 24.0
    sides = (768, 512) if guides_of(mode).clip_shrink else (384, 256)
    assert (graph["latent"]["inputs"]["width"], graph["latent"]["inputs"]["height"]) == sides
    assert graph["clapper_output"]["inputs"]["images"] == ["217", 0]
    assert graph["clapper_output"]["inputs"]["audio"] == ["218", 0]


@pytest.mark.parametrize("mode", ADOPTABLE)
def test_every_file_of_the_mode_reaches_its_loader(
    mode: Mode, export: "Export", ask: "Ask"
) -> None:
    graph = filled(adopt(graph_of(export(mode)), mode).workflow, ask).graph

    pictures = MODES[mode].roles(MediaKind.IMAGE)
    # the frame index tells, not the order of the nodes or their titles
    loaders = ("5437", "149") if guides_of(mode).frames else ("149",)[: len(pictures)]
    wanted = {loaders[0]: pictures[0], loaders[-1]: pictures[-1]} if loaders else {}
    wanted |= dict(zip(["5400"], MODES[mode].roles(MediaKind.AUDIO), strict=False))
    wanted |= dict(zip(["5444"], MODES[mode].roles(MediaKind.VIDEO), strict=False))
    files = {
        key: value
        for key, node in graph.items()
        for value in node["inputs"].values()
        if isinstance(value, str) and value.endswith(".bin")
    }
    assert files == {key: f"{role}.bin" for key, role in wanted.items()}
    assert set(wanted.values()) == {slot.role for slot in MODES[mode].slots}


def test_what_the_clip_does_not_need_is_left_out(export: "Export") -> None:
    found = adopt(graph_of(export(Mode.T2V)), Mode.T2V)

    kinds = {node.kind for node in found.workflow.graph.nodes.values()}
    assert not kinds & {"PreviewAudio", "VHS_LoadVideo", "LoadImage", "MathExpression|pysssss"}
    assert {"adopt_output", "adopt_dropped"} <= {notice.code for notice in found.notices}


def test_the_sizes_of_pictures_follow_the_request(export: "Export", ask: "Ask") -> None:
    graph = filled(adopt(graph_of(export(Mode.I2V)), Mode.I2V).workflow, ask, width=640).graph

    assert graph["5383"]["inputs"]["value"] == 640
    assert graph["5429"]["inputs"]["resize_type.width"] == ["5383", 0]


def test_files_are_used_from_their_beginning(export: "Export") -> None:
    speech = adopt(graph_of(export(Mode.LIPSYNC)), Mode.LIPSYNC).workflow.graph.to_prompt()
    dance = adopt(graph_of(export(Mode.STYLE)), Mode.STYLE).workflow.graph.to_prompt()

    assert speech["5400"]["inputs"]["start_time"] == 0.0
    assert dance["5444"]["inputs"]["skip_first_frames"] == 0


def test_a_lora_of_another_base_is_switched_off_by_name(export: "Export") -> None:
    found = adopt(graph_of(export(Mode.T2V)), Mode.T2V)

    rows = found.workflow.graph.to_prompt()["211"]["inputs"]
    assert rows["lora_1"]["on"] is True
    assert rows["lora_2"]["on"] is False
    refused = [notice.data["file"] for notice in found.notices if notice.code == "adopt_lora"]
    assert refused == ["ltx-2-19b-camera-dolly.safetensors"]


def test_a_lora_of_another_base_is_switched_off_by_its_header(
    export: "Export", tmp_path: Path
) -> None:
    nodes = export(Mode.T2V)
    name = nodes["211"]["inputs"]["lora_1"]["lora"]
    (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    save_file({"lora_unet_down_blocks_0.weight": np.zeros(2, np.float32)}, tmp_path / name)

    found = adopt(graph_of(nodes), Mode.T2V, tmp_path)

    assert found.workflow.graph.to_prompt()["211"]["inputs"]["lora_1"]["on"] is False
    assert [notice.data["base"] for notice in found.notices if notice.code == "adopt_lora"] == [
        "sd",
        "ltx-2-19b",
    ]


def test_node_packs_are_named(export: "Export") -> None:
    found = adopt(graph_of(export(Mode.STYLE)), Mode.STYLE)

    packs = {notice.data["pack"] for notice in found.notices if notice.code == "adopt_pack"}
    assert {"ComfyUI-VideoHelperSuite", "rgthree-comfy", "comfyui_controlnet_aux"} <= packs


def test_unknown_classes_are_accepted_and_named(export: "Export") -> None:
    nodes = export(Mode.T2V)
    nodes["700"]["class_type"] = "SomebodysModelPatch"

    found = adopt(graph_of(nodes), Mode.T2V)

    said = [notice.data["classes"] for notice in found.notices if notice.code == "adopt_unknown"]
    assert said == ["SomebodysModelPatch"]


def test_stages_are_told_by_class_and_place(export: "Export") -> None:
    stages = adopt(graph_of(export(Mode.I2V)), Mode.I2V).workflow.bindings.stages

    assert stages["sampler1"] is Stage.STAGE1
    assert stages["sampler2"] is Stage.STAGE2
    assert stages["up"] is Stage.UPSCALE
    assert stages["366"] is Stage.LOAD
    assert stages["149"] is Stage.PREPARE
    assert stages["frames"] is Stage.DECODE


@pytest.mark.parametrize("mode", ADOPTABLE)
def test_no_number_of_the_export_is_left_that_a_request_has(mode: Mode, ask: "Ask") -> None:
    size = {"width": 1280, "height": 768}
    request = ask(mode, frames=97, fps=25, seed=314159, **size)
    workflow = load(mode, None)
    staged = {item.role: f"{item.role}.bin" for item in inputs_of(workflow, request)}
    export = disguised(bind(workflow, request, names(Profile.FP8), staged, "mine").graph)
    ours = {*size.values(), 640, 384, 97, 25, 314159, 314160}

    graph = filled(
        adopt(graph_of(export), mode).workflow, ask, width=896, height=512, frames=49, seed=9
    ).graph

    left = [(key, name, value) for key, node in graph.items()
            for name, value in node["inputs"].items()
            if isinstance(value, int | float) and value in ours]  # fmt: skip
    assert left == []


def test_an_empty_negative_prompt_keeps_the_owners(export: "Export", ask: "Ask") -> None:
    workflow = adopt(graph_of(export(Mode.T2V)), Mode.T2V).workflow

    assert filled(workflow, ask).graph["5537"]["inputs"]["text"] == "blurry"
    asked = filled(workflow, ask, negative_prompt="rain").graph
    assert asked["5537"]["inputs"]["text"] == "rain"


def test_a_control_guide_in_two_stages_works_on_larger_sides(export: "Export", ask: "Ask") -> None:
    nodes = export(Mode.STYLE)
    nodes["up"] = {
        "class_type": "LTXVLatentUpsampler",
        "inputs": {"samples": ["crop", 2], "upscale_model": ["101", 0], "vae": ["174", 0]},
    }
    nodes["frames"]["inputs"]["samples"] = ["up", 0]

    graph = filled(adopt(graph_of(nodes), Mode.STYLE).workflow, ask, width=1280, height=704).graph

    assert graph["latent"]["inputs"]["height"] == 384
    assert graph["clapper_crop"]["inputs"]["height"] == 704
    assert graph["clapper_crop"]["inputs"]["y"] == 32


def test_a_workflow_of_the_project_can_be_adopted_too(ask: "Ask") -> None:
    found = adopt(load(Mode.KEYFRAME, None).graph, Mode.KEYFRAME)

    graph = filled(found.workflow, ask).graph
    assert graph["first"]["inputs"]["image"] == "first.bin"
    assert graph["last"]["inputs"]["image"] == "last.bin"
    assert graph["stage2_noise"]["inputs"]["noise_seed"] == 8


def test_a_graph_that_crops_already_is_not_cropped_twice(ask: "Ask") -> None:
    workflow = adopt(load(Mode.STYLE, None).graph, Mode.STYLE).workflow

    crop = filled(workflow, ask, width=192, height=128).graph["cropped"]["inputs"]
    assert (crop["width"], crop["x"]) == (192, 32)
    assert "clapper_crop" not in workflow.graph.nodes


@pytest.mark.parametrize(
    ("mode", "other", "reason"),
    [
        (Mode.I2V, Mode.T2V, "no_image_loader"),
        (Mode.T2V, Mode.I2V, "extra_image_loader"),
        (Mode.I2V, Mode.LIPSYNC, "extra_audio_loader"),
        (Mode.LIPSYNC, Mode.A2V, "no_image_loader"),
        (Mode.KEYFRAME, Mode.I2V, "no_image_loader"),
        (Mode.STYLE, Mode.I2V, "no_video_loader"),
    ],
)
def test_an_export_of_another_mode_is_refused(
    mode: Mode, other: Mode, reason: str, export: "Export"
) -> None:
    with pytest.raises(NotAdoptable) as caught:
        adopt(graph_of(export(other)), mode)

    assert caught.value.reason == reason


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("VHS_VideoCombine", "no_saver"),
        ("EmptyLTXVLatentVideo", "no_latent"),
        ("CLIPTextEncode", "no_prompt"),
        ("RandomNoise", "no_seed"),
    ],
)
def test_what_is_missing_is_said(kind: str, reason: str, export: "Export") -> None:
    nodes = export(Mode.T2V)
    for node in nodes.values():
        if node["class_type"] == kind:
            node.update(class_type="Something", inputs={})

    with pytest.raises(NotAdoptable) as caught:
        adopt(graph_of(nodes), Mode.T2V)

    assert caught.value.reason == reason


def test_what_comfyui_would_refuse_is_refused(export: "Export") -> None:
    nodes = export(Mode.T2V)
    nodes["guider1"]["inputs"]["cfg"] = 1000

    with pytest.raises(NotAdoptable) as caught:
        adopt(graph_of(nodes), Mode.T2V)

    assert caught.value.reason == "does_not_validate"
    assert "guider1.cfg" in caught.value.detail


def test_the_editors_format_is_refused_with_its_own_reason() -> None:
    with pytest.raises(EditorFormat):
        parse(json.dumps({"nodes": [], "links": [], "version": 0.4}), "mine.json")


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", "null", '{"1": 5}', '{"1": {"inputs": {}}}', "\x00", "[" * 100_000],
)
def test_what_is_no_graph_is_refused(text: str) -> None:
    with pytest.raises(NotAWorkflow):
        parse(text, "mine.json")


def test_an_export_saved_anew_by_a_windows_editor_is_read(tmp_path: Path) -> None:
    path = tmp_path / "mine.json"
    path.write_text('{"1": {"class_type": "RandomNoise", "inputs": {}}}', "utf-8-sig")

    assert read(path).nodes["1"].kind == "RandomNoise"


def test_a_workflow_that_cannot_be_kept_leaves_the_kept_one(
    export: "Export", tmp_path: Path
) -> None:
    first = adopt(graph_of(export(Mode.T2V)), Mode.T2V).workflow
    save_adoption(first, tmp_path)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, before[1]))  # the second file is larger
    try:
        with pytest.raises(WorkflowNotKept):
            save_adoption(replace(first, graph=Graph.of([])), tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)

    assert load(Mode.T2V, tmp_path) == first
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize("renames", [1, 2])
def test_a_graph_is_never_used_with_the_bindings_of_another(
    export: "Export", tmp_path: Path, renames: int
) -> None:
    """A process that adopts is killed before one of its renames."""
    save_adoption(adopt(graph_of(export(Mode.T2V)), Mode.T2V).workflow, tmp_path)
    path = tmp_path / "export.json"
    path.write_text(json.dumps(export(Mode.T2V, "SaveVideo")), "utf-8")
    program = f"""
import itertools, os, signal, sys
from pathlib import Path
from core.domain.modes import Mode
from core.workflow.adopt.pipeline import adopt, save_adoption
from core.workflow.graph import read
count = itertools.count(1)
def ends(event, _):
    if event == "os.rename" and next(count) == {renames}:
        os.kill(os.getpid(), signal.SIGKILL)
sys.addaudithook(ends)
save_adoption(adopt(read(Path({str(path)!r})), Mode.T2V).workflow, Path({str(tmp_path)!r}))
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=PROJECT_ROOT, check=False)

    assert done.returncode == -9
    with pytest.raises(NotAWorkflow, match="bindings_absent"):
        load(Mode.T2V, tmp_path)


def test_a_forgotten_workflow_gives_way_to_the_projects(export: "Export", tmp_path: Path) -> None:
    save_adoption(adopt(graph_of(export(Mode.T2V)), Mode.T2V).workflow, tmp_path)

    assert remove_adoption(Mode.T2V, tmp_path)
    assert not load(Mode.T2V, tmp_path).custom
    assert not remove_adoption(Mode.T2V, tmp_path)


def test_no_graph_is_adopted_for_a_film_that_goes_on() -> None:
    with pytest.raises(NotAdoptable) as caught:
        adopt(load(Mode.EXTEND, None).graph, Mode.EXTEND)

    assert caught.value.reason == "continues_film"
