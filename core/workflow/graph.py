"""Read and write graphs in ComfyUI's API format, as frozen records."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from types import MappingProxyType
from typing import Any, Self, TypeAlias, cast

from core.workflow.errors import EditorFormat, NotAWorkflow
from core.workflow.graph_files import content_of, text_of

Leaf: TypeAlias = str | int | float | bool


@dataclass(frozen=True, slots=True)
class Link:
    """The output ``slot`` of ``node``."""

    node: str
    slot: int = 0


@dataclass(frozen=True, slots=True)
class Literal:
    """A value of JSON, kept as text so that nobody can change it."""

    text: str

    @classmethod
    def of(cls, value: object) -> Self:
        """Return the literal for a JSON ``value``."""
        return cls(json.dumps(value, ensure_ascii=False, sort_keys=True))

    @property
    def value(self) -> object:
        """Return a fresh copy of the value."""
        return json.loads(self.text)


Input: TypeAlias = Link | Literal


@dataclass(frozen=True, slots=True)
class Node:
    """One step of a graph: a ``kind`` (ComfyUI's class type) and what goes in."""

    id: str
    kind: str
    inputs: Mapping[str, Input]
    title: str = ""

    def with_input(self, name: str, value: Input) -> Self:
        """Return this node with another ``value`` for ``name``."""
        return replace(self, inputs=MappingProxyType({**self.inputs, name: value}))

    def with_inputs(self, inputs: Mapping[str, Input]) -> Self:
        """Return this node with other ``inputs``."""
        return replace(self, inputs=MappingProxyType(dict(inputs)))

    def links(self) -> Iterator[tuple[str, Link]]:
        """Yield the inputs that come from other nodes."""
        for name, value in self.inputs.items():
            if isinstance(value, Link):
                yield name, value


@dataclass(frozen=True, slots=True)
class Graph:
    """Nodes by id, in the order of the file."""

    nodes: Mapping[str, Node]

    @classmethod
    def of(cls, nodes: Iterable[Node]) -> Self:
        """Return the graph of ``nodes``."""
        return cls(MappingProxyType({node.id: node for node in nodes}))

    def with_nodes(self, *changed: Node) -> Self:
        """Return this graph with ``changed`` in place of the nodes with their ids."""
        return type(self).of({**self.nodes, **{node.id: node for node in changed}}.values())

    def upstream(self, *roots: str) -> frozenset[str]:
        """Return ``roots`` and every existing node that they take anything from."""
        found: set[str] = set()
        waiting = [root for root in roots if root in self.nodes]
        while waiting:
            current = waiting.pop()
            if current not in found:
                found.add(current)
                links = self.nodes[current].links()
                waiting += [link.node for _, link in links if link.node in self.nodes]
        return frozenset(found)

    def circle(self) -> list[str]:
        """List nodes that wait for each other in a circle; empty where none do."""
        waits = {
            node.id: {link.node for _, link in node.links()} & self.nodes.keys()
            for node in self.nodes.values()
        }
        try:
            TopologicalSorter(waits).prepare()
        except CycleError as found:
            return list(dict.fromkeys(found.args[1]))
        return []

    def pruned(self, *roots: str) -> Self:
        """Return only what ``roots`` need."""
        needed = self.upstream(*roots)
        return type(self).of(node for node in self.nodes.values() if node.id in needed)

    def to_prompt(self) -> dict[str, dict[str, Any]]:
        """Return a fresh copy in ComfyUI's API format; changing it changes nothing here."""
        return {
            node.id: {
                "class_type": node.kind,
                "inputs": {name: _plain(value) for name, value in node.inputs.items()},
                "_meta": {"title": node.title},
            }
            for node in self.nodes.values()
        }


def parse(text: str, file: str) -> Graph:
    """Parse the graph in ``text``.

    Args:
        text: JSON in API format, or with such a graph inside.
        file: its name, for messages.

    Raises:
        EditorFormat: the JSON is what the editor saves (it has ``nodes``).
        NotAWorkflow: anything else that is not a graph in API format.
    """
    content = content_of(text, file)
    if isinstance(content.get("nodes"), list):
        raise EditorFormat(file)
    nodes = {key: value for key, value in content.items() if not _is_remark(key, value)}
    return Graph.of(_node(key, value, file) for key, value in nodes.items())


def read(path: Path) -> Graph:
    """Read the graph in the file ``path``: an export, or a picture or clip that ComfyUI saved.

    Raises:
        EditorFormat: the JSON is what the editor saves (it has ``nodes``).
        NotAWorkflow: anything else that is not a graph in API format.
    """
    return parse(text_of(path), path.name)


def _is_remark(key: str, value: object) -> bool:
    """Tell whether an entry is a note of whoever wrote the file: a text, or one as ``_meta`` is."""
    note = isinstance(value, dict) and "class_type" not in cast("dict[str, object]", value)
    return isinstance(value, str) or (key.startswith("_") and note)


def _node(key: str, value: object, file: str) -> Node:
    fields = cast("dict[str, Any]", value) if isinstance(value, dict) else {}
    kind, inputs, meta = fields.get("class_type"), fields.get("inputs"), fields.get("_meta")
    if not isinstance(kind, str) or not isinstance(inputs, dict):
        raise NotAWorkflow(file, "not_a_graph")
    title = cast("dict[str, object]", meta).get("title", "") if isinstance(meta, dict) else ""
    named = cast("dict[str, object]", inputs)
    parsed = {name: _input(entry) for name, entry in named.items()}
    return Node(key, kind, MappingProxyType(parsed), str(title))


def _input(value: object) -> Input:
    if isinstance(value, list):
        items = cast("list[object]", value)
        match items:
            case [str() as node, int() as slot]:
                return Link(node, slot)
            case _:
                return Literal.of(items)
    return Literal.of(value)


def _plain(value: Input) -> object:
    return [value.node, value.slot] if isinstance(value, Link) else value.value
