"""Compute what a graph fixes before it runs: primitives, conversions, logic and arithmetic."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from core.models.catalog import FAMILY
from core.workflow.adopt.arithmetic import Number, compute
from core.workflow.graph import Graph, Input, Link, Literal, Node

Plain: TypeAlias = str | int | float | bool

_DEPTH = 40  # nodes behind each other; deeper is a circle
_PRIMITIVE = re.compile(
    r"primitive|constant|literal|^(easy )?(int|float|bool|boolean|string)$", re.IGNORECASE
)
_VALUES = (
    "value",
    "Value",
    "int",
    "float",
    "boolean",
    "bool",
    "string",
    "text",
    "number",
    "Number",
)
# Classes that hand a number on: class to the input it comes from.
_HANDED = {
    "CM_IntToFloat": "a",
    "CM_FloatToInt": "a",
    "ComfyNumberConvert": "value",
    **FAMILY.nodes.rounders,
}
_WHOLE = {
    ("CM_FloatToInt", 0),
    ("ComfyNumberConvert", 1),
    *((kind, 0) for kind in FAMILY.nodes.rounders),
}
# Classes that compute: class to the type of each output.
_EXPRESSIONS: dict[str, tuple[Callable[[Number], Number], ...]] = {
    "ComfyMathExpression": (float, int, bool),
    "MathExpression|pysssss": (int, float),
    "SimpleMath+": (round, float),
}
_LOGIC = {"ComfyNotNode", "ComfyAndNode", "ComfyOrNode"}
_EXPRESSION_INPUTS = ("expression", "value")


@dataclass(frozen=True, slots=True)
class Place:
    """An input of a node."""

    node: str
    name: str


def primitive_input(node: Node) -> str | None:
    """Return the input of a node that only gives what is typed into it, else None."""
    if node.kind == "mxSlider":
        floating = node.inputs.get("isfloatX")
        return "Xf" if isinstance(floating, Literal) and floating.value else "Xi"
    if node.kind in _HANDED or not _PRIMITIVE.search(node.kind):
        return None
    return next((name for name in _VALUES if name in node.inputs), None)


def gives_first(node: Node) -> bool:
    """Tell whether ``node`` gives the first input that is wired, whatever that is."""
    return node.kind == "Any Switch (rgthree)" or "reroute" in node.kind.lower()


def handed_on(node: Node) -> str | None:
    """Return the input that ``node`` gives on as it is, or as another kind of number."""
    if gives_first(node):
        return next((name for name, _ in node.links()), None)
    return _HANDED.get(node.kind) or primitive_input(node)


def constant(graph: Graph, value: Input | None, depth: int = 0) -> Plain | None:
    """Return what ``value`` always is; None where that is known only when the graph runs."""
    if isinstance(value, Literal):
        found = value.value
        return found if isinstance(found, str | int | float | bool) else None
    if value is None or value.node not in graph.nodes or depth > _DEPTH:
        return None
    node = graph.nodes[value.node]
    name = handed_on(node)
    if name is not None:
        inner = constant(graph, node.inputs.get(name), depth + 1)
        whole = (node.kind, value.slot) in _WHOLE
        return int(inner) if whole and isinstance(inner, int | float) else inner
    if node.kind in _EXPRESSIONS:
        return _expression(graph, node, value.slot, depth)
    return _logic(graph, node, depth)


def _expression(graph: Graph, node: Node, slot: int, depth: int) -> Number | None:
    names: dict[str, Number] = {}
    for name, given in node.inputs.items():
        found = constant(graph, given, depth + 1)
        if isinstance(found, int | float):
            names[name.removeprefix("values.")] = found
    text = next((node.inputs[name] for name in _EXPRESSION_INPUTS if name in node.inputs), None)
    typed = text.value if isinstance(text, Literal) else None
    result = compute(typed, names) if isinstance(typed, str) else None
    types = _EXPRESSIONS[node.kind]
    return types[slot](result) if result is not None and slot < len(types) else None


def _logic(graph: Graph, node: Node, depth: int) -> bool | None:
    if node.kind not in _LOGIC:
        return None
    found = [constant(graph, given, depth + 1) for given in node.inputs.values()]
    if None in found or not found:
        return None
    if node.kind == "ComfyNotNode":
        return not found[0]
    return all(found) if node.kind == "ComfyAndNode" else any(found)


def roots(graph: Graph, value: Input | None, depth: int = 0) -> Iterator[Place]:
    """Yield the inputs of primitives in which the parts of a constant are typed."""
    if not isinstance(value, Link) or value.node not in graph.nodes or depth > _DEPTH:
        return
    node = graph.nodes[value.node]
    name = handed_on(node)
    if name is not None and isinstance(node.inputs.get(name), Literal):
        yield Place(node.id, name)
    elif name is not None or node.kind in _EXPRESSIONS or node.kind in _LOGIC:
        for inner in node.inputs.values():
            yield from roots(graph, inner, depth + 1)
