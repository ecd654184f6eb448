"""Give what a foreign graph shows the model the length of the clip, whatever its owner had.

A given film comes cut to the clip, and a picture may be shown in each of its frames.
"""

from dataclasses import dataclass

from core.domain.media import MediaKind
from core.workflow.adopt.constants import Place, constant
from core.workflow.adopt.findings import AdoptionDraft, EvidenceKind
from core.workflow.adopt.link_types import LinkTypes
from core.workflow.adopt.loaders import loaders_of
from core.workflow.graph import Graph, Input, Link, Node

_PICTURES = {"IMAGE", "VIDEO"}


@dataclass(frozen=True, slots=True)
class _Cut:
    """A class that takes a part of a film: its inputs, and what of a request its length is."""

    film: str
    begin: str
    length: str
    value: str
    sample: float


_CUTS = {
    "ImageFromBatch": _Cut("image", "batch_index", "length", "frames", 121),
    "GetImageRangeFromBatch": _Cut("images", "start_index", "num_frames", "frames", 121),
    "Video Slice": _Cut("video", "start_time", "duration", "seconds", 5.0),
}
# Where pictures are counted: class to the output that says how many there are.
_COUNTERS = {"GetImageSize": 2, "GetImageSizeAndCount": 3}
# Classes that make or leave as many pictures as an input says.
_COUNTED = {"RepeatImageBatch": "amount", **{kind: cut.length for kind, cut in _CUTS.items()}}
_DEPTH = 40  # nodes behind each other; deeper is a circle


def counted_at(graph: Graph, number: Input | None) -> Place | None:
    """Return where the number of pictures is set that ``number`` counts; None where it is none."""
    found = number if isinstance(number, Link) else None
    counter = graph.nodes.get(found.node) if found is not None else None
    if counter is None or found is None or _COUNTERS.get(counter.kind) != found.slot:
        return None
    types, node = LinkTypes(graph), counter
    for _ in range(_DEPTH):
        pictures = [link for name, link in node.links()
                    if types.type_at(node, name, link) == "IMAGE"]  # fmt: skip
        if len(pictures) != 1 or pictures[0].node not in graph.nodes:
            return None
        node = graph.nodes[pictures[0].node]
        if node.kind in _COUNTED:
            return Place(node.id, _COUNTED[node.kind])
    return None


def free_given_film(draft: AdoptionDraft) -> None:
    """Bind the length of whatever cuts a loaded film, else its control ends before the clip.

    A cut to one frame, such as the first or the last, stays as it is.
    """
    films = {node.id for node in loaders_of(draft.graph, MediaKind.VIDEO)}
    for node in list(draft.graph.nodes.values()):
        cut = _CUTS.get(node.kind)
        if cut is None or not films & _shown(draft.graph, node):
            continue
        length = constant(draft.graph, node.inputs.get(cut.length))
        whole = 0 if cut.value == "seconds" else 1  # seconds of 0 are all of them, a frame is one
        if isinstance(length, int | float) and length <= whole:
            continue
        draft.take(cut.value, node.id, cut.length, EvidenceKind.CLASS, cut.sample)
        draft.put(node.id, cut.begin, type(cut.sample)(0))


def _shown(graph: Graph, node: Node) -> set[str]:
    """Return the nodes whose pictures ``node`` takes, without what a model made of them."""
    types, found, waiting = LinkTypes(graph), set[str](), [node]
    while waiting:
        current = waiting.pop()
        if current.id in found:
            continue
        found.add(current.id)
        links = [link for name, link in current.links()
                 if types.type_at(current, name, link) in _PICTURES]  # fmt: skip
        waiting += [graph.nodes[link.node] for link in links if link.node in graph.nodes]
    return found
