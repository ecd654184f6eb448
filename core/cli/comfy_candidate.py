"""Try one ComfyUI in a process of its own: ``python -m core.cli.comfy_candidate CHECKOUT WORK``.

Prints a JSON object a line: what does not fit in which workflow, and what each control changed.
"""

import argparse
import asyncio
import json
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from core.cli.workflow_try import stand_in, try_workflow
from core.comfy.device import device_kind
from core.comfy.executor import ComfyExecutor, ComfyOptions
from core.comfy.job_run import ExecutionPlan
from core.comfy.object_info import object_info
from core.comfy.paths import ComfyPaths, pinned_paths
from core.comfy.startup import start
from core.comfy.testing.stand_ins import StandInFiles, written_in_words
from core.domain.modes import Mode
from core.errors import DiskFull, GenerationFailed
from core.i18n.messages import explain
from core.models.catalog import Profile, names
from core.settings import Settings, load_settings
from core.workflow.graph import Graph
from core.workflow.library import Workflow, load
from core.workflow.node_schema import Info
from core.workflow.schema_drawing import schema_of
from core.workflow.split_loaders import split_loaders
from core.workflow.validation import graph_defects, shapes_of


def check_workflows(info: Info, settings: Settings) -> list[dict[str, str]]:
    """Return what the ComfyUI that ``info`` describes would refuse, of our workflows and adopted.

    Args:
        info: its object_info.
        settings: where adopted workflows lie.
    """
    used = [load(mode, None) for mode in Mode]
    used += [item for mode in Mode if (item := load(mode, settings.workflows_dir)).custom]
    shapes = [shape for workflow in used for shape in _shapes(workflow)]
    schema = schema_of(info, {node.kind for _, graph in shapes for node in graph.nodes.values()})
    found = (
        {"mode": workflow.mode.value, "defect": str(defect)}
        for workflow, graph in shapes
        for defect in graph_defects(graph, workflow, schema)
    )
    return list({json.dumps(item): item for item in found}.values())


def _shapes(workflow: Workflow) -> Iterator[tuple[Workflow, Graph]]:
    """Yield ``workflow`` with each graph that it may run."""
    for graph in shapes_of(workflow):
        yield workflow, graph
        if not workflow.custom:
            yield workflow, split_loaders(graph, names(Profile.SMALL))


async def try_modes(modes: list[Mode], place: ComfyPaths, settings: Settings, work: Path) -> None:
    """Run every control of ``modes`` in the workflows in use, and print a line for each mode."""
    options = ComfyOptions(device_kind(), settings.comfy.vram, settings.comfy.packs)
    used = [load(mode, settings.workflows_dir) for mode in modes]
    plan = ExecutionPlan(Profile.FP8, custom=work / "workflows")
    executor = ComfyExecutor(place, StandInFiles(place.models), plan, options)
    try:
        await executor.warm_up()
        await stand_in(executor, used, place.models)
        with written_in_words():
            for workflow in used:
                _say({"mode": workflow.mode, **await _tried(executor, workflow, work)})
    finally:
        await executor.close()


async def _tried(executor: ComfyExecutor, workflow: Workflow, work: Path) -> dict[str, object]:
    """Return the rows of one workflow, or why it does not run."""
    try:
        rows = await try_workflow(executor, workflow, work / workflow.mode)
    except DiskFull as problem:
        return {"broken": explain(problem), "full": True}
    except GenerationFailed as problem:
        return {"broken": explain(problem)}
    return {"rows": [asdict(row) for row in rows]}


def _say(line: dict[str, object]) -> None:
    sys.stdout.write(f"{json.dumps(line)}\n")
    sys.stdout.flush()


def main() -> None:
    """Check all workflows, and try those of the modes that are named."""
    parser = argparse.ArgumentParser()
    parser.add_argument("checkout", type=Path)
    parser.add_argument("work", type=Path, help="an empty folder for all that is written")
    parser.add_argument("--mode", type=Mode, action="append", default=[])
    asked = parser.parse_args()
    settings, work = load_settings(), asked.work
    packs = pinned_paths(settings).packs
    place = ComfyPaths(asked.checkout, packs, work / "comfy", work / "models")
    comfy = start(place, device_kind(), settings.comfy.vram, packs=settings.comfy.packs)
    defects = check_workflows(object_info(comfy), settings)
    _say({"defects": defects})
    if not defects:  # else nothing is to be learnt from running them
        asyncio.run(try_modes(asked.mode, place, settings, work))


if __name__ == "__main__":
    main()
