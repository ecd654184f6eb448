"""Before a request is accepted it is said what an adopted graph makes nothing of."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from core.domain.modes import Mode
from core.domain.presets import Camera, Enhance
from core.domain.requests import Composition, Request
from core.errors import MediaUnexpected
from core.service.adopted_graphs import judged_by_graph
from core.workflow.adopt import adopt
from core.workflow.adopt.pipeline import save_adoption
from core.workflow.graph import parse
from core.workflow.library import paths_of
from tests.workflows.conftest import asked, exported


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for mode in (Mode.T2V, Mode.KEYFRAME):
        graph = parse(json.dumps(exported(mode)), "mine.json")
        save_adoption(adopt(graph, mode).workflow, tmp_path)
    return tmp_path


def told(request: Request, folder: Path | None) -> list[str]:
    judged = judged_by_graph(Composition(request, ()), folder)
    return [str(note.data["options"]) for note in judged.adjustments]


def test_an_option_that_was_chosen_in_vain_is_told_by_the_name_that_is_typed(
    folder: Path,
) -> None:
    enhanced = asked(Mode.T2V, enhance=Enhance.ON)

    assert told(enhanced, folder) == ["enhance"]
    assert told(enhanced, None) == [], "the project's own graph enhances"
    assert told(asked(Mode.T2V), folder) == [], "nothing was chosen"
    assert told(asked(Mode.T2V, camera=Camera.STATIC, negative_prompt="rain"), folder) == []
    assert told(asked(Mode.I2V, enhance=Enhance.ON), folder) == [], "no graph was adopted"


def test_times_move_the_pictures_of_an_adopted_graph(folder: Path) -> None:
    assert told(asked(Mode.KEYFRAME, times="1, 4"), folder) == []


def test_a_third_picture_is_refused_before_anything_is_spent(folder: Path) -> None:
    request = asked(Mode.KEYFRAME, more=1)

    with pytest.raises(MediaUnexpected) as caught:
        judged_by_graph(Composition(request, ()), folder)

    assert caught.value.mode is Mode.KEYFRAME
    assert judged_by_graph(Composition(request, ()), None).request == request


def test_files_that_are_no_workflow_any_more_are_left_to_the_job(folder: Path) -> None:
    paths_of(Mode.T2V, folder)[0].write_text("{}", "utf-8")

    assert told(replace(asked(Mode.T2V, enhance=Enhance.ON)), folder) == []
