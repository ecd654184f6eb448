"""Switch off the LoRAs of a foreign graph that were made for another model than its own."""

from dataclasses import replace
from typing import cast

from core.models.catalog import FAMILY, ModelFamily
from core.models.errors import LoraRefused, ModelFileRefused
from core.models.lora import check_lora
from core.workflow.adopt.base_models import bases_of
from core.workflow.adopt.findings import AdoptionDraft
from core.workflow.adopt.link_types import LinkTypes
from core.workflow.graph import Graph, Literal, Node


def refuse_loras(draft: AdoptionDraft) -> None:
    """Switch off every LoRA that was made for another model, and say so by name."""
    for node in list(draft.graph.nodes.values()):
        if not _changes_model(draft.graph, node):
            continue
        family = _family_of(draft.graph, node)
        for name, value in node.inputs.items():
            if not isinstance(value, Literal):
                continue
            row = value.value
            if isinstance(row, dict):  # a row of rgthree's Power Lora Loader
                entry = cast("dict[str, object]", row)
                if entry.get("on") and _refused(draft, str(entry.get("lora", "")), family):
                    draft.put(node.id, name, {**entry, "on": False})
            elif name == "lora_name" and _refused(draft, str(row), family):
                draft.put(node.id, "strength_model", 0.0)


def _changes_model(graph: Graph, node: Node) -> bool:
    """Tell whether the diffusion model goes through ``node``; else it is for the text encoder."""
    types = LinkTypes(graph)
    used = {link.slot for link in types.takers if link.node == node.id}
    given = types.outputs(node, "MODEL")
    return not given or bool(used & set(given)) or not types.inputs(node, "CLIP")


def _family_of(graph: Graph, node: Node) -> ModelFamily:
    """Return the family whose base is that of the model which ``node`` changes.

    The graph's owner chose the model and its LoRAs together; what the project itself would load
    decides only where the name of the model tells nothing.
    """
    types, waiting, seen = LinkTypes(graph), [node], set[str]()
    while waiting:
        current = waiting.pop(0)
        if current.id in seen:
            continue
        seen.add(current.id)
        if current is not node:
            for _, base in bases_of(current):
                return replace(FAMILY, base=base)
        links = types.inputs(current, "MODEL")
        waiting += [graph.nodes[link.node] for _, link in links if link.node in graph.nodes]
    return FAMILY


def _refused(draft: AdoptionDraft, file: str, family: ModelFamily) -> bool:
    try:
        check_lora(file, draft.loras, family)
    except LoraRefused as problem:
        draft.notice("adopt_lora", file=file, base=problem.found, wanted=problem.base)
        return True
    except ModelFileRefused as problem:
        draft.notice(problem.code, file=problem.file, fault=problem.fault)
        return True
    return False
