"""Draw a group node as the subgraph that it stands for.

Group nodes were the editor's subgraphs until 2025, and are still opened by it. A file holds the
nodes of each under ``extra.groupNodes``, without a drawing of the group's own ends: which inputs,
outputs and widgets it shows, and in which order, follows from its nodes, as the editor's
``groupNode.ts`` works it out.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self, cast

from core.workflow.editor.drawing import (
    SUBGRAPH_INPUT,
    SUBGRAPH_OUTPUT,
    EditorLink,
    Entry,
    entries,
)
from core.workflow.editor.virtual_nodes import PRIMITIVE, has_no_sockets
from core.workflow.editor.widgets import WidgetList, widget_values
from core.workflow.node_schema import Info

_PREFIXES = ("workflow>", "workflow/")  # the second until the summer of 2024


class GroupBroken(ValueError):
    """A group node whose nodes cannot be told from the file."""

    def __init__(self, group: str, reason: str) -> None:
        super().__init__(reason)
        self.group, self.reason = group, reason


@dataclass(frozen=True)
class Groups:
    """What a file defines of group nodes, by name, and the classes of the nodes in them."""

    defined: Mapping[str, Entry]
    classes: Mapping[str, Info]

    @classmethod
    def of(cls, content: Entry, classes: Mapping[str, Info]) -> Self:
        """Return the group nodes of the editor file ``content``."""
        extra = _table(content.get("extra"))
        defined = _table(extra.get("groupNodes"))
        return cls({name.strip(): group for name, group in defined.items()}, classes)

    def drawn(self, node: Entry, typed: Collection[int]) -> Entry | None:
        """Return ``node`` as a subgraph's definition; None where it is no group node.

        Args:
            node: of the drawing.
            typed: links in that drawing which come from primitives.

        Raises:
            GroupBroken: the file does not define it, or not as the editor does.
        """
        name = group_name(node)
        if name is None:
            return None
        if not isinstance(self.defined.get(name), Mapping):
            raise GroupBroken(name, "group_absent")
        try:
            return _GroupDrawing(node, self.defined[name], self.classes, typed).finished()
        except (ValueError, KeyError, TypeError, IndexError, AttributeError):
            raise GroupBroken(name, "group_malformed") from None


def _table(value: object) -> Info:
    return cast("Info", value) if isinstance(value, Mapping) else {}


def group_name(node: Entry) -> str | None:
    """Return the name of the group node that ``node`` is, None where it is none."""
    kind = str(node["type"])
    found = next((prefix for prefix in _PREFIXES if kind.startswith(prefix)), None)
    return kind.removeprefix(found).strip() if found else None


@dataclass
class _InputNames:
    """The names of a group's inputs, which must differ from each other."""

    seen: dict[str, int] = field(default_factory=dict[str, int])

    def of(self, node: Entry, own: str, custom: Entry) -> str:
        labels = {str(entry["name"]): entry.get("label") for entry in entries(node, "inputs")}
        name = str(custom.get("name") or labels.get(own) or own)
        key = name
        if (node["type"] == PRIMITIVE and node.get("title")) or name in self.seen:
            key = name = f"{node.get('title') or node['type']} {own}"
            if name in self.seen:
                name = f"{node.get('title') or node['type']} {self.seen[name]} {own}"
        self.seen[key] = self.seen.get(key, 1) + 1
        return name


class _GroupDrawing:
    """One use of a group node, drawn step by step: a node's place in the list is its id."""

    def __init__(
        self, holder: Entry, group: Entry, classes: Mapping[str, Info], typed: Collection[int]
    ) -> None:
        self.holder, self.classes, self.typed = holder, classes, typed
        self.config: Any = group.get("config") or {}
        self.nodes: list[dict[str, Any]] = [
            {
                **node,
                "id": place,
                "type": str(node["type"]),
                "inputs": [dict(entry) for entry in entries(node, "inputs")],
            }
            for place, node in enumerate(cast("Sequence[Entry]", group["nodes"]))
        ]  # fmt: skip
        # a row without an origin came from outside when the group was made
        links = cast("Sequence[list[Any]]", group.get("links") or [])
        rows = [row for row in links if row[0] is not None]
        self.links = [EditorLink(*(int(part) for part in row[:4])) for row in rows]
        self.types = {int(row[0]): str(row[5]) if len(row) > 5 else "*" for row in rows}
        shown = cast("Sequence[list[Any]]", group.get("external") or [])
        # some were written with a whole node for its place; the editor takes those for nothing
        self.external = {(row[0], int(row[1])) for row in shown if isinstance(row[0], int)}
        listed = holder.get("widgets_values")
        self.values = WidgetList(cast("list[object]", listed) if isinstance(listed, list) else [])
        self.names, self.ends = _InputNames(), list[Entry]()

    def finished(self) -> Entry:
        """Return the definition: nodes, links, and the ends that the group shows."""
        filled = {link.target_input for link in self.links}
        shown = [node for node in self.nodes if not self._is_no_part(node)]
        for node in shown:
            self._fill(node)
            self._show_slots(node, filled)
        for node in shown:
            self._show_widgets(node, filled)
        self._show_outputs(shown)
        for key, link in enumerate(self.links):
            if link.target != SUBGRAPH_OUTPUT:
                self.nodes[link.target]["inputs"][link.place]["link"] = key
        rows = [[key, link.origin, link.slot, link.target, link.place]
                for key, link in enumerate(self.links)]  # fmt: skip
        return {"nodes": self.nodes, "links": rows, "inputs": self.ends}

    def _is_no_part(self, node: Entry) -> bool:
        """Tell whether the group shows nothing of ``node``."""
        unused = node["type"] == PRIMITIVE and node["id"] not in self.types
        return unused or has_no_sockets(node["type"])

    def _custom(self, node: Entry, part: str, name: object) -> Entry:
        """Return what the group's maker changed about an input or output."""
        found: Any = self.config
        for key in (str(node["id"]), part, str(name)):
            found = found.get(key) or {}
        return found

    def _fill(self, node: dict[str, Any]) -> None:
        """Give ``node`` what is typed into the group for it."""
        info = self.classes.get(node["type"])
        if node["type"] == PRIMITIVE:
            self.names.of(node, "value", self._custom(node, "input", "value"))
            typed = self.values.of_primitive(str(self.types[node["id"]]))
            node["widgets_values"] = typed or node.get("widgets_values")
        elif info is None:  # a group in this group, or a class of a pack: as many as it has
            listed = node.get("widgets_values")
            count = len(cast("list[object]", listed)) if isinstance(listed, list) else 0
            node["widgets_values"] = self.values.next(count) or listed
        else:
            own = widget_values(node, info) or {}
            typed = self.values.of_class(info, without=_converted(node))
            for name in typed:
                self.names.of(node, name, self._custom(node, "input", name))
            node["widgets_values"] = {**own, **typed}

    def _show_slots(self, node: Entry, filled: Collection[tuple[int, int]]) -> None:
        """Give the group an input for each slot of ``node`` that nothing in the group fills."""
        for place, name in enumerate(_slots(node)):
            custom = self._custom(node, "input", name)
            if (node["id"], place) in filled:
                continue
            shown = self.names.of(node, name, custom)
            if custom.get("visible") is not False:
                self._show(self._named(shown) or self._counted(), node, place)

    def _show_widgets(self, node: Entry, filled: Collection[tuple[int, int]]) -> None:
        """Give the group its inputs for widgets of ``node`` that are inputs too: they come last.

        The editor wires them by their number, and gives what a primitive is set to by their name.
        From the tenth socket of a node on the two differ.
        """
        info = self.classes.get(node["type"])
        first = len(_slots(node))
        places = _converted(node)
        for place, name in enumerate(places, first):
            if (node["id"], place) in filled:
                continue
            named = self._named(self.names.of(node, name, self._custom(node, "input", name)))
            if info is not None:
                node["widgets_values"].update(self.values.of_class(info, only=name))
            if named and named.get("link") in self.typed:
                self._show(named, node, places[name])
            else:
                counted = self._counted()
                wired = counted and counted.get("link") not in self.typed
                self._show(counted if wired else named, node, place)

    def _show(self, end: Entry | None, node: Entry, place: int) -> None:
        self.links.append(EditorLink(SUBGRAPH_INPUT, len(self.ends), node["id"], place))
        self.ends.append(end or {"name": ""})

    def _named(self, name: str) -> Entry | None:
        given = entries(self.holder, "inputs")
        return next((entry for entry in given if entry["name"] == name), None)

    def _counted(self) -> Entry | None:
        given = entries(self.holder, "inputs")
        return given[len(self.ends)] if len(self.ends) < len(given) else None

    def _show_outputs(self, shown: Sequence[Entry]) -> None:
        inner = {(link.origin, link.slot) for link in self.links}
        place = 0
        for node in shown:
            for slot, _ in enumerate(entries(node, "outputs")):
                key = (node["id"], slot)
                hidden = key in inner and key not in self.external
                if self._custom(node, "output", slot).get("visible", not hidden):
                    self.links.append(EditorLink(*key, SUBGRAPH_OUTPUT, place))
                    place += 1


def _slots(node: Entry) -> list[str]:
    return [str(entry["name"]) for entry in entries(node, "inputs") if not entry.get("widget")]


def _converted(node: Entry) -> dict[str, int]:
    """Return the places of widgets that are inputs too, in the editor's order: sorted as text."""
    places = {
        str(entry["widget"]["name"]): place
        for place, entry in enumerate(entries(node, "inputs"))
        if entry.get("widget")
    }
    return dict(sorted(places.items(), key=lambda found: str(found[1])))
