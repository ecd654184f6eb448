"""Follow links backwards: to the text of a conditioning, to the constant of a number."""

from collections.abc import Iterator
from dataclasses import dataclass

from core.workflow.bind import SAMPLERS
from core.workflow.graph import Graph, Input, Link, Literal, Node

# Nodes that hand a number on: class to the input it comes from.
_NUMBERS = {
    "INTConstant": "value",
    "FloatConstant": "value",
    "PrimitiveInt": "value",
    "PrimitiveFloat": "value",
    "CM_IntToFloat": "a",
    "CM_FloatToInt": "a",
    "LTXFloatToInt": "a",
    "ComfyNumberConvert": "value",
}
# Nodes whose picture has the size of two of their inputs: class to the prefix of those.
_SIZED = {
    "EmptyImage": "",
    "ImageScale": "",
    "ImageResizeKJv2": "",
    "ResizeImageMaskNode": "resize_type.",
}
# Nodes whose picture has the size of the picture they take.
_SAME_SIZE = {"LTXVPreprocess": "image", "Any Switch (rgthree)": "", "ImageFromBatch": "image"}
_SIDES = ("positive", "negative")


@dataclass(frozen=True, slots=True)
class NumberOrigin:
    """The input where a number is really set, and how many times larger the traced one is."""

    node: str
    name: str
    factor: float = 1.0


def links_of(node: Node) -> dict[str, Link]:
    """Return the inputs of ``node`` that come from other nodes."""
    return dict(node.links())


def origin_of(graph: Graph, value: Input | None) -> NumberOrigin | None:
    """Find where the number ``value`` is set; None if it is computed or literal."""
    if not isinstance(value, Link) or value.node not in graph.nodes:
        return None
    node = graph.nodes[value.node]
    if node.kind == "GetImageSize" and value.slot < 2:
        return _side(graph, node.inputs.get("image"), ("width", "height")[value.slot])
    if node.kind == "mxSlider":
        floating = node.inputs.get("isfloatX")
        return NumberOrigin(
            node.id, "Xf" if isinstance(floating, Literal) and floating.value else "Xi"
        )
    if node.kind == "Any Switch (rgthree)":
        return origin_of(graph, next(iter(links_of(node).values()), None))
    name = _NUMBERS.get(node.kind)
    if name is None:
        return None
    inner = node.inputs.get(name)
    return NumberOrigin(node.id, name) if isinstance(inner, Literal) else origin_of(graph, inner)


def _side(graph: Graph, picture: Input | None, side: str) -> NumberOrigin | None:
    if not isinstance(picture, Link) or picture.node not in graph.nodes:
        return None
    node = graph.nodes[picture.node]
    if node.kind in _SAME_SIZE:
        name = _SAME_SIZE[node.kind]
        return _side(graph, node.inputs.get(name) or next(iter(node.inputs.values()), None), side)
    if node.kind == "ImageScaleBy":
        return _scaled(node, _side(graph, node.inputs.get("image"), side))
    if node.kind not in _SIZED:
        return None
    name = f"{_SIZED[node.kind]}{side}"
    value = node.inputs.get(name)
    return NumberOrigin(node.id, name) if isinstance(value, Literal) else origin_of(graph, value)


def _scaled(node: Node, root: NumberOrigin | None) -> NumberOrigin | None:
    by = node.inputs.get("scale_by")
    if root is None or not isinstance(by, Literal):
        return None
    return NumberOrigin(root.node, root.name, root.factor * float(str(by.value)))


def number_at(graph: Graph, root: NumberOrigin) -> float | None:
    """Return the number that is written at ``root``."""
    value = graph.nodes[root.node].inputs.get(root.name)
    found = value.value if isinstance(value, Literal) else None
    return float(found) if isinstance(found, int | float) else None


def samplers_of(graph: Graph) -> list[Node]:
    """List the samplers in the order in which they run."""
    found = [node for node in graph.nodes.values() if node.kind in SAMPLERS]
    return sorted(found, key=lambda node: len(graph.upstream(node.id)))


def conditioning_of(graph: Graph, sampler: Node, side: str) -> Iterator[Node]:
    """Yield the nodes that a sampler's ``positive`` or ``negative`` text comes from.

    Args:
        graph: of the sampler.
        sampler: a sampler node, with a guider or with conditionings of its own.
        side: ``positive`` or ``negative``.

    Yields:
        First the guider or sampler, last the text encoder, if the way is known so far.
    """
    guider = links_of(sampler).get("guider")
    start = guider.node if guider else sampler.id
    waiting, seen = [(start, side)], set[str]()
    while waiting:
        key, side = waiting.pop(0)
        if key in seen or key not in graph.nodes:
            continue
        seen.add(key)
        yield graph.nodes[key]
        # a guider with one conditioning, such as BasicGuider, has no negative one
        alone = side == "positive" or key != (guider and guider.node)
        for link in _conditionings(graph.nodes[key], side, alone=alone):
            source = graph.nodes.get(link.node)
            both = source is not None and set(_SIDES) <= links_of(source).keys()
            waiting.append((link.node, _SIDES[min(link.slot, 1)] if both else side))


def _conditionings(node: Node, side: str, *, alone: bool) -> list[Link]:
    """Return what ``node`` takes for ``side``; several where it puts conditionings together."""
    links = links_of(node)
    if side in links:
        return [links[side]]
    return [link for name, link in links.items() if alone and name.startswith("conditioning")]
