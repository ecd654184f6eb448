"""Binding is pure, and takes whatever people write as text."""

import json
from itertools import product
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.modes import MODES, Mode
from core.domain.presets import Preset
from core.domain.progress import Stage
from core.domain.requests import Request, Sampling
from core.errors import MediaMissing
from core.models.catalog import Profile, names
from core.workflow.bind import bind
from core.workflow.control_video import ControlVideo
from core.workflow.input_files import inputs_of
from core.workflow.library import load
from core.workflow.prompt_phrases import prompt_text
from core.workflow.validation import MAX_NODES, graph_defects
from core.workflow.values import MachineChoices

if TYPE_CHECKING:
    from tests.workflows.conftest import Ask, Fill

INJECTIONS = [
    '"}, "evil": {"class_type": "SaveImage", "inputs": {}}}',
    '["checkpoint", 0]',
    "{{prompt}} %prompt% ${HOME} $(id) `id` {0} {a|b}",
    "../../etc/passwd\\..\\x",
    "<lora:evil:1.0> (shout:1.9) [[x]]",
    "multi\nline\twith \u202eodd\u200b characters 🦊",
]


@pytest.mark.parametrize("mode", Mode)
def test_binding_changes_no_template_and_repeats_itself(
    mode: Mode, ask: "Ask", fill: "Fill"
) -> None:
    before = json.dumps(load(mode, None).graph.to_prompt())
    first = fill(ask(mode, Preset.QUALITY, prompt="other"), guided=True, tile=512)
    spoiled = first.graph
    for node in spoiled.values():
        node["inputs"].clear()

    assert first.graph != spoiled
    assert fill(ask(mode, Preset.QUALITY, prompt="other"), guided=True, tile=512) == first
    assert json.dumps(load(mode, None).graph.to_prompt()) == before


@pytest.mark.parametrize("text", INJECTIONS)
@pytest.mark.parametrize("mode", Mode)
def test_a_prompt_is_one_string_and_nothing_else(
    mode: Mode, text: str, ask: "Ask", fill: "Fill"
) -> None:
    plain = fill(ask(mode, Preset.QUALITY, prompt="x", negative_prompt="x"), guided=True).graph
    graph = fill(ask(mode, Preset.QUALITY, prompt=text, negative_prompt=text), guided=True).graph

    assert graph["prompt"]["inputs"].pop("text") == prompt_text(text, mode, {})
    assert prompt_text(text, mode, {}).startswith(text)
    assert graph["negative"]["inputs"].pop("text") == text
    for key in ("prompt", "negative"):
        del plain[key]["inputs"]["text"]
    assert graph == plain


@given(text=st.text(min_size=1, max_size=300).filter(str.strip))
def test_no_text_changes_more_than_the_prompt(text: str) -> None:
    def graph(prompt: str) -> dict[str, Any]:
        request = Request(Mode.T2V, prompt, Sampling(Preset.FAST, 768, 512, 121, 24, 7))
        found = bind(load(Mode.T2V, None), request, names(Profile.FP8), {}, "job-1").graph
        assert isinstance(found["prompt"]["inputs"].pop("text"), str)
        return found

    assert graph(text) == graph("plain")


@pytest.mark.parametrize("mode", [mode for mode in Mode if MODES[mode].slots])
def test_an_unstaged_file_is_named(mode: Mode, ask: "Ask") -> None:
    with pytest.raises(MediaMissing) as caught:
        bind(load(mode, None), ask(mode), names(Profile.FP8), {}, "job-1")

    assert caught.value.role == MODES[mode].slots[0].role


@pytest.mark.parametrize("mode", Mode)
def test_every_node_has_a_stage_and_the_output_is_ours(
    mode: Mode, ask: "Ask", fill: "Fill"
) -> None:
    bound = fill(ask(mode))

    assert bound.stages.keys() == bound.graph.keys()
    assert bound.stages["stage1_sampler"] is Stage.STAGE1
    assert bound.stages["stage2_sampler"] is Stage.STAGE2
    output = bound.graph[bound.output_node]
    assert output["class_type"] == "ClapperOutput"
    assert output["inputs"]["job"] == "job-1"


@pytest.mark.parametrize("profile", Profile)
def test_profiles_change_the_files_and_nothing_else(profile: Profile, ask: "Ask") -> None:
    bound = bind(load(Mode.T2V, None), ask(Mode.T2V), names(profile), {}, "job-1").graph

    if names(profile).split:
        assert bound["checkpoint"]["inputs"]["unet_name"] == names(profile).transformer
        assert bound["text_encoder"]["inputs"]["clip_name1"] == names(profile).text_encoder
    else:
        assert bound["checkpoint"]["inputs"]["ckpt_name"] == names(profile).checkpoint
        assert bound["text_encoder"]["inputs"]["ckpt_name"] == names(profile).checkpoint
        assert bound["text_encoder"]["inputs"]["text_encoder"] == names(profile).text_encoder


def test_a_source_video_is_prepared_and_its_sound_staged_beside_it(
    ask: "Ask", with_sound: Any
) -> None:
    request = ask(Mode.STYLE, width=1280, height=704, media={"video": with_sound})

    video, sound, image = inputs_of(load(Mode.STYLE, None), request)

    assert isinstance(video.control, ControlVideo)
    assert (video.control.canvas.width, video.control.canvas.height) == (1280, 768)
    assert (sound.role, sound.file, sound.control) == ("sound", with_sound, None)
    assert image.role == "image"


def test_without_a_prompt_the_mode_says_something_neutral(ask: "Ask", fill: "Fill") -> None:
    for mode in (mode for mode in Mode if not MODES[mode].prompt_required):
        assert fill(ask(mode, prompt="")).graph["prompt"]["inputs"]["text"]


@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize("preset", Preset)
def test_no_choice_of_the_machine_makes_a_graph_that_comfyui_would_refuse(
    mode: Mode, preset: Preset, ask: "Ask", with_sound: Any
) -> None:
    request = ask(mode, preset, negative_prompt="rain", media={"video": with_sound})
    workflow = load(mode, None)
    staged = {item.role: item.file.name for item in inputs_of(workflow, request)}
    for guided, tile, stage1 in product((False, True), (0, 640), ("", "kept")):
        choices = MachineChoices(guided=guided, tile=tile, stage1=stage1)

        bound = bind(workflow, request, names(Profile.FP8), staged, "job-1", choices)

        nodes = bound.bound.nodes
        assert list(graph_defects(bound.bound)) == []
        assert bound.bound.upstream(bound.output_node) == nodes.keys(), "no dead node"
        assert len(nodes) <= MAX_NODES
        assert bound.stages.keys() == nodes.keys()
