"""What a foreign graph does to the frames between its decoder and the clip."""

import re
from collections.abc import Iterator

from core.workflow.adopt.findings import AdoptionDraft, EvidenceKind
from core.workflow.adopt.link_types import LinkTypes
from core.workflow.adopt.links import links_of
from core.workflow.adopt.output import end_frames_with
from core.workflow.adopt.report import describe_nodes
from core.workflow.errors import NotAdoptable
from core.workflow.graph import Graph, Link, Node
from core.workflow.node_schema import ANY

_FITTED = "clapper_fitted"
# By their names: node packs have dozens of each, and none has a type of its own.
_MORE = re.compile(r"interpolat|RIFE|\bVFI\b|GIMM", re.IGNORECASE)  # frames between frames
_BESIDE = re.compile(r"concat|stitch|grid", re.IGNORECASE)  # pictures side by side
_SIZES = re.compile(r"upscale|resize|rescale|scaleby|^imagescale|superres|vsr", re.IGNORECASE)


def after_decoder(graph: Graph, output: str) -> Iterator[Node]:
    """Yield the nodes that frames pass on their way from a decoder to ``output``, the last first.

    What only gives its size, a mask or another picture to one of them is none of them.
    """
    types, node, seen = LinkTypes(graph), graph.nodes[output], {output}
    while True:
        links = links_of(node)
        link = links.get("images") or links.get("image") or _first_picture(types, node)
        if link is None or link.node in seen or link.node not in graph.nodes:
            return
        seen.add(link.node)
        node = graph.nodes[link.node]
        if any(types.type_at(node, name, given) == "LATENT" for name, given in node.links()):
            return
        yield node


def _first_picture(types: LinkTypes, node: Node) -> Link | None:
    """Return the first link through which pictures come, else one of which nothing is known."""
    given = [(types.type_at(node, name, link), link) for name, link in node.links()]
    sure = [link for kind, link in given if "IMAGE" in kind.split(",")]
    return next(iter([*sure, *(link for kind, link in given if kind == ANY)]), None)


def fit_frames(draft: AdoptionDraft) -> bool:
    """Bring frames whose size the graph changes after decoding to the size that was asked.

    Returns:
        Whether it changes their size.

    Raises:
        NotAdoptable: it makes more frames of them, or puts others beside them.
    """
    nodes = list(after_decoder(draft.graph, draft.output))
    for reason, kinds in (("more_frames", _MORE), ("frames_beside", _BESIDE)):
        found = [node for node in nodes if kinds.search(node.kind)]
        if found:
            raise NotAdoptable(draft.mode, reason, f": {describe_nodes(found)}")
    sized = [node for node in nodes if _SIZES.search(node.kind)]
    if not sized:
        return False
    values = {"upscale_method": "area", "width": 768, "height": 512, "crop": "center"}
    end_frames_with(draft, _FITTED, "ImageScale", values)
    for side in ("width", "height"):
        draft.take(side, _FITTED, side, EvidenceKind.CLASS, 0)
    draft.notice("adopt_fitted", nodes=describe_nodes(sized))
    return True
