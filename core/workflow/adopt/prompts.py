"""The text encoders of a foreign graph: which reads the prompt, which the negative prompt."""

import re

from core.workflow.adopt.conditioning import conditioning_of, text_inputs
from core.workflow.adopt.constants import Place
from core.workflow.adopt.findings import AdoptionDraft, EvidenceKind
from core.workflow.adopt.link_types import LinkTypes, is_sampler, samplers_of
from core.workflow.adopt.report import describe_nodes
from core.workflow.adopt.texts import text_root
from core.workflow.errors import NotAdoptable
from core.workflow.graph import Node

_PROMPT = re.compile(r"\bprompt\b", re.IGNORECASE)
_UNTITLED = "CLIP Text Encode (Prompt)"  # what ComfyUI calls every text until somebody renames it


def find_prompts(draft: AdoptionDraft) -> None:
    """Bind the prompt, and the negative prompt where the graph reads one.

    Raises:
        NotAdoptable: there is no sampler, no sampler's positive conditioning leads to a text
            encoder, or several do and nothing tells which of them reads the prompt.
    """
    if not samplers_of(draft.graph):
        raise NotAdoptable(draft.mode, "no_sampler")
    prompts = _prompts(draft)
    if not prompts:
        raise NotAdoptable(draft.mode, "no_prompt")
    if len(prompts) > 1:
        draft.notice(
            "adopt_prompts", nodes=describe_nodes([node for node, _, _ in prompts.values()])
        )
    for node, name, how in prompts.values():
        _take_text(draft, "prompt", Place(node.id, name), how)
    for sampler in samplers_of(draft.graph):
        for node, name in _encoders(draft, sampler, "negative"):
            if node.id not in prompts:
                _take_text(draft, "negative_prompt", Place(node.id, name), EvidenceKind.LINK)


def _take_text(draft: AdoptionDraft, value: str, place: Place, how: EvidenceKind) -> None:
    """Bind ``value`` where the text is typed, so that what its owner does with it stays."""
    root = text_root(draft.graph, place)
    if root is None:  # several texts, and nothing says which is the prompt
        draft.notice("adopt_text_cut", node=place.node, input=place.name)
        root = place
    elif root != place:
        titles = draft.graph.nodes[root.node].title or draft.graph.nodes[root.node].kind
        draft.notice("adopt_text_kept", node=root.node, title=titles)
    draft.take(value, root.node, root.name, how, "")


def _prompts(draft: AdoptionDraft) -> dict[str, tuple[Node, str, EvidenceKind]]:
    """Find what reads the prompt: one text of each sampler, often the same one.

    Raises:
        NotAdoptable: a sampler puts several texts together, and not one is called the prompt.
    """
    found: dict[str, tuple[Node, str, EvidenceKind]] = {}
    for sampler in samplers_of(draft.graph):
        encoders, how = _encoders(draft, sampler, "positive"), EvidenceKind.LINK
        if len(encoders) > 1:
            named = [item for item in encoders if _called_prompt(item[0])]
            if len(named) != 1:
                texts = describe_nodes([node for node, _ in encoders])
                raise NotAdoptable(draft.mode, "several_prompts", f": {texts}")
            encoders, how = named, EvidenceKind.TITLE
        found.update({node.id: (node, name, how) for node, name in encoders})
    return found


def _called_prompt(node: Node) -> bool:
    return _PROMPT.search(node.title.replace(_UNTITLED, "")) is not None


def _encoders(draft: AdoptionDraft, sampler: Node, side: str) -> list[tuple[Node, str]]:
    """Find the text encoders that a sampler depends on, with their text inputs."""
    found: list[tuple[Node, str]] = []
    types = LinkTypes(draft.graph)
    for node in conditioning_of(draft.graph, sampler, side):
        if not is_sampler(types, node):  # some hand texts on to a later one, and have words too
            found += [(node, name) for name in text_inputs(node, side)]
    return found
