"""What a record of a mode says, and what follows from it."""

from dataclasses import replace

import pytest

from core.domain.limits import RequestLimits
from core.domain.media import MediaFile, MediaKind
from core.domain.modes import MODES, Mode
from core.domain.options import Options
from core.domain.presets import Preset
from core.domain.request_builder import compose

LEADING = {  # which files give the length and the shape
    Mode.T2V: (None, None),
    Mode.I2V: (None, "image"),
    Mode.A2V: ("audio", None),
    Mode.LIPSYNC: ("audio", "image"),
    Mode.KEYFRAME: (None, "first"),
    Mode.STYLE: ("video", "video"),
    Mode.EXTEND: ("audio", "video"),
}


def test_every_mode_has_one_record_under_its_own_name() -> None:
    assert list(MODES) == list(Mode)
    assert all(spec.mode is mode for mode, spec in MODES.items())


@pytest.mark.parametrize("mode", Mode)
def test_roles_of_a_mode_are_different_and_can_be_typed(mode: Mode) -> None:
    roles = [slot.role for slot in MODES[mode].slots]

    assert len(set(roles)) == len(roles)
    assert all(role.isidentifier() and role.islower() for role in roles)


@pytest.mark.parametrize("mode", LEADING)
def test_the_first_file_with_a_play_time_or_a_picture_leads(mode: Mode) -> None:
    assert (MODES[mode].length_from, MODES[mode].shape_from) == LEADING[mode]


@pytest.mark.parametrize("mode", Mode)
def test_a_mode_runs_its_own_preset_where_none_was_chosen(
    mode: Mode, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(MODES, mode, replace(MODES[mode], preset=Preset.FAST))
    media = {
        slot.role: MediaFile("a" * 64, ".x", slot.kind, 10, 640, 480, 5.0)
        for slot in MODES[mode].slots
    }

    request = compose(mode, Options(prompt="a fox"), media, RequestLimits()).request

    assert request.sampling.preset is Preset.FAST


def test_a_role_is_of_the_same_kind_in_every_mode() -> None:
    kinds: dict[str, set[MediaKind]] = {}
    for spec in MODES.values():
        for slot in spec.slots:
            kinds.setdefault(slot.role, set()).add(slot.kind)

    assert {role for role, found in kinds.items() if len(found) > 1} == set()
