"""Which models a foreign graph loads, and whether the ComfyUI in use can run them."""

from collections.abc import Iterator

from core.models.bases import base_by_name, file_name
from core.models.catalog import FAMILY
from core.workflow.adopt.findings import AdoptionDraft
from core.workflow.adopt.link_types import LinkTypes
from core.workflow.errors import ModelTooNew
from core.workflow.graph import Literal, Node

_MODELS = ("ckpt_name", "unet_name", "model_name")


def bases_of(node: Node) -> Iterator[tuple[str, str]]:
    """Yield each model file that ``node`` names, and the base that its name tells."""
    for name in _MODELS:
        value = node.inputs.get(name)
        file = file_name(str(value.value)) if isinstance(value, Literal) else ""
        base = base_by_name(file)
        if base is not None:
            yield file, base


def refuse_later_models(draft: AdoptionDraft) -> None:
    """Refuse a graph whose model came after the ComfyUI in use; tell of models of other families.

    Raises:
        ModelTooNew: with the file.
    """
    types = LinkTypes(draft.graph)
    loaders = [node for node in draft.graph.nodes.values() if types.outputs(node, "MODEL")]
    found = dict(item for node in loaders for item in bases_of(node))
    for file, base in found.items():
        if base in FAMILY.later and not draft.newer:
            raise ModelTooNew(file, base, FAMILY.name)
        if base != FAMILY.base:
            draft.notice("adopt_other_model", file=file, base=base, family=FAMILY.name)
