"""What fits into a device, and what is said where it does not."""

from dataclasses import replace

import pytest

from core.domain.limits import RequestLimits
from core.domain.modes import Mode
from core.domain.presets import PRESETS, Preset
from core.domain.requests import Request, Sampling, make_request
from core.duration.hardware import BY_KEY, Hardware
from core.duration.machine import Machine
from core.duration.memory import check_memory, has_room, largest_with_room, longest_clip
from core.errors import DeviceTooSmall, TooLargeForDevice
from core.models.catalog import FAMILY, Profile

GIB = 1024**3
LIMITS = RequestLimits()


def card(gib: float) -> Hardware:
    return replace(BY_KEY["3090"], memory=gib * GIB)


def asked(width: int, height: int, frames: int, preset: Preset = Preset.QUALITY) -> Request:
    return make_request(Mode.T2V, "a boat", Sampling(preset, width, height, frames, 24, 1), {})


def test_a_card_of_12_gb_makes_what_was_measured_on_one() -> None:
    machine = Machine(card(12), "small")

    check_memory(asked(1920, 1088, 241), machine, LIMITS)
    for preset in (Preset.FAST, Preset.BALANCED):
        best = longest_clip(machine, preset, LIMITS)
        assert best is not None
        assert best.sampling.frames == 481, preset  # all of the 20 s that may be asked for


@pytest.mark.parametrize("profile", [Profile.SMALL, Profile.LOW])
@pytest.mark.parametrize("gib", [8, 12, 16, 24])
def test_what_a_refusal_names_is_not_refused(gib: float, profile: Profile) -> None:
    machine = Machine(card(gib), profile.value)
    request = asked(1920, 1088, 481)
    if has_room(request, machine):
        assert gib == 24
        return
    with pytest.raises(TooLargeForDevice) as refused:
        check_memory(request, machine, LIMITS)

    named = largest_with_room(request, machine, LIMITS)
    assert named is not None
    check_memory(named, machine, LIMITS)
    size = named.sampling.finished
    assert (refused.value.width, refused.value.height) == (size.width, size.height)
    longer = replace(named.sampling, frames=named.sampling.frames + 8)
    assert not has_room(replace(named, sampling=longer), machine)


def test_a_device_for_which_nothing_is_small_enough_says_so() -> None:
    machine = Machine(card(0.01), "small")

    with pytest.raises(DeviceTooSmall):
        check_memory(asked(768, 512, 121, Preset.FAST), machine, LIMITS)
    assert longest_clip(machine, Preset.FAST, LIMITS) is None


def test_drafts_need_no_memory_of_a_device() -> None:
    check_memory(asked(1920, 1088, 481), Machine(card(0), "draft"), LIMITS)


@pytest.mark.parametrize("preset", [preset for preset in Preset if PRESETS[preset].scale == 1])
def test_more_memory_never_makes_the_longest_clip_shorter(preset: Preset) -> None:
    found = [longest_clip(Machine(card(gib), "small"), preset, LIMITS) for gib in range(2, 33, 2)]
    lengths = [0 if best is None else best.sampling.frames for best in found]

    assert lengths == sorted(lengths)


@pytest.mark.parametrize(
    ("gib", "profile"),
    [
        (6, Profile.SMALL),
        (11.7, Profile.SMALL),
        (15.5, Profile.LOW),
        (23.6, Profile.LOW),
        (31.8, Profile.FP8),
        (79.6, Profile.FP8),
        (95, Profile.BF16),
        (139, Profile.BF16),
    ],
)
def test_each_card_has_its_profile(gib: float, profile: Profile) -> None:
    assert FAMILY.profile_for(gib * GIB) is profile
