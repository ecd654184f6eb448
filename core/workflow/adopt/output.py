"""Replace the node that saves a video by our own, which passes the frames to Clapper."""

from types import MappingProxyType

from core.domain.modes import Mode
from core.workflow.adopt.findings import AdoptionDraft, EvidenceKind
from core.workflow.adopt.links import links_of
from core.workflow.adopt.report import FRAME_SAVERS, VIDEO_SAVERS, describe_nodes
from core.workflow.bind import SAMPLERS
from core.workflow.errors import NotAdoptable
from core.workflow.graph import Graph, Input, Link, Literal, Node
from core.workflow.validation import OUTPUT_KIND

OUTPUT = "clapper_output"
_PARTS = "clapper_parts"
_CROP = "clapper_crop"


def begin_draft(graph: Graph, mode: Mode) -> AdoptionDraft:
    """Begin the adoption of ``graph``: it ends in our own output node and holds nothing else.

    Raises:
        NotAdoptable: nothing in the graph saves a video.
    """
    saver = _saver(graph, mode)
    extra, inputs = _inputs(graph, saver, mode)
    output = Node(OUTPUT, OUTPUT_KIND, MappingProxyType(inputs), "Frames and sound to Clapper")
    kept = Graph.of([*graph.nodes.values(), *extra, output]).pruned(OUTPUT)
    draft = AdoptionDraft(mode, kept, OUTPUT)
    if saver.kind != OUTPUT_KIND:
        draft.notice("adopt_output", node=saver.id, title=saver.title or saver.kind)
    dropped = len(graph.nodes.keys() - kept.nodes.keys() - {saver.id})
    if dropped:
        draft.notice("adopt_dropped", count=dropped)
    return draft


def crop_to_size(draft: AdoptionDraft) -> None:
    """Cut the frames to the clip's size, for graphs that must work on larger sides."""
    output = draft.graph.nodes[draft.output]
    last = links_of(output)["images"]
    if last.node in draft.graph.nodes and draft.graph.nodes[last.node].kind == "ImageCrop":
        crop = last.node  # its owner does so already
    else:
        crop = _CROP
        region = {"width": 768, "height": 512, "x": 0, "y": 0}
        inputs: dict[str, Input] = {name: Literal.of(value) for name, value in region.items()}
        inputs["image"] = last
        node = Node(_CROP, "ImageCrop", MappingProxyType(inputs), "Frames at the asked size")
        draft.graph = draft.graph.with_nodes(node, output.with_input("images", Link(_CROP)))
    for value in ("width", "height", "crop_x", "crop_y"):
        draft.take(value, crop, value.removeprefix("crop_"), EvidenceKind.CLASS, 0)


def _saver(graph: Graph, mode: Mode) -> Node:
    """Find the node that saves the clip: the last one of a chain, previews come before it.

    Raises:
        NotAdoptable: nothing saves a video, or two videos are made apart from each other.
    """
    savers = [node for node in graph.nodes.values() if node.kind in {*FRAME_SAVERS, *VIDEO_SAVERS}]
    if not savers:
        raise NotAdoptable(mode, "no_saver")
    last = max(savers, key=lambda node: len(graph.upstream(node.id)))
    made = _samplers_before(graph, last)
    if any(not _samplers_before(graph, node) <= made for node in savers):
        raise NotAdoptable(mode, "several_savers", f": {describe_nodes(savers)}")
    return last


def _samplers_before(graph: Graph, node: Node) -> set[str]:
    return {key for key in graph.upstream(node.id) if graph.nodes[key].kind in SAMPLERS}


def _inputs(graph: Graph, saver: Node, mode: Mode) -> tuple[list[Node], dict[str, Input]]:
    """Return nodes to add, and what our output node takes in place of ``saver``.

    Raises:
        NotAdoptable: the node that saves takes no frames.
    """
    links, extra = links_of(saver), list[Node]()
    video = links.get(VIDEO_SAVERS.get(saver.kind, ""))
    if video is not None and video.node in graph.nodes:
        source = graph.nodes[video.node]
        if source.kind == "CreateVideo":
            links = links_of(source)
        else:
            node = Node(_PARTS, "GetVideoComponents", MappingProxyType({"video": video}), "Parts")
            extra, links = [node], {"images": Link(_PARTS, 0), "audio": Link(_PARTS, 1)}
    if "images" not in links:
        raise NotAdoptable(mode, "no_frames", f": {saver.id}")
    inputs: dict[str, Input] = {"images": links["images"]}
    if "audio" in links:
        inputs["audio"] = links["audio"]
    return extra, {**inputs, "job": Literal.of("")}
