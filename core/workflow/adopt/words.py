"""The text encoders of a foreign graph: which reads the prompt, which the negative prompt."""

from core.workflow.adopt.draft import Draft, How
from core.workflow.adopt.trace import conditioning_of, samplers_of
from core.workflow.problems import NotAdoptable
from core.workflow.template import Node

_TEXTS = ("text", "prompt")


def find_words(draft: Draft) -> None:
    """Bind the prompt, and the negative prompt where the graph reads one.

    Raises:
        NotAdoptable: no sampler's positive conditioning leads to a text encoder.
    """
    prompts = _encoders(draft, "positive")
    if not prompts:
        raise NotAdoptable(draft.mode, "no_prompt")
    for node, name in prompts.values():
        draft.take("prompt", node.id, name, How.LINK, "")
    for node, name in _encoders(draft, "negative").values():
        if node.id not in prompts:
            draft.take("negative_prompt", node.id, name, How.LINK, "")


def _encoders(draft: Draft, side: str) -> dict[str, tuple[Node, str]]:
    """Return the text encoders at the ends of all samplers' ways, with their text inputs."""
    found: dict[str, tuple[Node, str]] = {}
    for sampler in samplers_of(draft.graph):
        for node in conditioning_of(draft.graph, sampler, side):
            name = next((text for text in _TEXTS if text in node.inputs), None)
            if name is not None:
                found[node.id] = (node, name)
    return found
