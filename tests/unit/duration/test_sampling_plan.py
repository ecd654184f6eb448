"""The plans say what the workflows really do."""

import pytest

from core.domain.media import MediaKind
from core.domain.modes import MODES, Mode
from core.domain.presets import Preset
from core.duration.sampling_plan import plan_of
from core.duration.workload import Part, part_costs
from core.workflow.guides import Guides, guides_of
from core.workflow.library import load

GUIDES = {
    Mode.T2V: Guides(),
    Mode.I2V: Guides(images=1),
    Mode.A2V: Guides(keeps_sound=True),
    Mode.LIPSYNC: Guides(images=1, keeps_sound=True),
    Mode.KEYFRAME: Guides(images=2, frames=2),
    Mode.STYLE: Guides(images=1, clip_shrink=2, canvas=128),  # the control LoRA's reference factor
}


@pytest.mark.parametrize("mode", GUIDES)
def test_guides_are_read_from_the_graph(mode):
    assert guides_of(mode) == GUIDES[mode]


def nodes(mode: Mode, kind: str) -> list[dict]:
    graph = load(mode, None).graph.to_prompt()
    return [node["inputs"] for node in graph.values() if node["class_type"] == kind]


@pytest.mark.parametrize("mode", Mode)
def test_guides_are_those_of_the_graph(mode):
    added = nodes(mode, "LTXVAddGuide")
    clips = [inputs for inputs in added if "iclora_parameters" in inputs]

    assert len(added) - len(clips) == 2 * guides_of(mode).frames
    assert len(clips) == (1 if guides_of(mode).clip_shrink else 0)
    assert {inputs["strength"] for inputs in added} <= {1.0}  # else they would mask attention


@pytest.mark.parametrize("mode", Mode)
def test_every_graph_samples_twice_and_decodes_once(mode):
    assert len(nodes(mode, "SamplerCustomAdvanced")) == 2
    assert len(nodes(mode, "LTXVLatentUpsampler")) == 1
    assert len(nodes(mode, "VAEDecode")) == 1
    assert len(nodes(mode, "LTXVAudioVAEDecode")) == (0 if guides_of(mode).keeps_sound else 1)


@pytest.mark.parametrize("mode", Mode)
def test_pictures_and_canvas_are_those_of_the_graph(mode):
    bindings = load(mode, None).bindings
    pictures = [to for role in MODES[mode].roles(MediaKind.IMAGE) for to in bindings.named(role)]

    assert bindings.canvas == guides_of(mode).canvas
    assert len(pictures) == guides_of(mode).images


@pytest.mark.parametrize("mode", Mode)
def test_a_draft_costs_about_a_third_of_what_it_becomes(mode, asked):
    draft = asked(mode, preset=Preset.DRAFT, width=640, height=384, frames=121)
    finished = asked(mode, preset=Preset.BALANCED, width=1280, height=768, frames=121)

    parts = {work.part for work in part_costs(plan_of(draft))}
    share = sum(w.flops for w in part_costs(plan_of(draft))) / sum(
        w.flops for w in part_costs(plan_of(finished))
    )

    assert not parts & {Part.UPSCALE, Part.STAGE2}
    assert 0.2 < share < 0.45
