"""The nodes of a foreign graph that enlarge latents between its stages."""

from core.models.catalog import FAMILY
from core.workflow.adopt.constants import constant
from core.workflow.adopt.findings import AdoptionDraft
from core.workflow.adopt.link_types import LinkTypes
from core.workflow.adopt.report import describe_nodes
from core.workflow.errors import NotAdoptable
from core.workflow.graph import Graph, Node

_NETWORK = "LATENT_UPSCALE_MODEL"  # what they work with, also those of packs
_IN_TIME = "temporal"  # in the name of the file of one that makes more frames


def upscalers_of(graph: Graph) -> list[str]:
    """List the nodes that make latents twice as large, by the network that they take."""
    return [node.id for node in _enlarging(graph) if not _adds_frames(graph, node)]


def refuse_longer_latents(draft: AdoptionDraft) -> None:
    """Refuse a graph that makes more frames of its latents than were asked.

    Raises:
        NotAdoptable: with the nodes.
    """
    found = [node for node in _enlarging(draft.graph) if _adds_frames(draft.graph, node)]
    if found:
        raise NotAdoptable(draft.mode, "more_frames", f": {describe_nodes(found)}")


def _enlarging(graph: Graph) -> list[Node]:
    types = LinkTypes(graph)
    return [
        node
        for node in graph.nodes.values()
        if node.kind == FAMILY.nodes.upscaler
        or any(types.of(link) == _NETWORK for _, link in node.links())
    ]


def _adds_frames(graph: Graph, node: Node) -> bool:
    types = LinkTypes(graph)
    loaders = [graph.nodes[link.node] for _, link in node.links()
               if types.of(link) == _NETWORK and link.node in graph.nodes]  # fmt: skip
    files = (constant(graph, value) for loader in loaders for value in loader.inputs.values())
    return any(isinstance(file, str) and _IN_TIME in file.lower() for file in files)
