"""What each node class takes and gives: ``workflows/nodes.json``, drawn from a real ComfyUI.

The file holds only the classes that our graphs use and that adoption knows. An input is written as
its type (``"MODEL"``), as a range (``{"type": "INT", "min": 0}``), as ``{"choices": […]}``, or as
``{"files": true}`` where the choices are whatever lies in a folder.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeAlias, cast

from core.runtime.atomic_files import write_atomically
from core.workflow.errors import NotObjectInfo
from core.workflow.library import WORKFLOWS

NODES = WORKFLOWS / "nodes.json"
ANY = "*"
FILE_INPUTS = frozenset({"audio", "file", "image", "text_encoder", "video"})  # and every …_name
# These classes make up inputs as the editor adds them, so nobody can list them.
OPEN_CLASSES = frozenset({"Any Switch (rgthree)", "Power Lora Loader (rgthree)"})
_WILD = frozenset({ANY, "COMFY_MATCHTYPE_V3", "COMFY_AUTOGROW_V3"})

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


@dataclass(frozen=True, slots=True)
class NodeSpec:
    """One node class."""

    kind: str
    pack: str  # "core", "clapper", or the node pack that brings it
    inputs: Mapping[str, InputSpec]
    outputs: tuple[str, ...]
    is_output: bool = False
    open: bool = False  # takes inputs that are not listed


@cache
def known_nodes() -> Mapping[str, NodeSpec]:
    """Return every class that Clapper knows, by name."""
    content = json.loads(NODES.read_text("utf-8"))
    return MappingProxyType({kind: _spec(kind, entry) for kind, entry in content["nodes"].items()})


def redraw(source: Path, version: str, target: Path) -> int:
    """Write ``target`` anew from ComfyUI's own words, and return how many classes it has.

    The classes stay those of ``nodes.json``; what ``source`` lacks, as a pack is not installed, is
    kept as it was.

    Args:
        source: JSON as ComfyUI answers at /object_info.
        version: of that ComfyUI.
        target: the file to write.

    Raises:
        NotObjectInfo: ``source`` is something else; ``target`` is left as it was.
    """
    try:
        info: Info = json.loads(source.read_text("utf-8"))
    except (ValueError, RecursionError):
        raise NotObjectInfo(source.name) from None
    before: dict[str, Info] = json.loads(NODES.read_text("utf-8"))["nodes"]
    packs = {kind: str(entry["pack"]) for kind, entry in before.items()}
    wanted = [kind for kind in before if packs[kind] != "clapper"]
    if not isinstance(info, dict) or not info.keys() & wanted:
        raise NotObjectInfo(source.name)
    drawn = compact(info, wanted, packs)
    write_atomically(target, dump({**before, **drawn}, version), 0o666)
    return len(before)


def compact(info: Info, kinds: Iterable[str], packs: Mapping[str, str]) -> dict[str, object]:
    """Return entries for ``nodes.json``.

    Args:
        info: ComfyUI's object_info: class name to its inputs and outputs.
        kinds: the classes wanted; those that ``info`` lacks are left out.
        packs: the pack of classes that do not come with ComfyUI.
    """
    entries: dict[str, object] = {}
    for kind in kinds:
        if kind not in info:
            continue
        found = info[kind]
        entry: dict[str, object] = {"pack": packs.get(kind, "core")}
        groups = found["input"]
        for group, name in (("required", "inputs"), ("optional", "optional")):
            described = _describe_all(groups.get(group) or {})
            if described:
                entry[name] = described
        for name, extra in _nested(groups.get("required") or {}).items():
            cast("dict[str, object]", entry.setdefault("optional", {})).setdefault(name, extra)
        entry["outputs"] = [ANY if out in _WILD else str(out) for out in found["output"]]
        if found.get("output_node"):
            entry["output"] = True
        if kind in OPEN_CLASSES:
            entry["open"] = True
        entries[kind] = entry
    return entries


def dump(nodes: Mapping[str, object], version: str) -> str:
    """Return the text of ``nodes.json``: one class a line, so that a change reads as a diff."""
    lines = [
        f"    {json.dumps(kind)}: {json.dumps(nodes[kind], ensure_ascii=False)}"
        for kind in sorted(nodes)
    ]
    return (
        f'{{\n  "comfyui": {json.dumps(version)},\n  "nodes": {{\n'
        + ",\n".join(lines)
        + "\n  }\n}\n"
    )


def _describe_all(group: Info) -> dict[str, object]:
    return {name: _describe(name, entry) for name, entry in group.items()}


def _describe(name: str, entry: Sequence[Any]) -> object:
    type_: object = entry[0]
    options: Info = entry[1] if len(entry) > 1 else {}
    if type_ == "COMFY_DYNAMICCOMBO_V3":
        return {"choices": [option["key"] for option in options["options"]]}
    if isinstance(type_, list) or type_ == "COMBO":
        choices = cast("list[object]", type_ if isinstance(type_, list) else options["options"])
        plain = name.rpartition(".")[2]
        named = plain.rstrip("12").endswith("_name") and plain != "sampler_name"
        return {"files": True} if named or plain in FILE_INPUTS else {"choices": choices}
    if type_ in _WILD:
        return ANY
    ranges = {key: options[key] for key in ("min", "max") if key in options}
    return {"type": type_, **ranges} if ranges else str(type_)


def _nested(group: Info) -> dict[str, object]:
    """Return the inputs that a dynamic combo adds, by their dotted names."""
    found: dict[str, object] = {}
    for name, entry in group.items():
        if entry[0] != "COMFY_DYNAMICCOMBO_V3":
            continue
        for option in entry[1]["options"]:
            inputs: Info = option["inputs"].get("required") or {}
            for inner, spec in inputs.items():
                found.setdefault(f"{name}.{inner}", _describe(inner, spec))
    return found


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
        return InputSpec("COMBO", required, choices=tuple(str(item) for item in spec["choices"]))
    return InputSpec(spec["type"], required, spec.get("min"), spec.get("max"))
