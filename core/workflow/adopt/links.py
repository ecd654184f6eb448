"""Follow links backwards: to the constant of a number."""

from dataclasses import dataclass

from core.models.catalog import FAMILY
from core.workflow.adopt.constants import Place, constant, handed_on, roots
from core.workflow.graph import Graph, Input, Link, Literal, Node

# Nodes whose picture has the size of two of their inputs: class to the prefix of those.
_SIZED = {
    "EmptyImage": "",
    "ImageScale": "",
    "ImageResizeKJv2": "",
    "ResizeImageMaskNode": "resize_type.",
}
# Nodes whose picture has the size of the picture they take.
_SAME_SIZE = {"Any Switch (rgthree)": "", "ImageFromBatch": "image", **FAMILY.nodes.same_size}


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
    name = handed_on(node)
    if name is None:
        return _scaled_root(graph, value)
    inner = node.inputs.get(name)
    return NumberOrigin(node.id, name) if isinstance(inner, Literal) else origin_of(graph, inner)


def _scaled_root(graph: Graph, value: Link) -> NumberOrigin | None:
    """Return the one number that ``value`` is computed from, where it is a multiple of that."""
    places = dict.fromkeys(place for place in roots(graph, value) if _varies(graph, value, place))
    if len(places) != 1:
        return None
    (place,) = places
    factor = _factor(graph, value, place)
    return NumberOrigin(place.node, place.name, factor) if factor is not None else None


def _varies(graph: Graph, value: Link, place: Place) -> bool:
    return _with(graph, value, place, 2) != _with(graph, value, place, 1)


def _factor(graph: Graph, value: Link, place: Place) -> float | None:
    """Return by how much ``value`` is larger than the number at ``place``; None if not always."""
    now, twice = (_with(graph, value, place, times) for times in (1, 2))
    root = number_at(graph, NumberOrigin(place.node, place.name))
    if not root or not now or twice is None or abs(twice - 2 * now) > 1:
        return None
    return now / root


def _with(graph: Graph, value: Link, place: Place, times: int) -> float | None:
    node = graph.nodes[place.node]
    root = constant(graph, node.inputs.get(place.name))
    if isinstance(root, bool) or not isinstance(root, int | float):
        return None
    changed = graph.with_nodes(node.with_input(place.name, Literal.of(root * times)))
    found = constant(changed, value)
    return float(found) if isinstance(found, int | float) else None


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
