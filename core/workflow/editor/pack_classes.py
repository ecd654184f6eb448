"""What the known node packs take, said as ComfyUI would if they were installed."""

import json
from collections.abc import Mapping
from typing import Any, cast

from core.workflow.node_schema import NODES, OURS, Info


def with_known_packs(installed: Mapping[str, Info]) -> dict[str, Info]:
    """Return the classes that are ``installed``, and those of node packs that adoption knows.

    With them a drawing becomes a graph before its packs are there; which it needs is told then.
    """
    content: dict[str, Info] = json.loads(NODES.read_text("utf-8"))["nodes"]
    known = {
        kind: _said(kind, entry)
        for kind, entry in content.items()
        if entry["pack"] not in OURS and not entry.get("open") and not _grows(entry)
    }
    return {**known, **installed}


def _grows(entry: Info) -> bool:
    """Tell whether inputs depend on a choice or on each other, which the table does not say."""
    inputs: Info = {**entry.get("inputs", {}), **entry.get("optional", {})}
    return any("." in name or (isinstance(one, Mapping) and "grows" in one)
               for name, one in inputs.items())  # fmt: skip


def _said(kind: str, entry: Info) -> Info:
    return {
        "input": {
            group: {name: _widget(spec) for name, spec in entry.get(ours, {}).items()}
            for group, ours in (("required", "inputs"), ("optional", "optional"))
        },
        "output_node": bool(entry.get("output")),
        "display_name": kind,
    }


def _widget(spec: object) -> list[Any]:
    if not isinstance(spec, Mapping):
        return [spec, {}]
    told = cast("Info", spec)
    return [told["type"], {}] if "type" in told else [list(told.get("choices", ())), {}]
