"""Settings out of a file that may say anything: what the form cannot hold never reaches it."""

from dataclasses import replace

import pytest

from core.domain.limits import RequestLimits
from core.domain.modes import Mode
from core.domain.options import OPTIONS
from core.domain.presets import Preset
from core.domain.requests import Sampling
from core.service.clip_settings import ClipSettings
from webui.page.reload import describe

LIMITS = RequestLimits()
SAMPLING = Sampling(preset=Preset.FAST, width=640, height=384, frames=97, fps=24, seed=5)


@pytest.mark.parametrize("change", [{"fps": 5000}, {"frames": 800_001}, {"width": 64 * 10**6}])
def test_a_number_beyond_the_limits_is_brought_inside_and_said(change: dict[str, int]) -> None:
    clip = ClipSettings(Mode.T2V, replace(SAMPLING, **change), "")

    shown = describe(clip, LIMITS, guided=True)

    values = {key: value for one in shown["changes"].values() for key, value in one.items()}
    slowest, fastest = OPTIONS["fps"].range_in(LIMITS)  # above the limit it is made by doubling
    assert slowest <= values["fps"] <= fastest
    assert LIMITS.min_seconds <= values["seconds"] <= LIMITS.max_seconds
    assert LIMITS.min_side <= values["width"] <= LIMITS.max_side
    assert "Brought inside the limits" in shown["text"]


def test_a_clip_within_the_limits_is_taken_as_it_is() -> None:
    shown = describe(ClipSettings(Mode.T2V, SAMPLING, ""), LIMITS, guided=True)

    assert shown["changes"]["fps"]["fps"] == 24
    assert "Brought inside" not in shown["text"]
