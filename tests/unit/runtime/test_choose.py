from collections.abc import Callable
from pathlib import Path

import pytest

from core.choose import choose_executor, place_of
from core.problems import ComfyUnavailable
from core.settings import Settings
from core.testing import QuickExecutor


@pytest.fixture
def without_comfy(
    settings_with: Callable[..., Settings], tmp_path: Path
) -> Callable[[str], Settings]:
    """Settings that look for ComfyUI where there is none."""
    return lambda executor: settings_with(executor=executor, comfyui_dir=tmp_path / "absent")


def test_auto_takes_the_animatic_where_comfyui_is_missing_and_says_what_changes_it(
    without_comfy: Callable[[str], Settings],
) -> None:
    told: list[str] = []

    executor = choose_executor(without_comfy("auto"), told.append)

    assert executor.name == "draft"
    assert len(told) == 1
    assert "clapper comfy install" in told[0]


def test_comfyui_asked_for_by_name_is_not_replaced(
    without_comfy: Callable[[str], Settings],
) -> None:
    with pytest.raises(ComfyUnavailable):
        choose_executor(without_comfy("comfy"), lambda _: None)


def test_the_animatic_asked_for_by_name_needs_no_explanation(settings: Settings) -> None:
    told: list[str] = []

    assert choose_executor(settings, told.append).name == "draft"
    assert told == []


def test_runs_of_the_animatic_are_kept_apart(settings: Settings) -> None:
    assert place_of(QuickExecutor(), settings).device == "draft"
