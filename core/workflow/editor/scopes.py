"""Nodes and links of an editor file, each in the subgraph that holds it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias, cast

Entry: TypeAlias = Mapping[str, Any]  # a node, as untyped JSON from outside

MUTED, BYPASSED = 2, 4  # the editor's modes of a node
SUBGRAPH_INPUT, SUBGRAPH_OUTPUT = -10, -20  # ids of a subgraph's own ends
MAX_DEPTH = 16  # subgraphs inside each other; deeper is a file that holds itself


@dataclass(frozen=True, slots=True)
class EditorLink:
    """From output ``slot`` of ``origin`` to the input ``place`` of ``target``."""

    origin: int
    slot: int
    target: int
    place: int

    @property
    def target_input(self) -> tuple[int, int]:
        """Return the node and the input that it goes to."""
        return self.target, self.place


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
    depth: int = 0
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


def entries(holder: Entry, key: str) -> list[Entry]:
    """Return what ``holder`` lists under ``key``, nothing where it has none."""
    return cast("list[Entry]", holder.get(key) or [])


def open_file(content: Entry) -> Scope:
    """Return the scope of the whole file ``content``; raises what malformed JSON raises.

    Raises:
        ValueError: a subgraph holds itself.
    """
    defined: Entry = content.get("definitions") or {}
    subgraphs = {str(entry["id"]): entry for entry in entries(defined, "subgraphs")}
    return _scope(content, subgraphs)


def _scope(
    content: Entry,
    subgraphs: Mapping[str, Entry],
    prefix: str = "",
    parent: Scope | None = None,
    holder: Entry | None = None,
) -> Scope:
    depth = parent.depth + 1 if parent else 0
    if depth > MAX_DEPTH:
        raise ValueError("a subgraph holds itself")
    nodes = {int(node["id"]): cast("Entry", node) for node in content["nodes"]}
    links = dict(_link(entry) for entry in entries(content, "links"))
    inputs = entries(content, "inputs")
    spread = _broadcast(content)
    wired = {link.target_input: key for key, link in spread.items()}
    ends = parent, holder or {}, inputs
    scope = Scope(prefix, nodes, links | spread, *ends, depth=depth, broadcast=wired)
    for key, node in nodes.items():
        if node["type"] in subgraphs:
            inside = subgraphs[node["type"]]
            scope.inner[key] = _scope(inside, subgraphs, f"{prefix}{key}:", scope, node)
    return scope


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
