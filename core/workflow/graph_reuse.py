"""A mode that runs the graph of another one: its binding file says the difference, not the graph.

``graph`` names the other mode, ``[files]`` gives each of its files to roles of that mode, and
``[[changes]]`` are inputs with another value. All else is what the other mode has.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from core.domain.modes import Mode
from core.workflow.bindings import Binding, Bindings, read_input
from core.workflow.graph import Graph, Input

_KEYS = {"graph", "files", "changes"}


@dataclass(frozen=True, slots=True)
class InputChange:
    """The input ``name`` of ``node`` takes ``value`` instead."""

    node: str
    name: str
    value: Input


@dataclass(frozen=True, slots=True)
class GraphReuse:
    """The graph of ``base``, with what is different in it."""

    base: Mode
    files: Mapping[str, tuple[str, ...]]  # role of this mode: roles of the base that get its file
    changes: tuple[InputChange, ...] = ()

    def graph(self, base: Graph) -> Graph:
        """Return ``base`` with the changes; raises KeyError for an input that it does not have."""
        changed = base
        for change in self.changes:
            node = changed.nodes[change.node]
            _ = node.inputs[change.name]  # a change of nothing is a mistake
            changed = changed.with_nodes(node.with_input(change.name, change.value))
        return changed

    def bindings(self, base: Bindings) -> Bindings:
        """Return ``base`` with the roles of this mode in place of those of the other one."""
        role_of = {theirs: role for role, roles in self.files.items() for theirs in roles}
        values = tuple(_renamed(binding, role_of) for binding in base.values)
        return replace(base, values=values)


def parse_reuse(text: str) -> GraphReuse | None:
    """Parse what ``text`` says of another mode's graph; None where the mode has its own.

    Raises:
        KeyError: it says more than this, or too little.
        ValueError: it is no TOML, or there is no such mode.
    """
    data = tomllib.loads(text)
    if "graph" not in data:
        return None
    if data.keys() - _KEYS:
        raise KeyError(", ".join(sorted(data.keys() - _KEYS)))
    files = {role: tuple(roles) for role, roles in data.get("files", {}).items()}
    return GraphReuse(
        Mode(data["graph"]),
        MappingProxyType(files),
        tuple(_change(entry) for entry in data.get("changes", [])),
    )


def _change(entry: Mapping[str, Any]) -> InputChange:
    return InputChange(entry["node"], entry["input"], read_input(entry["value"]))


def _renamed(binding: Binding, role_of: Mapping[str, str]) -> Binding:
    return replace(binding, value=role_of.get(binding.value, binding.value))
