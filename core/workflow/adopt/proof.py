"""Refuse an adoption in which something that a request fills would change nothing."""

from core.domain.modes import MODES
from core.workflow.adopt.findings import AdoptionDraft
from core.workflow.adopt.reach import reaches
from core.workflow.adopt.report import describe_nodes
from core.workflow.errors import NotAdoptable


def prove_reach(draft: AdoptionDraft) -> None:
    """Prove that the files, the prompt and the seed of a request change the clip.

    Raises:
        NotAdoptable: one of them is loaded or read, but does not get as far as the pictures.
    """
    for role in (slot.role for slot in MODES[draft.mode].slots):
        _prove(draft, role, "file_unreached")
    _prove(draft, "prompt", "prompt_unreached")
    _prove(draft, "seed", "seed_unreached")
    bound = {row.binding.node for row in draft.findings if row.binding.value == "negative_prompt"}
    if bound and not any(reaches(draft.graph, node, text=True) for node in bound):
        draft.notice("adopt_negative_idle")


def _prove(draft: AdoptionDraft, value: str, reason: str) -> None:
    nodes = [row.binding.node for row in draft.findings if row.binding.value == value]
    text = value == "prompt"
    if not any(reaches(draft.graph, node, text=text) for node in nodes):
        named = describe_nodes(draft.graph.nodes[key] for key in dict.fromkeys(nodes))
        raise NotAdoptable(draft.mode, reason, f": {named}" if named else f": {value}")
