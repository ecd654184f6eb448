"""What a trial of a workflow tries is derived from the tables of options and files."""

import json
from dataclasses import replace
from functools import cache

import pytest

from core.domain.media import MediaFile, MediaKind
from core.domain.modes import MODES, Mode
from core.domain.options import OPTIONS, options_in
from core.domain.presets import Control
from core.workflow.adopt import adopt
from core.workflow.control_trials import Given, TrialCase, trial_cases, unproven
from core.workflow.graph import parse
from core.workflow.library import Workflow, load
from tests.workflows.conftest import FILES, exported


def given(mode: Mode) -> Given:
    def files(role: str) -> tuple[MediaFile, MediaFile]:
        file = FILES[role]
        if file.kind is MediaKind.VIDEO:
            file = replace(file, width=96, height=64, seconds=1.0, fps=24.0)
        return file, replace(file, sha256="9" * 64)

    return {slot.role: files(slot.role) for slot in MODES[mode].every_slot}


@cache
def cases(mode: Mode) -> list[TrialCase]:
    return trial_cases(load(mode, None), given(mode))


@pytest.mark.parametrize("mode", Mode)
def test_every_option_and_file_of_every_mode_has_a_row_in_which_it_acts(mode: Mode) -> None:
    found = cases(mode)

    assert unproven(load(mode, None), found) == []
    assert {case.control for case in found} == {
        *(option.name for option in options_in(mode)),
        *(slot.role for slot in MODES[mode].every_slot),
    }


def test_a_larger_trial_has_larger_sides_and_the_same_controls() -> None:
    workflow, files = load(Mode.T2V, None), given(Mode.T2V)
    small, large = cases(Mode.T2V), trial_cases(workflow, files, 2)

    assert {case.control for case in large} == {case.control for case in small}
    sides = [min(case.before.sampling.width for case in found) for found in (small, large)]
    assert sides[1] == 2 * sides[0]


def test_an_option_that_nothing_is_made_of_has_no_row_in_which_it_acts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    workflow = load(Mode.T2V, None)
    bound = tuple(item for item in workflow.bindings.values if item.value != "negative_prompt")
    unbound = replace(workflow, bindings=replace(workflow.bindings, values=bound))

    found = trial_cases(unbound, given(Mode.T2V))

    assert unproven(unbound, found) == ["negative_prompt"]
    wider = replace(OPTIONS["times"], modes=None)
    monkeypatch.setitem(OPTIONS, "times", wider)  # offered where no graph has what it sets
    assert "times" in unproven(workflow, trial_cases(workflow, given(Mode.T2V)))


def test_the_negative_prompt_acts_beside_guidance_alone() -> None:
    rows = [case for case in cases(Mode.T2V) if case.control == "negative_prompt"]

    assert [(case.beside.name, case.acts) for case in rows] == [("", False), ("guided", True)]


def test_each_choice_with_nodes_of_its_own_has_a_row_and_one_camera_stands_for_all() -> None:
    rows = cases(Mode.STYLE)

    seen = [case.value for case in rows if case.control == "control" and case.acts]
    assert seen == [Control.DEPTH, Control.POSE]
    assert len([case for case in rows if case.control == "camera"]) == 1


def test_both_ways_of_sync_the_times_of_pictures_and_twice_the_rate_are_tried() -> None:
    sync = [(case.value, case.beside.name) for case in cases(Mode.LIPSYNC)
            if case.control == "sync" and case.acts]  # fmt: skip
    assert sync == [("strong", "at_quality"), ("off", "guided")]
    assert [case.acts for case in cases(Mode.KEYFRAME) if case.control == "times"] == [True]
    rates = [case.after.sampling for case in cases(Mode.T2V) if case.control == "fps"]
    assert {sampling.doubled for sampling in rates} == {False, True}


def test_where_a_sound_is_taken_up_acts_beside_a_sound_alone() -> None:
    rows = [case for case in cases(Mode.EXTEND) if case.control == "sound_from"]

    assert [(case.beside.name, case.acts) for case in rows] == [("", False), ("with_files", True)]


@pytest.mark.parametrize("mode", Mode)
def test_a_row_changes_one_control_of_the_smallest_clip(mode: Mode) -> None:
    for case in cases(mode):
        assert case.before != case.after
        assert max(case.after.sampling.width, case.after.sampling.height) <= 192
        assert case.after.sampling.seconds < 1.2


def own(mode: Mode) -> Workflow:
    return adopt(parse(json.dumps(exported(mode)), "mine.json"), mode).workflow


def test_what_an_adopted_graph_makes_nothing_of_must_change_nothing() -> None:
    found = trial_cases(own(Mode.KEYFRAME), given(Mode.KEYFRAME))

    still = {case.control for case in found} - {case.control for case in found if case.acts}
    assert {"enhance", "negative_prompt"} <= still  # it runs at CFG 1
    assert not still & {"prompt", "seed", "fps", "seconds", "width", "camera", "first", "last"}
    assert "second" not in {case.control for case in found}, "it takes two pictures"
