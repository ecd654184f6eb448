"""Prove that what a request fills in changes the clip: follow it forwards through the graph."""

from dataclasses import dataclass

from core.workflow.adopt.constants import constant
from core.workflow.adopt.link_types import SCALARS, LinkTypes, is_sampler
from core.workflow.adopt.noise import begins_with_noise, hands_on, is_encoder
from core.workflow.adopt.switches import bypassed
from core.workflow.graph import Graph, Link, Node
from core.workflow.node_schema import known_nodes
from core.workflow.validation import OUTPUT_KIND

_SHAPE_ONLY = ("match", "size", "reference_size", "get_size")  # a picture whose size alone counts
_NEVER = {"ConditioningZeroOut"}
# Nodes that mix two inputs: class to (number, the input that is lost at 0, that lost at 1).
_MIXED = {
    "ConditioningAverage": ("conditioning_to_strength", "conditioning_to", "conditioning_from"),
    "ImageBlend": ("blend_factor", "image2", ""),
    "LatentBlend": ("blend_factor", "samples1", "samples2"),
    "LatentInterpolate": ("ratio", "samples1", "samples2"),
}
_PICTURES = {"IMAGE", "MASK", "AUDIO", "VIDEO", "CONTROL_NET"}


def reaches(graph: Graph, start: str, *, text: bool = False) -> bool:
    """Tell whether what the node ``start`` gives changes the pictures of the clip.

    A size or a number that is read from it does not count, nor what is taken with strength 0,
    bypassed, zeroed or covered with noise.

    Args:
        graph: without switches whose position is fixed.
        start: the node.
        text: also follow texts: what starts is one.
    """
    types = LinkTypes(graph)
    following: dict[str, list[tuple[Link, Node, str]]] = {}
    for link, takers in types.takers.items():
        following.setdefault(link.node, []).extend((link, node, name) for node, name in takers)
    waiting = [_Step(start)]
    seen = set(waiting)
    while waiting:
        now = waiting.pop()
        for link, node, name in following.get(now.node, []):
            there = now.slot in {None, link.slot}
            if not there or not _goes_on(graph, types, link, (node, name), text=text):
                continue
            if node.kind == OUTPUT_KIND and name == "images":
                return True
            bare = _bare(types, node, types.type_at(node, name, link), bare=now.bare)
            sampled = bare and is_sampler(types, node)
            if sampled and begins_with_noise(graph, types, node):
                continue
            step = _Step(node.id, _slot_of(types, node, name), bare and not sampled)
            if step not in seen:
                seen.add(step)
                waiting.append(step)
    return False


@dataclass(frozen=True, slots=True)
class _Step:
    """An output that something was followed to."""

    node: str
    slot: int | None = None  # None: any of them
    bare: bool = False  # as latents without a mask, of which noise would leave nothing


def _bare(types: LinkTypes, node: Node, type_: str, *, bare: bool) -> bool:
    if type_ in _PICTURES:
        return is_encoder(types, node)
    return bare and type_ == "LATENT" and hands_on(types, node)


def _slot_of(types: LinkTypes, node: Node, name: str) -> int | None:
    """Return the output that a conditioning at ``name`` goes on through; None where any may be it.

    Nodes that take a positive and a negative one give each of them on by itself.
    """
    taken = [key for key, _ in types.inputs(node, "CONDITIONING")]
    given = types.outputs(node, "CONDITIONING")
    alone = name in taken and len(taken) == len(given) > 1
    return given[taken.index(name)] if alone else None


def _goes_on(
    graph: Graph, types: LinkTypes, link: Link, taker: tuple[Node, str], *, text: bool
) -> bool:
    node, name = taker
    type_ = types.type_at(node, name, link)
    if type_ in SCALARS and not (text and type_ == "STRING"):
        return False
    if type_ == "LATENT" and _gives_only_sigmas(node):
        return False
    return not _lost(graph, node, name, type_)


def _gives_only_sigmas(node: Node) -> bool:
    """Tell whether ``node`` is a schedule, which asks latents for their size alone."""
    spec = known_nodes().get(node.kind)
    return spec is not None and {*spec.outputs} == {"SIGMAS"}


def _lost(graph: Graph, node: Node, name: str, type_: str) -> bool:
    """Tell whether ``node`` makes nothing of what it takes as ``name``."""
    plain = name.rpartition(".")[2]
    if node.kind in _NEVER or plain in _SHAPE_ONLY:
        return True
    if node.kind in _MIXED:
        number, at_zero, at_one = _MIXED[node.kind]
        share = _number(graph, node, number)
        return (share == 0 and name == at_zero) or (share == 1 and name == at_one)
    cfg = _number(graph, node, "cfg")
    if (cfg == 1 and "negative" in name) or (cfg == 0 and "positive" in name):
        return True
    if type_ in _PICTURES:
        return bypassed(graph, node) or _strength(graph, node, name) == 0
    idle = 0 in {_number(graph, node, "denoise"), _number(graph, node, "steps")}
    return idle and type_ != "LATENT"


def _strength(graph: Graph, node: Node, name: str) -> float | None:
    """Return how strongly ``node`` takes the picture ``name``; None where it does not say."""
    of_this = name.replace("image", "strength")
    for key in (of_this, "strength", "image_strength", "conditioning_strength"):
        if key != name and key in node.inputs:
            return _number(graph, node, key)
    return None


def _number(graph: Graph, node: Node, name: str) -> float | None:
    found = constant(graph, node.inputs.get(name))
    return float(found) if isinstance(found, int | float) else None
