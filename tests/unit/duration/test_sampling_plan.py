"""The plans say what the workflows really do."""

import json
import tomllib
from pathlib import Path

import pytest

from core.domain.modes import MODES, Mode
from core.domain.presets import Preset
from core.duration.sampling_plan import GUIDES, plan_of
from core.duration.workload import Part, part_costs

WORKFLOWS = Path(__file__).resolve().parents[3] / "workflows"


def nodes(mode: Mode, kind: str) -> list[dict]:
    graph = json.loads((WORKFLOWS / f"{mode}.json").read_text("utf-8"))
    return [node["inputs"] for node in graph.values() if node["class_type"] == kind]


@pytest.mark.parametrize("mode", Mode)
def test_guides_are_those_of_the_graph(mode):
    added = nodes(mode, "LTXVAddGuide")
    clips = [inputs for inputs in added if "iclora_parameters" in inputs]

    assert len(added) - len(clips) == 2 * GUIDES[mode].frames
    assert len(clips) == (1 if GUIDES[mode].clip_shrink else 0)
    assert {inputs["strength"] for inputs in added} <= {1.0}  # else they would mask attention


@pytest.mark.parametrize("mode", Mode)
def test_every_graph_samples_twice_and_decodes_once(mode):
    assert len(nodes(mode, "SamplerCustomAdvanced")) == 2
    assert len(nodes(mode, "LTXVLatentUpsampler")) == 1
    assert len(nodes(mode, "VAEDecode")) == 1
    assert len(nodes(mode, "LTXVAudioVAEDecode")) == (0 if GUIDES[mode].keeps_sound else 1)


@pytest.mark.parametrize("mode", Mode)
def test_pictures_and_canvas_are_those_of_the_graph(mode):
    bindings = tomllib.loads((WORKFLOWS / f"{mode}.bindings.toml").read_text("utf-8"))

    assert bindings.get("canvas", 64) == GUIDES[mode].canvas
    assert sum(slot.kind == "image" for slot in MODES[mode].slots) == GUIDES[mode].images


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
