import ctypes
from collections.abc import Callable
from pathlib import Path

import pytest

from core.app.bootstrap import open_core
from core.app.executor_choice import choose_executor, place_of
from core.errors.setup import ComfyUnavailable
from core.settings import Settings
from core.testing.doubles import QuickExecutor


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


class Driver:
    """As much of NVIDIA's driver as is asked before torch starts."""

    def __init__(self, name: str, memory: int) -> None:
        self._name = name
        self._memory = memory

    def cuInit(self, flags: int) -> int:  # noqa: N802  # the driver's names
        return 0

    def cuDeviceGetCount(self, count) -> int:  # noqa: N802
        count._obj.value = 1
        return 0

    def cuDeviceGet(self, handle, index: int) -> int:  # noqa: N802
        return 0

    def cuDeviceGetName(self, name, size: int, handle) -> int:  # noqa: N802
        name.value = self._name.encode()
        return 0

    def cuDeviceTotalMem_v2(self, memory, handle) -> int:  # noqa: N802
        memory._obj.value = self._memory
        return 0


@pytest.mark.parametrize(
    ("name", "memory", "key"),
    [
        ("NVIDIA H200", 150_000_000_000, "h200"),
        ("NVIDIA RTX PRO 6000 Blackwell Server Edition", 50_000_000_000, "rtx-pro-6000-half"),
        ("NVIDIA T4", 16_000_000_000, "unknown"),
    ],
)
async def test_the_estimate_starts_from_what_the_driver_says_of_the_device(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, name: str, memory: int, key: str
) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda _: Driver(name, memory))
    executor = QuickExecutor()
    monkeypatch.setattr(executor, "name", "comfy")

    async with open_core(settings, executor) as core:
        assert core.runs.place.device == name
        assert core.runs.machine.hardware.key == key
        assert core.runs.machine.hardware.memory == memory


async def test_without_a_driver_runs_are_kept_by_the_kind_of_device(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def absent(name: str) -> None:
        raise OSError(name)

    monkeypatch.setattr(ctypes, "CDLL", absent)
    executor = QuickExecutor()
    monkeypatch.setattr(executor, "name", "comfy")

    async with open_core(settings, executor) as core:
        assert core.runs.place.device in {"cpu", "mps"}
