"""The official templates for LTX: each becomes a workflow of its mode, and every control acts."""

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from core.cli.trial_tables import control_name
from core.cli.workflow_try import try_workflow
from core.comfy.object_info import object_info
from core.comfy.startup import start
from core.comfy.testing.stand_ins import tiny_stand_ins, written_in_words
from core.domain.modes import Mode
from core.workflow.adopt import Adoption, adopt
from core.workflow.editor import convert
from core.workflow.errors import NotAdoptable
from core.workflow.model_files import named_files

if TYPE_CHECKING:
    from tests.comfy.conftest import Lab

pytestmark = [
    pytest.mark.comfy_real,
    # torch and ComfyUI warn of themselves, when the lab is started
    pytest.mark.filterwarnings("ignore"),
    pytest.mark.timeout(600),
]
# What each template is for. Left out: those of classes that the pinned ComfyUI does not have.
TEMPLATES = {
    "template_ltx2_3_style_transition": Mode.KEYFRAME,
    "video_ltx2_3_flf2v": Mode.KEYFRAME,
    "video_ltx2_3_i2v": Mode.I2V,
    "video_ltx2_3_ia2v": Mode.LIPSYNC,
    "video_ltx2_3_ic_lora": Mode.STYLE,
    "video_ltx2_3_id_lora": Mode.LIPSYNC,
    "video_ltx2_3_t2v": Mode.T2V,
    "video_ltx2_canny_to_video": Mode.STYLE,
    "video_ltx2_depth_to_video": Mode.STYLE,
    "video_ltx2_i2v": Mode.I2V,
    "video_ltx2_i2v_distilled": Mode.I2V,
    "video_ltx2_i2v_lora": Mode.I2V,  # its file is broken: nothing is wired to what saves
    "video_ltx2_t2v": Mode.T2V,
    "video_ltx2_t2v_distilled": Mode.T2V,
}
# Run too: of those without the text enhancer, whose instructions take minutes on a processor.
RUN = ("video_ltx2_3_flf2v", "video_ltx2_3_i2v")


@pytest.fixture(scope="module")
def templates() -> Path:
    package = pytest.importorskip("comfyui_workflow_templates_json")
    return Path(package.__file__).parent / "templates"


@pytest.fixture(scope="module")
def classes(lab: "Lab") -> dict[str, dict[str, Any]]:
    return object_info(start(lab.place, lab.executor.options.device, "auto", packs=True))


def adopted(name: str, templates: Path, classes: dict[str, dict[str, Any]]) -> Adoption:
    text = (templates / f"{name}.json").read_text("utf-8")
    return adopt(convert(text, name, classes), TEMPLATES[name])


def test_nine_of_ten_official_templates_are_adopted(
    templates: Path, classes: dict[str, dict[str, Any]]
) -> None:
    refused: dict[str, str] = {}
    for name in TEMPLATES:
        try:
            adopted(name, templates, classes)
        except NotAdoptable as problem:
            refused[name] = f"{problem.reason}{problem.detail}"

    assert len(refused) <= len(TEMPLATES) // 10, json.dumps(refused, indent=1)


@pytest.mark.parametrize("name", RUN)
async def test_every_control_of_an_official_template_acts(
    lab: "Lab",
    templates: Path,
    classes: dict[str, dict[str, Any]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
) -> None:
    workflow = adopted(name, templates, classes).workflow
    tiny_stand_ins(named_files(workflow.graph), lab.place.models)
    monkeypatch.setattr(lab.executor, "plan", replace(lab.executor.plan, custom=tmp_path / "own"))

    with written_in_words():
        rows = await try_workflow(lab.executor, workflow, tmp_path)

    for row in rows:
        told = row.problem or f"{row.picture:.4f}"
        lab.rows.append((name, control_name(row), told, "ok" if row.holds else "IDLE"))
    assert [row for row in rows if not row.holds] == []
