"""What the nodes of a foreign graph mean for the person waiting, and LoRAs that do not fit."""

from typing import cast

from core.domain.progress import Stage
from core.models.errors import LoraRefused, ModelFileRefused
from core.models.lora import check_lora
from core.workflow.adopt.findings import AdoptionDraft
from core.workflow.adopt.link_types import samplers_of
from core.workflow.graph import Literal, Node

_TEXT = {"CLIPTextEncode", "LTXVConditioning", "ConditioningZeroOut"}
_DECODE = ("Decode", "ClapperOutput", "VideoCombine", "CreateVideo")
_INPUT_LOADERS = {"LoadImage", "LoadAudio", "LoadVideo"}


def stages_of(draft: AdoptionDraft) -> dict[str, Stage]:
    """Return the stage of every node."""
    samplers = samplers_of(draft.graph)
    before = draft.graph.upstream(*(node.id for node in samplers[:1]))
    sampling = draft.graph.upstream(*(node.id for node in samplers))
    found: dict[str, Stage] = {}
    for node in draft.graph.nodes.values():
        if node in samplers:
            found[node.id] = Stage.STAGE2 if samplers.index(node) else Stage.STAGE1
        elif node.id in before:
            found[node.id] = _kind_stage(node, Stage.PREPARE)
        else:
            found[node.id] = _kind_stage(
                node, Stage.STAGE2 if node.id in sampling else Stage.DECODE
            )
    return found


def _kind_stage(node: Node, otherwise: Stage) -> Stage:
    if node.kind in _TEXT:
        return Stage.TEXT
    if "Upsampler" in node.kind:
        return Stage.UPSCALE
    if "Loader" in node.kind and node.kind not in _INPUT_LOADERS:
        return Stage.LOAD
    if any(part in node.kind for part in _DECODE):
        return Stage.DECODE
    return otherwise


def refuse_loras(draft: AdoptionDraft) -> None:
    """Switch off every LoRA that was made for another model, and say so by name."""
    for node in list(draft.graph.nodes.values()):
        for name, value in node.inputs.items():
            if not isinstance(value, Literal):
                continue
            row = value.value
            if isinstance(row, dict):  # a row of rgthree's Power Lora Loader
                entry = cast("dict[str, object]", row)
                if entry.get("on") and _refused(draft, str(entry.get("lora", ""))):
                    draft.put(node.id, name, {**entry, "on": False})
            elif name == "lora_name" and _refused(draft, str(row)):
                draft.put(node.id, "strength_model", 0.0)


def _refused(draft: AdoptionDraft, file: str) -> bool:
    try:
        check_lora(file, draft.loras)
    except LoraRefused as problem:
        draft.notice("adopt_lora", file=file, base=problem.found, wanted=problem.base)
        return True
    except ModelFileRefused as problem:
        draft.notice(problem.code, file=problem.file, fault=problem.fault)
        return True
    return False
