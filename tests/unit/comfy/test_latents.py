"""Kept latents: found again by the same graph only, and never a reason to fail."""

from dataclasses import replace

import numpy as np

from core.comfy.latents import LatentFolder, Latents, continued_at, proof_of
from core.domain.modes import Mode
from core.domain.presets import Preset
from core.domain.requests import latents_name
from core.testing.doubles import t2v
from core.workflow.graph import Literal
from core.workflow.library import load

LATENTS = Latents(
    np.arange(24, dtype=np.float32).reshape(1, 2, 3, 2, 2), np.ones((1, 2, 4), np.float32)
)


def test_what_is_kept_is_found_by_the_same_graph_alone(tmp_path):
    folder = LatentFolder(tmp_path / "latents")
    folder.keep("a" * 64, "1" * 64, LATENTS)

    found = folder.find("a" * 64, "1" * 64)

    assert np.array_equal(found.video, LATENTS.video)
    assert np.array_equal(found.audio, LATENTS.audio)
    assert folder.find("a" * 64, "2" * 64) is None
    assert folder.find("b" * 64, "1" * 64) is None


def test_a_folder_that_cannot_be_written_keeps_nothing_and_says_nothing(tmp_path):
    (tmp_path / "file").write_text("in the way")
    folder = LatentFolder(tmp_path / "file")

    folder.keep("a", "1", LATENTS)

    assert folder.find("a", "1") is None


def test_a_draft_and_what_it_becomes_have_the_same_name_and_nothing_else_has():
    draft = t2v()
    draft = replace(draft, sampling=replace(draft.sampling, preset=Preset.DRAFT))
    sampling = draft.sampling
    finished = replace(draft, sampling=replace(sampling, preset=Preset.FAST, width=128, height=128))

    assert latents_name(draft) == latents_name(finished)
    for change in ({"seed": 9}, {"frames": 17}, {"fps": 12}, {"width": 64}):
        other = replace(finished, sampling=replace(finished.sampling, **change))
        assert latents_name(other) != latents_name(draft)
    assert latents_name(replace(finished, prompt="else")) != latents_name(draft)


def test_the_proof_covers_stage_1_and_nothing_behind_it():
    workflow = load(Mode.T2V, None)
    node = continued_at(workflow)
    graph = workflow.graph

    def changed(name, field, value):
        return graph.with_nodes(graph.nodes[name].with_input(field, Literal.of(value)))

    assert node == "stage1_parts"
    proof = proof_of(graph, node)
    assert proof_of(changed("stage2_noise", "noise_seed", 99), node) == proof
    assert proof_of(changed("output", "job", "other"), node) == proof
    assert proof_of(changed("stage1_noise", "noise_seed", 99), node) != proof
    assert proof_of(changed("stage1_model", "strength_model", 0.1), node) != proof
    assert proof_of(graph, node, fast=True) != proof, "other values"
