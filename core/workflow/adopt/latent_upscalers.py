"""The nodes of a foreign graph that enlarge latents between its stages."""

from core.models.catalog import FAMILY
from core.workflow.adopt.constants import constant
from core.workflow.adopt.findings import AdoptionDraft
from core.workflow.adopt.link_types import LinkTypes
from core.workflow.adopt.report import describe_nodes
from core.workflow.errors import NotAdoptable
from core.workflow.graph import Graph, Link, Node

_NETWORK = "LATENT_UPSCALE_MODEL"  # what they work with, also those of packs
_IN_TIME = "temporal"  # in the name of the file of one that makes more frames


def upscalers_of(graph: Graph) -> list[str]:
    """List the nodes that make latents twice as large, by the network that they take."""
    return [node.id for node in _enlarging(graph, in_time=False)]


def refuse_longer_latents(draft: AdoptionDraft) -> None:
    """Refuse a graph that makes more frames of its latents than were asked.

    Raises:
        NotAdoptable: with the nodes.
    """
    found = _enlarging(draft.graph, in_time=True)
    if found:
        raise NotAdoptable(draft.mode, "more_frames", f": {describe_nodes(found)}")


def _enlarging(graph: Graph, *, in_time: bool) -> list[Node]:
    """List the nodes that enlarge latents: those that make more frames, or the others."""
    types, found = LinkTypes(graph), list[Node]()
    for node in graph.nodes.values():
        networks = [link for _, link in node.links() if types.of(link) == _NETWORK]
        enlarges = bool(networks) or node.kind == FAMILY.nodes.upscaler
        if enlarges and any(_adds_frames(graph, link) for link in networks) == in_time:
            found.append(node)
    return found


def _adds_frames(graph: Graph, network: Link) -> bool:
    """Tell whether the file of ``network`` is of one that makes more frames."""
    loader = graph.nodes.get(network.node)
    files = (constant(graph, value) for value in loader.inputs.values()) if loader else ()
    return any(isinstance(file, str) and _IN_TIME in file.lower() for file in files)
