"""The text encoders of a foreign graph: which reads the prompt, which the negative prompt."""

import re

from core.workflow.adopt.findings import AdoptionDraft, EvidenceKind
from core.workflow.adopt.links import conditioning_of, samplers_of
from core.workflow.adopt.report import describe_nodes
from core.workflow.errors import NotAdoptable
from core.workflow.graph import Node

_TEXTS = ("text", "prompt")
_PROMPT = re.compile(r"\bprompt\b", re.IGNORECASE)
_UNTITLED = "CLIP Text Encode (Prompt)"  # what ComfyUI calls every text until somebody renames it


def find_prompts(draft: AdoptionDraft) -> None:
    """Bind the prompt, and the negative prompt where the graph reads one.

    Raises:
        NotAdoptable: no sampler's positive conditioning leads to a text encoder, or several do and
            nothing tells which of them reads the prompt.
    """
    prompts = _prompts(draft)
    if not prompts:
        raise NotAdoptable(draft.mode, "no_prompt")
    if len(prompts) > 1:
        draft.notice(
            "adopt_prompts", nodes=describe_nodes([node for node, _, _ in prompts.values()])
        )
    for node, name, how in prompts.values():
        draft.take("prompt", node.id, name, how, "")
    for sampler in samplers_of(draft.graph):
        for node, name in _encoders(draft, sampler, "negative"):
            if node.id not in prompts:
                draft.take("negative_prompt", node.id, name, EvidenceKind.LINK, "")


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
    for node in conditioning_of(draft.graph, sampler, side):
        name = next((text for text in _TEXTS if text in node.inputs), None)
        if name is not None:
            found.append((node, name))
    return found
