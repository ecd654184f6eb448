"""List the nodes of a refused graph that could serve a mode, for its owner."""

import re
from collections.abc import Iterable, Iterator

from core.workflow.adopt.link_types import LinkTypes, is_sampler
from core.workflow.graph import Graph, Node
from core.workflow.node_schema import OURS, known_nodes

_SAVES = re.compile(r"save|combine|export|write", re.IGNORECASE)
_STILLS = re.compile(r"preview|^saveimage|compare", re.IGNORECASE)  # looked at, not delivered


def candidate_nodes(graph: Graph) -> Iterator[tuple[str, Node]]:
    """Yield every node that may be what a request fills or what is delivered.

    Yields:
        A word for what the node is, an identifier, and the node.
    """
    types = LinkTypes(graph)
    for part, is_part in _PARTS.items():
        yield from ((part, node) for node in graph.nodes.values() if is_part(types, node))


def describe_nodes(nodes: Iterable[Node]) -> str:
    """Return ``nodes`` as a person finds them in the editor: id and title."""
    return ", ".join(f"{node.id} {node.title or node.kind}".strip() for node in nodes)


def savers_of(graph: Graph) -> list[Node]:
    """List the nodes that save a video, by what they take."""
    types = LinkTypes(graph)
    return [node for node in graph.nodes.values() if _saves(types, node)]


def _saves(types: LinkTypes, node: Node) -> bool:
    spec = known_nodes().get(node.kind)
    ours = spec is not None and spec.pack in OURS  # packs also show and write by such nodes
    last = spec.is_output if spec is not None and ours else bool(_SAVES.search(node.kind))
    if not last or _STILLS.search(node.kind):
        return False
    return any(types.of(link) in {"IMAGE", "VIDEO"} for _, link in node.links())


def _encodes_text(_: LinkTypes, node: Node) -> bool:
    return "TextEncode" in node.kind


def _loads_media(_: LinkTypes, node: Node) -> bool:
    media = ("LoadImage", "LoadAudio", "LoadVideo")
    return any(word in node.kind for word in media) and "Loader" not in node.kind


def _makes_latents(_: LinkTypes, node: Node) -> bool:
    return node.kind.startswith("Empty") and "Latent" in node.kind


_PARTS = {
    "part_text": _encodes_text,
    "part_file": _loads_media,
    "part_latent": _makes_latents,
    "part_sampler": is_sampler,
    "part_saver": _saves,
}
