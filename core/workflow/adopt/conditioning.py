"""Follow a sampler's conditioning backwards to the texts that it is made of."""

from collections.abc import Iterator

from core.workflow.adopt.link_types import LinkTypes
from core.workflow.graph import Graph, Link, Node
from core.workflow.node_schema import known_nodes

_OTHER = {"positive": "neg", "negative": "pos"}
_NO_TEXT = {"ConditioningZeroOut"}  # what they give does not depend on the text any more


def conditioning_of(graph: Graph, sampler: Node, side: str) -> Iterator[Node]:
    """Yield the nodes that a sampler's ``positive`` or ``negative`` text comes from.

    Links are followed by what flows through them, so classes that nobody knows are no obstacle.

    Args:
        graph: of the sampler.
        sampler: a sampler node, with a guider or with conditionings of its own.
        side: ``positive`` or ``negative``.

    Yields:
        First the guider or sampler, last the text encoder, if the way is known so far.
    """
    types = LinkTypes(graph)
    waiting: list[tuple[Node, int | None]] = [(sampler, None)]
    seen: set[tuple[str, int | None]] = set()
    while waiting:
        node, slot = waiting.pop(0)
        if (node.id, slot) in seen or node.kind in _NO_TEXT:
            continue
        seen.add((node.id, slot))
        yield node
        for link in _next(types, node, slot, side):
            if link.node in graph.nodes:
                text = types.of(link) != "GUIDER"
                waiting.append((graph.nodes[link.node], link.slot if text else None))


def _next(types: LinkTypes, node: Node, slot: int | None, side: str) -> list[Link]:
    """Return what ``node`` takes for its output ``slot``; None is a guider or a sampler."""
    texts = types.inputs(node, "CONDITIONING")
    if slot is None:
        guiders = [link for _, link in types.inputs(node, "GUIDER") if types.of(link) == "GUIDER"]
        return [*guiders, *_of_side(texts, side, alone=side == "positive")]
    given = types.outputs(node, "CONDITIONING")
    if slot in given and len(given) > 1 and len(texts) >= len(given):
        named = _of_side(texts, ("positive", "negative")[min(given.index(slot), 1)], alone=False)
        return named or [texts[given.index(slot)][1]]
    return _of_side(texts, side, alone=True)


def _of_side(texts: list[tuple[str, Link]], side: str, *, alone: bool) -> list[Link]:
    """Return the conditionings for ``side``; those of no side where ``alone`` allows them."""
    own = [link for name, link in texts if side[:3] in name.lower()]
    other = [name for name, _ in texts if _OTHER[side] in name.lower()]
    free = [link for name, link in texts if side[:3] not in name.lower() and name not in other]
    return own or (free if alone or (other and side == "positive") else [])


def text_inputs(node: Node, side: str) -> list[str]:
    """Return the inputs of ``node`` that take a text for ``side``; empty where it encodes none."""
    spec = known_nodes().get(node.kind)
    if spec is None:
        names = [name for name in node.inputs if name in {"text", "prompt", "caption"}]
    elif "CONDITIONING" not in spec.outputs or spec.open:
        return []
    else:
        names = [name for name in node.inputs if _is_text(node, name)]
    plain = [name for name in names if name in {"text", "prompt"}]
    sided = [name for name in names if side[:3] in name.lower()]
    return sided[:1] or plain[:1] or names


def _is_text(node: Node, name: str) -> bool:
    spec = known_nodes()[node.kind]
    found = spec.input(name)
    return found is not None and found.type == "STRING"
