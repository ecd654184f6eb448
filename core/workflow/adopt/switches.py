"""Take switches and bypasses out of a graph, where it says before it runs which way they stand."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from core.workflow.adopt.constants import Place, Plain, constant, gives_first, roots
from core.workflow.adopt.link_types import LinkTypes
from core.workflow.graph import Graph, Input, Link, Literal, Node
from core.workflow.node_schema import known_nodes

_DEPTH = 60  # switches behind each other; deeper is a circle
_NUMBERED = re.compile(r"(.*?)[_ ]?(\d+)")
_CHOICES = {"select", "index", "input", "selection", "switch", "select_index"}
_ASKED = {"switch", "boolean", "bool", "cond", "condition", "select"}
_OFF = ("enabled", "enable", "active", "is_enabled")


@dataclass(frozen=True, slots=True)
class Setting:
    """One place where a graph says which way it goes, and the other way."""

    place: Place
    title: str
    now: Plain
    other: Plain
    used_by: str  # a node that is switched by it
    input: str  # of that node


def fold(graph: Graph) -> Graph:
    """Return ``graph`` wired past every switch and bypass whose position is fixed.

    An input that a switch cuts off is left out. Nodes that nothing needs any more stay.
    """
    types = LinkTypes(graph)
    changed: list[Node] = []
    for node in graph.nodes.values():
        inputs: dict[str, Input] = {}
        for name, value in node.inputs.items():
            found = _behind(graph, types, value)
            if found is not None:
                inputs[name] = found
        if inputs != dict(node.inputs):
            changed.append(node.with_inputs(inputs))
    return graph.with_nodes(*changed)


def _behind(graph: Graph, types: LinkTypes, value: Input) -> Input | None:
    """Return what really comes through ``value``."""
    found: Input | None = value
    for _ in range(_DEPTH):
        if not isinstance(found, Link) or found.node not in graph.nodes:
            return found
        node = graph.nodes[found.node]
        if is_fixed(graph, node):
            found = _selected(graph, node)
        elif bypassed(graph, node):
            inside = _passed(types, node, found)
            if inside is None:
                return found
            found = inside
        else:
            return found
    return value


def is_fixed(graph: Graph, node: Node) -> bool:
    """Tell whether ``node`` is a switch that always gives the same of several inputs."""
    if gives_first(node):
        return len(list(node.links())) > 1  # one alone is a plain link already
    found = _control(node)
    return found is not None and isinstance(constant(graph, node.inputs[found]), int | float)


def _selected(graph: Graph, node: Node) -> Input | None:
    if gives_first(node):
        return next((link for _, link in node.links() if link.node in graph.nodes), None)
    control = _control(node)
    sides = _sides(node)
    chosen = constant(graph, node.inputs[control]) if control else None
    name = sides.get(int(chosen)) if isinstance(chosen, int | float) else None
    return node.inputs.get(name) if name is not None else None


def _sides(node: Node) -> Mapping[int, str]:
    """Return the inputs of a switch by the value that chooses them; empty where it is none."""
    words = {name: re.split(r"[^a-z]+", name.lower()) for name in node.inputs}
    yes = [name for name, parts in words.items() if {"true", "tt"} & {*parts}]
    no = [name for name, parts in words.items() if {"false", "ff"} & {*parts}]
    if len(yes) <= 1 and len(no) <= 1 and (yes or no):
        return dict([*((1, name) for name in yes), *((0, name) for name in no)])
    found: dict[str, dict[int, str]] = {}
    for name, _ in node.links():
        match = _NUMBERED.fullmatch(name)
        if match is not None:
            found.setdefault(match[1], {})[int(match[2])] = name
    stems = [group for group in found.values() if len(group) > 1]
    return stems[0] if len(stems) == 1 and len(found) == 1 else {}


def _control(node: Node) -> str | None:
    """Return the input that says which way a switch stands, None where ``node`` is no switch."""
    sides = _sides(node)
    others = [name for name in node.inputs if name not in sides.values()]
    if not sides or (node.kind in known_nodes() and "*" not in known_nodes()[node.kind].outputs):
        return None
    if {*sides} <= {0, 1} and not any(name[-1:].isdigit() for name in sides.values()):
        others = others if len(others) == 1 else [name for name in others if name in _ASKED]
        return others[0] if len(others) == 1 else None
    named = [name for name in others if name.lower() in _CHOICES]
    return named[0] if len(named) == 1 else None


def bypassed(graph: Graph, node: Node) -> bool:
    """Tell whether ``node`` is told to hand on what it takes."""
    if "bypass" in node.inputs:
        return constant(graph, node.inputs["bypass"]) is True
    off = next((name for name in _OFF if name in node.inputs), None)
    return off is not None and constant(graph, node.inputs[off]) is False


def _passed(types: LinkTypes, node: Node, link: Link) -> Link | None:
    """Return the input that a bypassed node gives at ``link``: that of the same type and rank."""
    type_ = types.of(link)
    given, taken = types.outputs(node, type_), types.inputs(node, type_)
    if link.slot not in given or len(taken) < len(given):
        return None
    return taken[given.index(link.slot)][1]


def settings_of(graph: Graph) -> Iterator[Setting]:
    """Yield the places that decide which way the switches and bypasses of ``graph`` stand."""
    seen: set[Place] = set()
    for node in graph.nodes.values():
        names = [name for name in ("bypass", *_OFF, _control(node) or "") if name in node.inputs]
        for name in names:
            value = node.inputs[name]
            places = [Place(node.id, name)] if isinstance(value, Literal) else roots(graph, value)
            for place in places:
                if place not in seen:
                    seen.add(place)
                    yield from _setting(graph, (node, name), place)


def _setting(graph: Graph, used: tuple[Node, str], place: Place) -> Iterator[Setting]:
    switch, name = used
    node = graph.nodes[place.node]
    now = constant(graph, node.inputs.get(place.name))
    title = node.title or node.kind
    if isinstance(now, bool):
        yield Setting(place, title, now, not now, switch.id, name)
    elif isinstance(now, int):
        others = (key for key in _sides(switch) if key != now)
        yield from (Setting(place, title, now, key, switch.id, name) for key in others)


def with_setting(graph: Graph, setting: Setting) -> Graph:
    """Return ``graph`` with the other way of ``setting``."""
    node = graph.nodes[setting.place.node]
    return graph.with_nodes(node.with_input(setting.place.name, Literal.of(setting.other)))
