"""Whatever a person can set changes the graph that runs."""

from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any

import pytest

from core.domain.limits import RequestLimits
from core.domain.media import MediaFile
from core.domain.modes import MODES, Mode
from core.domain.options import KEPT, OPTIONS, Options
from core.domain.presets import Camera, Preset
from core.domain.request_builder import compose
from core.domain.requests import Sampling
from core.domain.styles import FilledOptions
from core.domain.words import StyleWords
from tests.support.option_rows import value_of

if TYPE_CHECKING:
    from tests.workflows.conftest import Ask, Fill

BASE = Options(prompt="a fox", preset="quality", seed=7)
# where any other value will not do: not that of BASE, no size between steps
ELSE: dict[str, Any] = {
    "preset": "fast",
    "width": 768,
    "height": 512,
    "aspect": "1:1",
    "seconds": 2.0,
    "fps": 12,
    "sound_from": 1.5,
}
CHANGES = {name: ELSE.get(name, value_of(option)) for name, option in OPTIONS.items()}
SAMPLING: dict[str, Any] = {
    "preset": Preset.FAST,
    "width": 1280,
    "height": 704,
    "frames": 49,
    "fps": 30,
    "seed": 8,
    "doubled": True,
    **{
        option.name: option.choice(value_of(option)) if option.choice else value_of(option)
        for option in KEPT
    },
}


def test_all_fields_are_covered() -> None:
    assert SAMPLING.keys() == {item.name for item in fields(Sampling)}


@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize("control", CHANGES)
def test_every_option_of_every_mode_changes_the_graph(
    mode: Mode, control: str, files: dict[str, MediaFile], fill: "Fill"
) -> None:
    slots = MODES[mode].every_slot if control == "sound_from" else MODES[mode].slots
    media = {slot.role: files[slot.role] for slot in slots}
    if not OPTIONS[control].offered_in(mode):
        return
    changed = replace(BASE, **{control: CHANGES[control]})
    words = StyleWords(changed.style, before="in ink") if changed.style else None
    asked = (
        compose(mode, filled.options, media, RequestLimits(), filled).request
        for filled in (FilledOptions(BASE, None, ()), FilledOptions(changed, words, ()))
    )
    before, after = (fill(request.as_worded, guided=True).graph for request in asked)

    assert before != after


@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize("field", SAMPLING)
def test_every_field_of_every_request_changes_the_graph(
    mode: Mode, field: str, ask: "Ask", fill: "Fill"
) -> None:
    if field in OPTIONS and not OPTIONS[field].offered_in(mode):
        return
    rate = {"fps": 48, "frames": 113} if field in {"doubled", "frames"} else {}
    more = len(MODES[mode].more) if field == "sound_from" else 0
    before = ask(mode, Preset.QUALITY, more=more, **rate)
    after = replace(before, sampling=replace(before.sampling, **{field: SAMPLING[field]}))

    assert fill(before, guided=True).graph != fill(after, guided=True).graph


@pytest.mark.parametrize(
    ("mode", "role"), [(mode, slot.role) for mode in Mode for slot in MODES[mode].slots]
)
def test_another_file_changes_the_graph(
    mode: Mode, role: str, ask: "Ask", fill: "Fill", files: dict[str, MediaFile]
) -> None:
    other = replace(files[role], sha256="9" * 64)

    assert fill(ask(mode)).graph != fill(ask(mode, media={role: other})).graph


def test_every_camera_move_is_another_sentence(ask: "Ask", fill: "Fill") -> None:
    texts = {
        fill(ask(Mode.T2V, camera=camera)).graph["prompt"]["inputs"]["text"] for camera in Camera
    }

    assert len(texts) == len(Camera)
    assert all(text.startswith("a fox runs through snow") for text in texts)
