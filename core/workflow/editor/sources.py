"""Follow a link of an editor file to what really gives the value."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias, cast

from core.workflow.editor.drawing import (
    BYPASSED,
    MUTED,
    SUBGRAPH_INPUT,
    SUBGRAPH_OUTPUT,
    EditorLink,
    Entry,
    entries,
)
from core.workflow.editor.scopes import Scope
from core.workflow.editor.virtual_nodes import GETTERS, PASSING, PRIMITIVE, SETTERS

_TYPED = {"INT", "FLOAT", "STRING", "BOOLEAN", "COMBO"}  # inputs that a widget can fill
_STEPS = 1000  # links followed for one input; more is a circle


@dataclass(frozen=True, slots=True)
class OutputOf:
    """An output of a node that will run."""

    node: str
    slot: int


@dataclass(frozen=True, slots=True)
class Value:
    """A value that somebody typed."""

    value: object


@dataclass(frozen=True, slots=True)
class WidgetOf:
    """What is typed into the widget ``name`` of ``node``."""

    node: Entry
    name: str


Source: TypeAlias = OutputOf | Value | WidgetOf
_Step: TypeAlias = tuple[Scope, EditorLink]


def source_of(scope: Scope, link: int | None) -> Source | None:
    """Return what comes through ``link``; None where nothing does."""
    step: _Step | Source | None = _at(scope, link)
    for _ in range(_STEPS):
        if not isinstance(step, tuple):
            return step
        step = _next(*step)
    return None


def promoted(scope: Scope) -> dict[str, object]:
    """Return what is typed into the widgets of a subgraph's own node, by the subgraph's input.

    A value that cannot be told is left out: the node inside keeps its own.
    """
    node = scope.holder
    values = node.get("widgets_values")
    listed = cast("list[object]", values) if isinstance(values, list) else []
    properties: Entry = node.get("properties") or {}
    shown = cast("list[list[str]]", properties.get("proxyWidgets") or [])
    if shown and listed:
        pairs = zip(shown, listed, strict=False)
        return {key[1]: value for key, value in pairs if key[0] == "-1" and value is not None}
    names = [str(entry["name"]) for entry in scope.inputs if entry.get("type") in _TYPED]
    if len(names) == len(listed):
        return dict(zip(names, listed, strict=True))
    named = node.get("widgets_values_named")
    return dict(cast("Entry", named)) if isinstance(named, Mapping) else {}


def _at(scope: Scope, link: int | None) -> _Step | None:
    found = scope.links.get(link) if link is not None else None
    return (scope, found) if found is not None else None


def _next(scope: Scope, link: EditorLink) -> "_Step | Source | None":
    """Take one step towards the origin of ``link``."""
    if link.origin == SUBGRAPH_INPUT:
        return _from_outside(scope, link.slot)
    node = scope.nodes.get(link.origin)
    if node is None or node.get("mode") == MUTED:
        return None
    if node.get("mode") == BYPASSED:
        return _at(scope, _passed(scope, node, link.slot))
    if link.origin in scope.inner:
        return _from_inside(scope.inner[link.origin], link.slot)
    if node["type"] in PASSING:
        return _at(scope, _first_link(scope, node))
    if node["type"] == PRIMITIVE:
        values = node.get("widgets_values") or [None]
        return Value(values[0])
    if node["type"] in GETTERS:
        return _from_setter(scope, node)
    return OutputOf(scope.id_of(node), link.slot)


def _from_outside(scope: Scope, slot: int) -> "_Step | Source | None":
    """Step from a subgraph's input to what its node gets there."""
    if scope.parent is None or slot >= len(scope.inputs):
        return None
    name = scope.inputs[slot]["name"]
    given = [str(entry["name"]) for entry in entries(scope.holder, "inputs")]
    place = given.index(name) if name in given else None
    link = scope.parent.link_into(scope.holder, place) if place is not None else None
    if link is not None:
        return _at(scope.parent, link)
    typed = promoted(scope)
    return Value(typed[name]) if name in typed else _widget_inside(scope, slot)


def _widget_inside(scope: Scope, slot: int) -> WidgetOf | None:
    """Find the widget that a subgraph's input stands for: the first that it fills."""
    for link in scope.links.values():
        if (link.origin, link.slot) != (SUBGRAPH_INPUT, slot) or link.target not in scope.nodes:
            continue
        node = scope.nodes[link.target]
        entry = entries(node, "inputs")[link.place]
        if entry.get("widget"):
            return WidgetOf(node, str(entry["widget"]["name"]))
    return None


def _from_inside(inner: Scope, slot: int) -> _Step | None:
    ends = (SUBGRAPH_OUTPUT, slot)
    links = inner.links.values()
    return next(((inner, link) for link in links if (link.target, link.place) == ends), None)


def _from_setter(scope: Scope, getter: Entry) -> _Step | None:
    """Step from a ``GetNode`` to what the ``SetNode`` of the same name takes."""
    name = (getter.get("widgets_values") or [None])[0]
    here: Scope | None = scope
    while here is not None:
        for node in here.nodes.values():
            if node["type"] in SETTERS and (node.get("widgets_values") or [None])[0] == name:
                return _at(here, _first_link(here, node))
        here = here.parent
    return None


def _first_link(scope: Scope, node: Entry) -> int | None:
    return scope.link_into(node, 0) if entries(node, "inputs") else None


def _passed(scope: Scope, node: Entry, slot: int) -> int | None:
    """Return the link that a bypassed node hands on at ``slot``: an input of the same type."""
    outputs, inputs = entries(node, "outputs"), entries(node, "inputs")
    type_ = outputs[slot]["type"] if slot < len(outputs) else None
    same = [place for place, entry in enumerate(inputs) if entry.get("type") == type_]
    if slot in same:
        return scope.link_into(node, slot)
    free = [place for place, entry in enumerate(inputs) if "*" in (entry.get("type"), type_)]
    either = same or free
    return scope.link_into(node, either[0]) if either else None
