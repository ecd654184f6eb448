"""Replace the node that saves a video by our own, which passes the frames to Clapper."""

from collections.abc import Mapping
from types import MappingProxyType

from core.domain.modes import Mode
from core.workflow.adopt.findings import AdoptionDraft, EvidenceKind
from core.workflow.adopt.link_types import LinkTypes, samplers_of
from core.workflow.adopt.links import links_of
from core.workflow.adopt.report import describe_nodes, savers_of
from core.workflow.errors import NotAdoptable
from core.workflow.graph import Graph, Input, Link, Literal, Node
from core.workflow.node_schema import known_nodes
from core.workflow.validation import OUTPUT_KIND

OUTPUT = "clapper_output"
_PARTS = "clapper_parts"
_CROP = "clapper_crop"
_KEEPS = "save_output"  # of nodes of packs that write a film to the output folder, or only show it
_SHOWN = 5  # places that a refusal names


def begin_draft(graph: Graph, mode: Mode, output: str = "") -> AdoptionDraft:
    """Begin the adoption of ``graph``: it ends in our own output node and holds nothing else.

    Args:
        graph: without switches whose position is fixed.
        mode: what it is for.
        output: the node that saves the clip; "" finds it.

    Raises:
        NotAdoptable: nothing in the graph saves a video, or what it needs for that is not whole.
    """
    saver = _saver(graph, mode, output)
    extra, inputs = _inputs(graph, saver, mode)
    end = Node(OUTPUT, OUTPUT_KIND, MappingProxyType(inputs), "Frames and sound to Clapper")
    kept = Graph.of([*graph.nodes.values(), *extra, end]).pruned(OUTPUT)
    _require_whole(kept, mode)
    draft = AdoptionDraft(mode, kept, OUTPUT)
    if saver.kind != OUTPUT_KIND:
        draft.notice("adopt_output", node=saver.id, title=saver.title or saver.kind)
    dropped = len(graph.nodes.keys() - kept.nodes.keys() - {saver.id})
    if dropped:
        draft.notice("adopt_dropped", count=dropped)
    return draft


def crop_to_size(draft: AdoptionDraft) -> None:
    """Cut the frames to the clip's size, for graphs that must work on larger sides."""
    if not is_cropped(draft):  # else its owner does so already
        end_frames_with(draft, _CROP, "ImageCrop", {"width": 768, "height": 512, "x": 0, "y": 0})
    crop = links_of(draft.graph.nodes[draft.output])["images"].node
    for value in ("width", "height", "crop_x", "crop_y"):
        draft.take(value, crop, value.removeprefix("crop_"), EvidenceKind.CLASS, 0)


def end_frames_with(
    draft: AdoptionDraft, id_: str, kind: str, values: Mapping[str, str | int]
) -> None:
    """Let the frames pass a node of ours last, which brings them to the asked size.

    Args:
        draft: is given the node.
        id_: of the node.
        kind: its class, which takes the frames as ``image``.
        values: its other inputs, until a request fills them.
    """
    output = draft.graph.nodes[draft.output]
    inputs: dict[str, Input] = {name: Literal.of(value) for name, value in values.items()}
    inputs["image"] = links_of(output)["images"]
    node = Node(id_, kind, MappingProxyType(inputs), "Frames at the asked size")
    draft.graph = draft.graph.with_nodes(node, output.with_input("images", Link(id_)))


def is_cropped(draft: AdoptionDraft) -> bool:
    """Tell whether the last thing that the graph does to its frames is to cut them."""
    last = links_of(draft.graph.nodes[draft.output])["images"]
    return last.node in draft.graph.nodes and draft.graph.nodes[last.node].kind == "ImageCrop"


def fill_defaults(draft: AdoptionDraft) -> None:
    """Fill inputs that a class requires now and did not when the graph was saved, and say so."""
    for node in list(draft.graph.nodes.values()):
        spec = known_nodes().get(node.kind)
        for name, wanted in spec.inputs.items() if spec is not None else ():
            if wanted.required and name not in node.inputs and wanted.default is not None:
                draft.put(node.id, name, wanted.default)
                facts = {"node": node.id, "title": node.title or node.kind, "input": name}
                draft.notice("adopt_default", **facts, value=str(wanted.default))


def _saver(graph: Graph, mode: Mode, wanted: str) -> Node:
    """Find the node that saves the clip: the last of those that keep it, previews come before it.

    Raises:
        NotAdoptable: nothing saves a video, two videos are made apart from each other, or there is
            no node ``wanted``.
    """
    if wanted:
        if wanted not in graph.nodes:
            raise NotAdoptable(mode, "no_such_output", f": {describe_nodes(savers_of(graph))}")
        return graph.nodes[wanted]
    savers = savers_of(graph)
    if not savers:
        raise NotAdoptable(mode, "no_saver")
    kept = [node for node in savers if not _only_shows(node)] or savers
    last = max(kept, key=lambda node: len(graph.upstream(node.id)))
    made = _samplers_before(graph, last)
    if any(not _samplers_before(graph, node) <= made for node in kept):
        raise NotAdoptable(mode, "several_savers", f": {describe_nodes(kept)}")
    return last


def _only_shows(node: Node) -> bool:
    """Tell whether ``node`` keeps nothing of what it writes: its owner looks at it and it goes."""
    keeps = node.inputs.get(_KEEPS)
    return isinstance(keeps, Literal) and keeps.value is False


def _require_whole(graph: Graph, mode: Mode) -> None:
    """Refuse a graph of which a part is missing, or whose nodes wait for each other.

    Raises:
        NotAdoptable: with the places.
    """
    lost = [
        f"{link.node} → {node.id}.{name}"
        for node in graph.nodes.values()
        for name, link in node.links()
        if link.node not in graph.nodes
    ]
    if lost:
        raise NotAdoptable(mode, "links_lost", f": {', '.join(lost[:_SHOWN])}")
    circle = [graph.nodes[key] for key in graph.circle()]
    if circle:
        raise NotAdoptable(mode, "circle", f": {describe_nodes(circle[:_SHOWN])}")


def _samplers_before(graph: Graph, node: Node) -> set[str]:
    return {sampler.id for sampler in samplers_of(graph)} & graph.upstream(node.id)


def _inputs(graph: Graph, saver: Node, mode: Mode) -> tuple[list[Node], dict[str, Input]]:
    """Return nodes to add, and what our output node takes in place of ``saver``.

    Raises:
        NotAdoptable: the node that saves takes no frames.
    """
    types = LinkTypes(graph)
    links = links_of(saver)
    video = next((link for link in links.values() if types.of(link) == "VIDEO"), None)
    if video is not None and video.node in graph.nodes:
        source = graph.nodes[video.node]
        links = links_of(source)
        if source.kind != "CreateVideo":
            node = Node(_PARTS, "GetVideoComponents", MappingProxyType({"video": video}), "Parts")
            parts = {"images": Link(_PARTS, 0), "audio": Link(_PARTS, 1)}
            return [node], {**parts, "job": Literal.of("")}
    frames = [link for link in links.values() if types.of(link) == "IMAGE"]
    if not frames:
        raise NotAdoptable(mode, "no_frames", f": {saver.id}")
    inputs: dict[str, Input] = {"images": links.get("images", frames[0])}
    heard = [link for link in links.values() if types.of(link) == "AUDIO"]
    sound = links.get("audio", heard[0] if heard else None)
    if sound is not None:
        inputs["audio"] = sound
    return [], {**inputs, "job": Literal.of("")}
