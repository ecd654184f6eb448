"""Load workflows: from the user's own folder first, then those of the project."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from core.domain.modes import Mode
from core.runtime.program_files import CUSTOM_WORKFLOWS, PROJECT_ROOT
from core.workflow.bindings import Bindings, parse_bindings
from core.workflow.errors import NotAWorkflow, TemplateBroken
from core.workflow.graph import Graph, read
from core.workflow.graph_reuse import GraphReuse, parse_reuse

WORKFLOWS = PROJECT_ROOT / "workflows"
CUSTOM = CUSTOM_WORKFLOWS  # the default of the setting workflows_dir


@dataclass(frozen=True, slots=True)
class Workflow:
    """A graph of one mode, and what of it a request fills."""

    mode: Mode
    graph: Graph
    bindings: Bindings
    custom: bool = False  # the user's own export


def paths_of(mode: Mode, folder: Path) -> tuple[Path, Path]:
    """Return the files of ``mode`` in ``folder``: the graph and its bindings."""
    return folder / f"{mode}.json", folder / f"{mode}.bindings.toml"


def load(mode: Mode, custom: Path | None = CUSTOM) -> Workflow:
    """Load the workflow of ``mode``.

    Args:
        mode: what is made from what.
        custom: folder with adopted workflows, which win; None looks only at the project's own.

    Raises:
        EditorFormat: the file in ``custom`` was replaced by something else.
        NotAWorkflow: likewise, or it lost a node that a request fills, or its bindings.
    """
    if custom is not None:
        path, beside = paths_of(mode, custom)
        if path.is_file() and not beside.is_file():
            raise NotAWorkflow(beside.name, "bindings_absent")
        if path.is_file():
            return _read(mode, custom, own=True)
    return _project(mode)


def load_all(custom: Path | None = CUSTOM) -> Mapping[Mode, Workflow]:
    """Load the workflows in use, by mode; raises what :func:`load` raises."""
    return {mode: load(mode, custom) for mode in Mode}


def reuse_of(mode: Mode) -> GraphReuse | None:
    """Return what ``mode`` changes in another mode's graph; None where it has a graph of its own.

    Raises:
        TemplateBroken: its binding file cannot be read as such a difference.
    """
    path, beside = paths_of(mode, WORKFLOWS)
    if path.is_file() or not beside.is_file():
        return None
    try:
        return parse_reuse(beside.read_text("utf-8"))
    except (ValueError, KeyError, TypeError) as error:
        raise TemplateBroken(mode, f"workflows/{beside.name}: {error}") from None


@cache
def _project(mode: Mode) -> Workflow:
    """Load the project's own workflow of ``mode``: its graph, or another mode's with a difference.

    Raises:
        TemplateBroken: the mode has neither.
    """
    path, beside = paths_of(mode, WORKFLOWS)
    if path.is_file():
        return _read(mode, WORKFLOWS, own=False)
    reuse = reuse_of(mode)
    if reuse is None:
        named = f'graph = "<another mode>" in workflows/{beside.name}'
        raise TemplateBroken(mode, f"it needs workflows/{path.name}, or {named}")
    if not paths_of(reuse.base, WORKFLOWS)[0].is_file():
        raise TemplateBroken(mode, f"{reuse.base} has no graph of its own to share")
    base = _project(reuse.base)
    try:
        graph = reuse.graph(base.graph)
    except KeyError as missing:
        raise TemplateBroken(mode, f"no {missing} in the graph of {reuse.base}") from None
    return Workflow(mode, graph, reuse.bindings(base.bindings))


def _read(mode: Mode, folder: Path, *, own: bool) -> Workflow:
    path, beside = paths_of(mode, folder)
    graph = read(path)
    try:
        bindings = parse_bindings(beside.read_text("utf-8"))
    except (ValueError, KeyError, TypeError, AttributeError):
        if not own:
            raise
        raise NotAWorkflow(beside.name, "bindings_altered") from None
    bound = {bindings.output, *(binding.node for binding in bindings.values)}
    if bound - graph.nodes.keys() - bindings.brought:
        raise NotAWorkflow(path.name, "altered")
    return Workflow(mode, graph, bindings, own)
