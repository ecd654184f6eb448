"""What each node class takes and gives: ``workflows/nodes.json``, drawn from a real ComfyUI.

The file holds every class that comes with ComfyUI, and those of node packs that adoption knows. An
input is written as its type (``"MODEL"``), as a range (``{"type": "INT", "min": 0}``), as
``{"choices": […]}``, or as ``{"files": true}`` where the choices are whatever lies in a folder.
``"grows": 1`` marks an input that takes as many as are wired, at least one: ``values.a`` and so on.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from types import MappingProxyType
from typing import Any, TypeAlias

from core.workflow.graph import Leaf
from core.workflow.library import WORKFLOWS

NODES = WORKFLOWS / "nodes.json"
ANY = "*"
OURS = frozenset({"core", "clapper"})  # packs that are wherever Clapper runs, in a known version

Info: TypeAlias = Mapping[str, Any]  # of ComfyUI's object_info: untyped JSON from outside


@dataclass(frozen=True, slots=True)
class InputSpec:
    """One input; a literal must lie in the range or among the choices."""

    type: str  # "*" takes anything
    required: bool
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] | None = None
    files: bool = False  # any file name
    grows: int | None = None  # takes ``<name>.<part>`` for each of at least so many
    default: Leaf | None = None  # what the editor fills in

    def takes(self, given: str) -> bool:
        """Tell whether an output of the type ``given`` may be linked to it."""
        types, others = set(self.type.split(",")), set(given.split(","))
        return bool(types & others) or ANY in types | others


@dataclass(frozen=True, slots=True)
class NodeSpec:
    """One node class."""

    kind: str
    pack: str  # "core", "clapper", or the node pack that brings it
    inputs: Mapping[str, InputSpec]
    outputs: tuple[str, ...]
    is_output: bool = False
    open: bool = False  # takes inputs that are not listed

    def input(self, name: str) -> InputSpec | None:
        """Return what the class says of the input ``name``, also of a part of one that grows."""
        found = self.inputs.get(name)
        stem = name.rpartition(".")[0]
        while found is None and stem:
            parent = self.inputs.get(stem)
            if parent is not None and parent.grows is not None:
                return replace(parent, grows=None, required=False)
            stem = stem.rpartition(".")[0]
        return found


@cache
def known_nodes() -> Mapping[str, NodeSpec]:
    """Return every class that Clapper knows, by name."""
    content = json.loads(NODES.read_text("utf-8"))
    return specs_of(content["nodes"])


def specs_of(entries: Mapping[str, Any]) -> Mapping[str, NodeSpec]:
    """Return the classes that ``entries`` describe, which are written as in ``nodes.json``."""
    return MappingProxyType({kind: _spec(kind, entry) for kind, entry in entries.items()})


def _spec(kind: str, entry: Info) -> NodeSpec:
    groups = (("inputs", True), ("optional", False))
    inputs = {
        name: _input(spec, required=required)
        for group, required in groups
        for name, spec in entry.get(group, {}).items()
    }
    return NodeSpec(
        kind=kind,
        pack=entry["pack"],
        inputs=MappingProxyType(inputs),
        outputs=tuple(entry["outputs"]),
        is_output=entry.get("output", False),
        open=entry.get("open", False),
    )


def _input(spec: str | Info, *, required: bool) -> InputSpec:
    if isinstance(spec, str):
        return InputSpec(spec, required)
    if "files" in spec:
        return InputSpec("COMBO", required, files=True)
    if "choices" in spec:
        choices = tuple(str(item) for item in spec["choices"])
        first = spec["choices"][0] if choices else None
        return InputSpec("COMBO", required, choices=choices, default=spec.get("default", first))
    bounds = spec.get("min"), spec.get("max")
    grows, default = spec.get("grows"), spec.get("default")
    return InputSpec(spec["type"], required, *bounds, grows=grows, default=default)
