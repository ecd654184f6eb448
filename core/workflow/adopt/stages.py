"""What the nodes of a foreign graph mean for the person waiting."""

from core.domain.progress import Stage
from core.models.catalog import FAMILY
from core.workflow.adopt.findings import AdoptionDraft
from core.workflow.adopt.link_types import samplers_of
from core.workflow.graph import Node

_TEXT = {"CLIPTextEncode", "ConditioningZeroOut", *FAMILY.nodes.text}
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
