"""A profile whose files are the parts of a checkpoint runs the same graphs with other loaders."""

from typing import TYPE_CHECKING

import pytest

from core.domain.modes import Mode
from core.domain.presets import Preset
from core.domain.progress import Stage
from core.models.catalog import FAMILY, Profile, names
from core.workflow.bind import BoundWorkflow, bind
from core.workflow.graph import Link
from core.workflow.input_files import inputs_of
from core.workflow.library import load
from core.workflow.model_files import named_files
from core.workflow.node_schema import known_nodes
from core.workflow.values import MachineChoices

if TYPE_CHECKING:
    from tests.workflows.conftest import Ask

SPLIT = [profile for profile in Profile if names(profile).split]


def bound(mode: Mode, profile: Profile, ask: "Ask", preset: Preset = Preset.FAST) -> BoundWorkflow:
    workflow, request = load(mode, None), ask(mode, preset)
    staged = {item.role: item.file.name for item in inputs_of(workflow, request)}
    return bind(workflow, request, names(profile), staged, "job-1", MachineChoices(tile=768))


@pytest.mark.parametrize("profile", SPLIT)
@pytest.mark.parametrize("preset", [Preset.DRAFT, Preset.FAST])
@pytest.mark.parametrize("mode", Mode)
def test_every_file_of_the_profile_is_named_once_a_loader_and_no_other(
    mode: Mode, preset: Preset, profile: Profile, ask: "Ask"
) -> None:
    graph = bound(mode, profile, ask, preset).bound
    wanted = {(file.folder, file.name) for file in FAMILY.files_for(mode, profile)}
    found = {(file.folder, file.name) for file in named_files(graph)}

    assert found == wanted if preset is Preset.FAST else found <= wanted


@pytest.mark.parametrize("profile", SPLIT)
@pytest.mark.parametrize("mode", Mode)
def test_every_link_comes_from_an_output_that_is_there(
    mode: Mode, profile: Profile, ask: "Ask"
) -> None:
    graph = bound(mode, profile, ask).bound
    for node in graph.nodes.values():
        spec = known_nodes()[node.kind]
        for name, value in node.inputs.items():
            assert spec.input(name) is not None or spec.open, (node.id, name)
            if isinstance(value, Link):
                giver = known_nodes()[graph.nodes[value.node].kind]
                assert value.slot < len(giver.outputs), (node.id, name)


def test_only_the_loaders_differ(ask: "Ask") -> None:
    whole, split = (bound(Mode.STYLE, profile, ask).graph for profile in (Profile.FP8, SPLIT[0]))
    shared = whole.keys() & split.keys()
    changed = {key for key in shared if whole[key]["class_type"] != split[key]["class_type"]}

    assert changed == {"checkpoint", "text_encoder", "audio_vae"}
    assert split.keys() - whole.keys() == {"checkpoint_2"}
    assert whole.keys() <= split.keys()


def test_who_waits_reads_that_files_are_loaded(ask: "Ask") -> None:
    stages = bound(Mode.T2V, SPLIT[0], ask).stages

    assert stages["checkpoint"] is stages["checkpoint_2"] is Stage.LOAD
