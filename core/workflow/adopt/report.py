"""List the nodes of a refused graph that could serve a mode, for its owner."""

from collections.abc import Iterable, Iterator

from core.workflow.adopt.links import links_of
from core.workflow.bind import SAMPLERS
from core.workflow.graph import Graph, Node
from core.workflow.validation import OUTPUT_KIND

FRAME_SAVERS = {"VHS_VideoCombine": "images", "SaveWEBM": "images", OUTPUT_KIND: "images"}
VIDEO_SAVERS = {"SaveVideo": "video"}


def candidate_nodes(graph: Graph) -> Iterator[tuple[str, Node]]:
    """Yield every node that may be what a request fills or what is delivered.

    Yields:
        A word for what the node is, an identifier, and the node.
    """
    for part, is_part in _PARTS.items():
        yield from ((part, node) for node in graph.nodes.values() if is_part(node))


def describe_nodes(nodes: Iterable[Node]) -> str:
    """Return ``nodes`` as a person finds them in the editor: id and title."""
    return ", ".join(f"{node.id} {node.title or node.kind}".strip() for node in nodes)


def _encodes_text(node: Node) -> bool:
    return "TextEncode" in node.kind


def _loads_media(node: Node) -> bool:
    media = ("LoadImage", "LoadAudio", "LoadVideo")
    return any(word in node.kind for word in media) and "Loader" not in node.kind


def _makes_latents(node: Node) -> bool:
    return node.kind.startswith("Empty") and "Latent" in node.kind


def _samples(node: Node) -> bool:
    return node.kind in SAMPLERS


def _saves(node: Node) -> bool:
    return node.kind in {*FRAME_SAVERS, *VIDEO_SAVERS} or (
        node.kind.startswith("Save") and bool(links_of(node))
    )


_PARTS = {
    "part_text": _encodes_text,
    "part_file": _loads_media,
    "part_latent": _makes_latents,
    "part_sampler": _samples,
    "part_saver": _saves,
}
