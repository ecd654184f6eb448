"""A job with somebody's own graph wants the files that this graph names, and no others."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from safetensors.numpy import save_file

from core.comfy.device import DeviceKind
from core.comfy.executor import ComfyExecutor, ComfyOptions
from core.comfy.job_run import ExecutionPlan
from core.comfy.paths import ComfyPaths
from core.domain.modes import Mode
from core.domain.progress import ProgressSink
from core.errors import ModelDamaged, ModelUnavailable
from core.interfaces.executor import Order
from core.models.catalog import LTX_2_3, ModelFile, Profile
from core.runtime.cancellation import CancelToken
from core.workflow.adopt import adopt
from core.workflow.adopt.pipeline import save_adoption
from core.workflow.graph import Graph, parse
from core.workflow.library import load
from core.workflow.model_files import named_files
from tests.workflows.conftest import asked

if TYPE_CHECKING:
    from collections.abc import Mapping


class Noted:
    """A source of model files that notes what it was asked for."""

    def __init__(self) -> None:
        self.wanted: list[str] = []

    async def ensure(
        self, files: Sequence[ModelFile], on_progress: ProgressSink, cancel: CancelToken
    ) -> tuple[Path, ...]:
        del on_progress, cancel
        self.wanted += [file.name for file in files]
        return ()


def renamed(graph: Graph, names: "Mapping[str, str]") -> Graph:
    """Return ``graph`` with other model files: what somebody adopts who has their own."""
    prompt = graph.to_prompt()
    for node in prompt.values():
        node["inputs"] |= {
            name: names[value]
            for name, value in node["inputs"].items()
            if isinstance(value, str) and value in names
        }
    return parse(json.dumps(prompt), "mine.json")


@pytest.fixture
def source() -> Noted:
    return Noted()


@pytest.fixture
def executor(tmp_path: Path, source: Noted) -> ComfyExecutor:
    place = ComfyPaths(tmp_path, tmp_path, tmp_path / "base", tmp_path / "models")
    plan = ExecutionPlan(Profile.FP8, custom=tmp_path / "custom")
    return ComfyExecutor(place, source, plan, ComfyOptions(DeviceKind.CPU))


async def run(executor: ComfyExecutor, folder: Path) -> None:
    """Let ``executor`` do its best; there is no ComfyUI behind it."""
    order = Order("0" * 32, 1, asked(Mode.T2V), folder, folder)
    await executor.execute(order, lambda _: None, CancelToken())


async def test_only_the_files_of_the_graph_are_wanted_and_a_missing_one_is_named(
    executor: ComfyExecutor, source: Noted, tmp_path: Path
) -> None:
    base = load(Mode.T2V, None).graph
    named = sorted(file.name for file in named_files(base))
    upscaler = next(name for name in named if "upscaler" in name)
    own = {name: f"mine-{number}.safetensors" for number, name in enumerate(named)}
    del own[upscaler]
    save_adoption(adopt(renamed(base, own), Mode.T2V).workflow, tmp_path / "custom")

    with pytest.raises(ModelUnavailable) as caught:
        await run(executor, tmp_path)

    assert source.wanted == [upscaler]
    assert caught.value.command == "clapper workflow check"
    assert caught.value.file in own.values()


async def test_a_damaged_file_is_named_before_anything_runs(
    executor: ComfyExecutor, tmp_path: Path
) -> None:
    base = load(Mode.T2V, None).graph
    save_adoption(adopt(base, Mode.T2V).workflow, tmp_path / "custom")
    for file in LTX_2_3.all_files():
        path = tmp_path / "models" / file.folder / file.name
        path.parent.mkdir(parents=True, exist_ok=True)
        save_file({"x": np.zeros(1, np.float32)}, path)
    broken = next(file for file in LTX_2_3.all_files() if "upscaler" in file.name)
    (tmp_path / "models" / broken.folder / broken.name).write_bytes(b"<html>")

    with pytest.raises(ModelDamaged) as caught:
        await run(executor, tmp_path)

    assert caught.value.file == broken.name
