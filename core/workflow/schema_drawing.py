"""Draw ``workflows/nodes.json`` from what a real ComfyUI says of its node classes."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from core.runtime.atomic_files import write_atomically
from core.workflow.errors import NotObjectInfo
from core.workflow.node_schema import ANY, NODES, Info, NodeSpec, known_nodes, specs_of

FILE_INPUTS = frozenset({"audio", "file", "image", "text_encoder", "video"})  # and every …_name
# These classes make up inputs as the editor adds them, so nobody can list them.
OPEN_CLASSES = frozenset({"Any Switch (rgthree)", "Power Lora Loader (rgthree)"})
_WILD = frozenset({ANY, "COMFY_MATCHTYPE_V3"})
_COMBO, _GROWS = "COMFY_DYNAMICCOMBO_V3", "COMFY_AUTOGROW_V3"
_CORE = ("nodes", "comfy_extras.")  # modules of the classes that come with ComfyUI


def redraw(source: Path, version: str, target: Path) -> int:
    """Write ``target`` anew from ComfyUI's own words, and return how many classes it has.

    The classes are all that come with ComfyUI and those of ``nodes.json``; what ``source`` lacks,
    as a pack is not installed, is kept as it was.

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
    new = (kind for kind in info if kind not in before and _comes_with_comfyui(info[kind]))
    named = [*wanted, *new]
    nodes = {**before, **compact(info, named, packs)}
    write_atomically(target, dump(nodes, version), 0o666)
    return len(nodes)


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
        entry |= _inputs(found["input"])
        entry["outputs"] = [ANY if out in _WILD else str(out) for out in found["output"]]
        if found.get("output_node"):
            entry["output"] = True
        if kind in OPEN_CLASSES:
            entry["open"] = True
        entries[kind] = entry
    return entries


def schema_of(info: Info, kinds: Iterable[str]) -> Mapping[str, NodeSpec]:
    """Return those of ``kinds`` that ``info``, ComfyUI's object_info, describes."""
    packs = {kind: spec.pack for kind, spec in known_nodes().items()}
    return specs_of(compact(info, kinds, packs))


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


def _inputs(groups: Info) -> dict[str, object]:
    """Describe the inputs; those that a choice adds are optional, whatever the choice says."""
    required: Info = groups.get("required") or {}
    optional: Info = groups.get("optional") or {}
    described = {name: _describe(name, spec) for name, spec in required.items()}
    free = {name: _describe(name, spec) for name, spec in optional.items()}
    for name, spec in (*_nested(required), *_nested(optional)):
        free.setdefault(name, spec)
    found: dict[str, object] = {"inputs": described} if described else {}
    return {**found, "optional": free} if free else found


def _comes_with_comfyui(found: Info) -> bool:
    module = str(found.get("python_module", ""))
    return module == _CORE[0] or module.startswith(_CORE[1])


def _describe(name: str, entry: Sequence[Any]) -> object:
    type_: object = entry[0]
    options: Info = entry[1] if len(entry) > 1 else {}
    if type_ == _COMBO:
        return {"choices": [option["key"] for option in options["options"]]}
    if isinstance(type_, list | tuple) or type_ == "COMBO":
        inline = isinstance(type_, list | tuple)
        listed = list(cast("Sequence[object]", type_ if inline else options.get("options", ())))
        plain = name.rpartition(".")[2]
        named = plain.rstrip("12").endswith("_name") and plain != "sampler_name"
        described: dict[str, object] = {"choices": listed}
        if _says(options, "default") and options["default"] not in listed[:1]:
            described["default"] = options["default"]
        return {"files": True} if named or plain in FILE_INPUTS else described
    if type_ == _GROWS:
        template: Info = options["template"]
        parts: Info = {
            name: spec for group in template["input"].values() for name, spec in group.items()
        }
        inner = next(iter(parts.values()), (ANY,))[0]
        return {"type": ANY if inner in _WILD else inner, "grows": template.get("min", 0)}
    if type_ in _WILD:
        return ANY
    known = {key: options[key] for key in ("min", "max", "default") if _says(options, key)}
    return {"type": type_, **known} if known else str(type_)


def _says(options: Info, key: str) -> bool:
    return key in options and isinstance(options[key], str | int | float)


def _nested(group: Info, prefix: str = "") -> Iterator[tuple[str, object]]:
    """Yield the inputs that a dynamic combo adds, by their dotted names."""
    for name, entry in group.items():
        if entry[0] != _COMBO:
            continue
        for option in entry[1]["options"]:
            for part in ("required", "optional"):
                inputs: Info = option["inputs"].get(part) or {}
                for inner, spec in inputs.items():
                    yield f"{prefix}{name}.{inner}", _describe(inner, spec)
                yield from _nested(inputs, f"{prefix}{name}.")
