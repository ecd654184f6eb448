"""The bound graph of every preset of a mode with its own graph, kept as text, reviewed as a diff.

``CLAPPER_WRITE_GOLDEN=1 pytest tests/workflows/test_golden.py`` writes them anew.
"""

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from core.domain.modes import Mode
from core.domain.presets import Control, Preset
from core.workflow.library import reuse_of

if TYPE_CHECKING:
    from tests.workflows.conftest import Ask, Fill

GOLDEN = Path(__file__).parent / "golden"
# read at import: the clean environment of each test hides it later
WRITE = bool(os.environ.get("CLAPPER_WRITE_GOLDEN"))
OWN = [mode for mode in Mode if reuse_of(mode) is None]
SPECIAL: dict[str, tuple[Mode, dict[str, Any]]] = {
    "keyframe-eight": (Mode.KEYFRAME, {"more": 6}),
    "keyframe-times": (Mode.KEYFRAME, {"more": 1, "times": "0.5, 2, 4"}),
    "extend-voice": (Mode.EXTEND, {"more": 1, "sound_from": 2.0}),
    "extend-doubled": (Mode.EXTEND, {"frames": 241, "fps": 48, "doubled": True}),
    "style-depth": (Mode.STYLE, {"control": Control.DEPTH}),
    "style-pose": (Mode.STYLE, {"control": Control.POSE}),
    "style-doubled": (Mode.STYLE, {"frames": 241, "fps": 48, "doubled": True}),
}
SCHEDULES = [(preset, False) for preset in Preset] + [(Preset.QUALITY, True)]


def as_text(graph: dict[str, Any]) -> str:
    """One node a line, without titles: what ComfyUI runs."""
    lines = [
        f'  "{key}": {json.dumps([node["class_type"], node["inputs"]], ensure_ascii=False)}'
        for key, node in graph.items()
    ]
    return "{\n" + ",\n".join(lines) + "\n}\n"


@pytest.mark.parametrize("mode", OWN)
@pytest.mark.parametrize(("preset", "guided"), SCHEDULES)
def test_the_bound_graph_is_the_reviewed_one(
    mode: Mode, preset: Preset, guided: bool, ask: "Ask", fill: "Fill"
) -> None:
    path = GOLDEN / f"{mode}-{preset}{'-guided' if guided else ''}.json"
    text = as_text(fill(ask(mode, preset), guided=guided).graph)
    if WRITE:
        path.write_text(text, "utf-8")

    assert path.read_text("utf-8") == text


@pytest.mark.parametrize("special", SPECIAL)
def test_the_bound_graph_of_what_a_mode_may_have_is_the_reviewed_one(
    special: str, ask: "Ask", fill: "Fill"
) -> None:
    mode, asked = SPECIAL[special]
    path, text = GOLDEN / f"{special}.json", as_text(fill(ask(mode, **asked)).graph)
    if WRITE:
        path.write_text(text, "utf-8")

    assert path.read_text("utf-8") == text


def test_no_golden_file_is_left_over() -> None:
    assert len(list(GOLDEN.iterdir())) == len(OWN) * len(SCHEDULES) + len(SPECIAL)


def test_presets_change_the_graph() -> None:
    for mode in OWN:
        ordinary = [path for path in GOLDEN.glob(f"{mode}-*.json") if path.stem not in SPECIAL]
        texts = {path.read_text("utf-8") for path in ordinary}
        assert len(texts) == len(SCHEDULES)
