"""The sound of a request in a foreign graph: heard from its first sample on, delivered or not."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from core.comfy.clip_sound import sound_of
from core.comfy.output_node import NodeOutput
from core.domain.media import Sound
from core.domain.modes import Mode
from core.interfaces.executor import Order
from core.models.catalog import Profile, names
from core.workflow.adopt import Adoption, adopt
from core.workflow.adopt.given_sound import carries_given
from core.workflow.adopt.pipeline import save_adoption
from core.workflow.bind import bind
from core.workflow.graph import parse
from core.workflow.heard_sound import HeardSound, whole_blocks
from core.workflow.input_files import inputs_of
from core.workflow.library import load

if TYPE_CHECKING:
    from tests.workflows.conftest import Ask, Export

Nodes = dict[str, Any]


def adopted(nodes: Nodes, mode: Mode = Mode.LIPSYNC) -> Adoption:
    return adopt(parse(json.dumps(nodes), "export.json"), mode)


def node(kind: str, **inputs: Any) -> dict[str, Any]:
    return {"class_type": kind, "inputs": inputs, "_meta": {"title": f"my {kind}"}}


def told(found: Adoption) -> dict[str, dict[str, Any]]:
    return {notice.code: notice.data for notice in found.notices}


def heard(found: Adoption, ask: "Ask") -> tuple[object, Nodes]:
    """How the sound is staged, and the graph of 121 frames at 24 a second."""
    workflow = found.workflow
    request = ask(workflow.mode)
    staged = {item.role: item for item in inputs_of(workflow, request)}
    given = {role: f"{role}.bin" for role in staged}
    graph = bind(workflow, request, names(Profile.FP8), given, "job-1").graph
    return staged["audio"].control, graph


def own_voice(nodes: Nodes) -> Nodes:
    """Take the sound as a model for the voice of new speech alone."""
    nodes["silence"] = node("LTXVEmptyLatentAudio", frames_number=121, frame_rate=24, batch_size=1,
                            audio_vae=["175", 0])  # fmt: skip
    nodes["both1"]["inputs"]["audio_latent"] = ["silence", 0]
    nodes["voice"] = node("LTXVReferenceAudio", model=["700", 0], positive=["cond", 0],
                          negative=["cond", 1], reference_audio=["5400", 0],
                          audio_vae=["175", 0], identity_guidance_scale=3.0, start_percent=0.0,
                          end_percent=1.0)  # fmt: skip
    for one in nodes.values():
        if one["class_type"] == "CFGGuider":
            one["inputs"] |= {"model": ["voice", 0], "positive": ["voice", 1]}
    nodes["spoken"] = node("LTXVAudioVAEDecode", samples=["parts2", 1], audio_vae=["175", 0])
    nodes["218"]["inputs"] = {"any_02": ["spoken", 0]}
    return nodes


@pytest.mark.parametrize("mode", [Mode.LIPSYNC, Mode.A2V])
def test_a_frozen_sound_is_staged_and_cut_in_whole_blocks(
    export: "Export", ask: "Ask", mode: Mode
) -> None:
    control, graph = heard(adopted(export(mode), mode), ask)

    whole = whole_blocks(121 / 24)
    assert control == HeardSound(0.0, whole, whole)
    assert whole < graph["5400"]["inputs"]["duration"] < whole + 0.02, "no sample is lost"


def test_a_cut_before_the_encoder_is_in_whole_blocks_and_that_of_the_clip_is_not(
    export: "Export", ask: "Ask"
) -> None:
    nodes = export(Mode.LIPSYNC)
    nodes["5400"] = node("LoadAudio", audio="mine.mp3")
    nodes["cut"] = node("TrimAudioDuration", audio=["5400", 0], start_index=2.0, duration=6.0)
    nodes["heard"]["inputs"]["audio"] = ["cut", 0]
    nodes["end"] = node("TrimAudioDuration", audio=["5400", 0], start_index=2.0, duration=6.0)
    nodes["218"]["inputs"] = {"any_02": ["end", 0]}

    found = adopted(nodes)
    _, graph = heard(found, ask)

    assert graph["cut"]["inputs"]["start_index"] == 0.0
    assert graph["cut"]["inputs"]["duration"] > whole_blocks(121 / 24)
    assert graph["end"]["inputs"]["duration"] == 121 / 24
    assert "adopt_sound_shifted" not in told(found)


@pytest.mark.parametrize("kind", ["AudioConcat", "SomebodysFilter"])
def test_a_sound_that_becomes_another_before_keeps_its_shift_and_that_is_told(
    export: "Export", ask: "Ask", kind: str
) -> None:
    nodes = export(Mode.LIPSYNC)
    nodes["other"] = node(kind, audio1=["5400", 0], audio2=["5400", 0], direction="after")
    nodes["heard"]["inputs"]["audio"] = ["other", 0]

    found = adopted(nodes)
    control, graph = heard(found, ask)

    assert control is None
    assert graph["5400"]["inputs"]["duration"] == 121 / 24
    assert "other" in told(found)["adopt_sound_shifted"]["nodes"]


def test_what_was_found_of_the_sound_is_kept(export: "Export", tmp_path: Path) -> None:
    save_adoption(adopted(export(Mode.LIPSYNC)).workflow, tmp_path)

    assert load(Mode.LIPSYNC, tmp_path).bindings.whole_sound


def test_a_given_sound_that_ends_in_the_clip_is_delivered_as_it_was_sent(
    export: "Export",
) -> None:
    found = adopted(export(Mode.LIPSYNC))

    assert carries_given(found.workflow)
    assert "adopt_sound_own" not in told(found)


def test_decoded_latents_of_the_given_sound_are_the_given_sound(export: "Export") -> None:
    nodes = export(Mode.LIPSYNC)
    nodes["again"] = node("LTXVAudioVAEDecode", samples=["parts2", 1], audio_vae=["175", 0])
    nodes["218"]["inputs"] = {"any_02": ["again", 0]}

    assert carries_given(adopted(nodes).workflow)


def test_new_speech_in_the_voice_of_the_given_sound_is_delivered_as_it_was_made(
    export: "Export", ask: "Ask", tmp_path: Path
) -> None:
    found = adopted(own_voice(export(Mode.LIPSYNC)))
    control, _ = heard(found, ask)
    made = Sound(np.full((2, 48_000 * 6), 0.25, np.float32), 48_000)
    request = ask(Mode.LIPSYNC)
    order = Order("1" * 32, 1, request, tmp_path, tmp_path)  # without the file that was sent

    sound = sound_of(order, NodeOutput(np.zeros((121, 2, 2, 3), np.uint8), made), found.workflow)

    assert control is None, "all of the voice is taken"
    assert sound is not None
    assert sound.samples.max() == np.float32(0.25)
    assert sound.samples.shape[-1] == round(request.sampling.seconds * 48_000)
    assert "adopt_sound_own" in told(found)


@pytest.mark.parametrize(
    ("mode", "idle"),
    [
        (Mode.T2V, {"enhance"}),
        (Mode.LIPSYNC, {"enhance", "sync"}),
        (Mode.KEYFRAME, {"enhance"}),
        (Mode.STYLE, {"enhance", "control"}),
    ],
)
def test_options_that_the_graph_makes_nothing_of_are_told(
    export: "Export", mode: Mode, idle: set[str]
) -> None:
    found = adopted(export(mode), mode)

    assert {*told(found)["adopt_options_idle"]["options"].split(", ")} == idle
