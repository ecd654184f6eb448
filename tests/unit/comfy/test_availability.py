"""What is missing, and what that means for the choice of executor."""

from pathlib import Path

import pytest

from core.comfy.executor import ComfyExecutor
from core.comfy.install.availability import missing_components
from core.errors.setup import ComfyUnavailable
from core.settings import load_settings


def test_everything_missing_is_named_most_basic_first(tmp_path: Path) -> None:
    settings = load_settings(comfyui_dir=tmp_path / "none", data_dir=tmp_path / "data")

    found = missing_components(settings)

    assert found[0].what.startswith("ComfyUI")
    assert found[-1].command == "clapper models pull --profile fp8"
    assert not found[-1].required


def test_another_version_of_comfyui_asks_for_an_update(tmp_path: Path) -> None:
    (tmp_path / "comfyui_version.py").write_text('__version__ = "0.1.0"\n')
    settings = load_settings(comfyui_dir=tmp_path, data_dir=tmp_path / "data")

    first = missing_components(settings)[0]

    assert "0.1.0" in first.what
    assert first.command == "clapper comfy update"


def test_auto_refuses_with_all_that_is_missing(tmp_path: Path) -> None:
    settings = load_settings(comfyui_dir=tmp_path / "none", data_dir=tmp_path / "data")

    with pytest.raises(ComfyUnavailable) as caught:
        ComfyExecutor.open(settings)

    assert "ComfyUI" in caught.value.missing
    assert "safetensors" in caught.value.missing
    assert caught.value.command == "clapper comfy install"


def test_by_name_a_missing_checkout_still_refuses_but_models_may_come_later(
    tmp_path: Path,
) -> None:
    settings = load_settings(
        comfyui_dir=tmp_path / "none", data_dir=tmp_path / "data", executor="comfy"
    )

    with pytest.raises(ComfyUnavailable) as caught:
        ComfyExecutor.open(settings)

    assert "ComfyUI" in caught.value.missing
    assert "safetensors" not in caught.value.missing
