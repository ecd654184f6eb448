"""Replace the loaders of a whole checkpoint by one for each of its parts.

``workflows/split_loaders.toml`` says which class becomes which, so graphs are written once for both
kinds of profile.
"""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Any

from core.models.catalog import ModelNames, Slot
from core.settings import PROJECT_ROOT
from core.workflow.graph import Graph, Input, Link, Literal, Node

SPLIT_LOADERS = PROJECT_ROOT / "workflows" / "split_loaders.toml"


@dataclass(frozen=True, slots=True)
class PartLoader:
    """The node that gives one output of a loader of a whole checkpoint."""

    kind: str
    files: Mapping[str, Slot]  # input: whose file it names
    inputs: Mapping[str, Input]  # the others

    def node(self, node: Node, id_: str, names: ModelNames) -> Node:
        """Return the loader in place of ``node``."""
        files = {name: Literal.of(getattr(names, slot)) for name, slot in self.files.items()}
        return Node(id_, self.kind, MappingProxyType({**files, **self.inputs}), node.title)


def split_loaders(graph: Graph, names: ModelNames) -> Graph:
    """Return ``graph`` with loaders of single files in place of those of a checkpoint.

    The first output keeps the id of the node; each other gets it with the slot's number behind.

    Args:
        graph: of a workflow of the project.
        names: of a profile without a checkpoint.
    """
    table = part_loaders()
    added: list[Node] = []
    moved: dict[Link, Link] = {}
    for node in graph.nodes.values():
        for slot, part in table.get(node.kind, {}).items():
            id_ = part_id(node.id, slot)
            added.append(part.node(node, id_, names))
            moved[Link(node.id, slot)] = Link(id_)
    kept = (node.with_inputs(_relinked(node, moved)) for node in graph.nodes.values())
    return Graph.of([*(node for node in kept if node.kind not in table), *added])


def part_id(node: str, slot: int) -> str:
    """Return the id of the loader that gives output ``slot`` of ``node``."""
    return f"{node}_{slot}" if slot else node


def _relinked(node: Node, moved: Mapping[Link, Link]) -> dict[str, Input]:
    return {
        name: moved.get(value, value) if isinstance(value, Link) else value
        for name, value in node.inputs.items()
    }


@cache
def part_loaders() -> Mapping[str, Mapping[int, PartLoader]]:
    """Read which loaders stand for each output of a class."""
    content = tomllib.loads(SPLIT_LOADERS.read_text("utf-8"))
    return {kind: dict(_parts(outputs)) for kind, outputs in content.items()}


def _parts(outputs: dict[str, dict[str, Any]]) -> Iterator[tuple[int, PartLoader]]:
    for slot, part in outputs.items():
        files = {name: Slot(value) for name, value in part["files"].items()}
        inputs = {name: Literal.of(value) for name, value in part.get("inputs", {}).items()}
        yield int(slot), PartLoader(part["class"], files, inputs)
