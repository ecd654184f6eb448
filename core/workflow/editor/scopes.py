"""Nodes and links of an editor file, each in the subgraph or group node that holds it."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from core.workflow.editor.drawing import BYPASSED, MUTED, EditorLink, Entry, entries
from core.workflow.editor.group_nodes import GroupBroken, Groups, group_name
from core.workflow.editor.virtual_nodes import PRIMITIVE
from core.workflow.node_schema import Info


@dataclass(frozen=True)
class Scope:
    """The nodes of one drawing: of the whole file, or of one use of a subgraph."""

    prefix: str  # of the ids of its nodes: "12:" inside the subgraph that is node 12
    nodes: Mapping[int, Entry]
    links: Mapping[int, EditorLink]
    parent: "Scope | None" = None
    holder: Entry = field(default_factory=dict[str, Any])  # the node of ``parent`` that it is
    inputs: Sequence[Entry] = ()  # of the subgraph, as it defines them
    inner: dict[int, "Scope"] = field(default_factory=dict[int, "Scope"])
    broadcast: Mapping[tuple[int, int], int] = field(default_factory=dict[tuple[int, int], int])

    def link_into(self, node: Entry, place: int) -> int | None:
        """Return the link at the input ``place`` of ``node``, None where nothing is wired there.

        Some nodes give what they take to everybody; which inputs that are, the file lists apart.
        """
        drawn: int | None = entries(node, "inputs")[place].get("link")
        return self.broadcast.get((int(node["id"]), place)) if drawn is None else drawn

    def id_of(self, node: Entry) -> str:
        """Return the id of ``node`` in the whole file."""
        return f"{self.prefix}{node['id']}"

    def walk(self) -> Iterator[tuple["Scope", Entry]]:
        """Yield every node that is no subgraph and in no muted or bypassed one."""
        for key, node in self.nodes.items():
            if node.get("mode") in (MUTED, BYPASSED):
                continue
            if key in self.inner:
                yield from self.inner[key].walk()
            else:
                yield self, node


@dataclass(frozen=True)
class _Definitions:
    """What nodes of a file may stand for: its subgraphs by id, and its group nodes."""

    subgraphs: Mapping[str, Entry]
    groups: Groups

    def of(self, node: Entry, typed: Collection[int]) -> tuple[Entry, Entry] | None:
        """Return what ``node`` stands for and the node as its holder, None for a plain node."""
        if node["type"] in self.subgraphs:
            return self.subgraphs[node["type"]], node
        group = self.groups.drawn(node, typed)
        kept = {key: node[key] for key in ("id", "type", "mode", "inputs") if key in node}
        return (group, kept) if group is not None else None  # what is typed is in its nodes


def open_file(content: Entry, classes: Mapping[str, Info]) -> Scope:
    """Return the scope of the whole file ``content``; raises what malformed JSON raises.

    Args:
        content: what the editor saved.
        classes: ComfyUI's object_info; group nodes name the widgets of their nodes by it.

    Raises:
        GroupBroken: the file does not say what a group node stands for.
        ValueError: a subgraph holds itself.
    """
    defined: Entry = content.get("definitions") or {}
    subgraphs = {str(entry["id"]): entry for entry in entries(defined, "subgraphs")}
    return _scope(content, _Definitions(subgraphs, Groups.of(content, classes)))


def _scope(
    content: Entry,
    defined: _Definitions,
    prefix: str = "",
    parent: Scope | None = None,
    holder: Entry | None = None,
) -> Scope:
    if holder and _holds_itself(holder, parent):
        if name := group_name(holder):
            raise GroupBroken(name, "group_recursive")
        raise ValueError("a subgraph holds itself")
    nodes = {int(node["id"]): cast("Entry", node) for node in content["nodes"]}
    links = dict(_link(entry) for entry in entries(content, "links"))
    inputs = entries(content, "inputs")
    spread = _broadcast(content)
    wired = {link.target_input: key for key, link in spread.items()}
    ends = parent, holder or {}, inputs
    scope = Scope(prefix, nodes, links | spread, *ends, broadcast=wired)
    typed = {key for key, link in links.items() if _is_primitive(nodes.get(link.origin))}
    for key, node in nodes.items():
        if node.get("mode") in (MUTED, BYPASSED):
            continue  # nothing in it is asked for
        if found := defined.of(node, typed):
            inside, outside = found
            scope.inner[key] = _scope(inside, defined, f"{prefix}{key}:", scope, outside)
    return scope


def _holds_itself(holder: Entry, scope: Scope | None) -> bool:
    while scope is not None:
        if scope.holder.get("type") == holder["type"]:
            return True
        scope = scope.parent
    return False


def _is_primitive(node: Entry | None) -> bool:
    return node is not None and node["type"] == PRIMITIVE


def _link(entry: list[int] | Entry) -> tuple[int, EditorLink]:
    """Read a link: a row in the file itself, a table in a subgraph."""
    if isinstance(entry, list):
        key, origin, slot, target, place = entry[:5]
        return key, EditorLink(origin, slot, target, place)
    ends = ("origin_id", "origin_slot", "target_id", "target_slot")
    return entry["id"], EditorLink(*(int(entry[end]) for end in ends))


def _broadcast(content: Entry) -> dict[int, EditorLink]:
    """Return the links that nobody drew, under numbers that no drawn one has."""
    extra: Entry = content.get("extra") or {}
    names = ("upstream", "upstream_slot", "downstream", "downstream_slot")
    links = (EditorLink(*(int(entry[name]) for name in names))
             for entry in entries(extra, "ue_links"))  # fmt: skip
    return {-number: link for number, link in enumerate(links, 1)}
