"""Tell whether a sampler covers what it is given with noise, so that nothing of it is left."""

import re

from core.workflow.adopt.constants import constant
from core.workflow.adopt.link_types import LinkTypes
from core.workflow.graph import Graph, Link, Node
from core.workflow.node_schema import known_nodes

_NUMBER = re.compile(r"[\d.]+")
_DEPTH = 20  # nodes behind each other; deeper is a circle


def begins_with_noise(graph: Graph, types: LinkTypes, sampler: Node) -> bool:
    """Tell whether ``sampler`` begins where its latents are noise alone, as far as a mask lets it.

    A sampler or schedule of a class that nobody knows may do anything: it counts as if not.
    """
    if sampler.kind not in known_nodes() or _adds_none(graph, types, sampler):
        return False
    sigmas = next((link for _, link in types.inputs(sampler, "SIGMAS")), None)
    if sigmas is not None:
        return _begins_high(graph, types, sigmas)
    start = constant(graph, sampler.inputs.get("start_at_step"))
    whole = constant(graph, sampler.inputs.get("denoise")) if start is None else 1
    return whole == 1 and not start


def _adds_none(graph: Graph, types: LinkTypes, sampler: Node) -> bool:
    noise = [graph.nodes[link.node] for _, link in types.inputs(sampler, "NOISE")
             if link.node in graph.nodes]  # fmt: skip
    told = constant(graph, sampler.inputs.get("add_noise"))
    return any(node.kind == "DisableNoise" for node in noise) or told in {False, "disable"}


def _begins_high(graph: Graph, types: LinkTypes, sigmas: Link, depth: int = 0) -> bool:
    node = graph.nodes.get(sigmas.node)
    if node is None or node.kind not in known_nodes() or depth > _DEPTH:
        return False
    behind = [link for _, link in types.inputs(node, "SIGMAS")]
    if behind:  # a part of a schedule, or one that is changed
        return sigmas.slot == 0 and _begins_high(graph, types, behind[0], depth + 1)
    listed = constant(graph, node.inputs.get("sigmas"))
    if isinstance(listed, str):
        first = _NUMBER.search(listed)
        return first is not None and float(first[0].strip(".") or 0) >= 1
    share = constant(graph, node.inputs.get("denoise")) if "denoise" in node.inputs else 1
    return share == 1


def is_encoder(types: LinkTypes, node: Node) -> bool:
    """Tell whether ``node`` makes latents of a picture or sound and nothing else, unmasked.

    What also begins a clip of a size masks those that it makes of a picture.
    """
    spec = known_nodes().get(node.kind)
    if spec is None or "LATENT" not in spec.outputs or "width" in spec.inputs:
        return False
    taken = {types.type_at(node, name, link) for name, link in node.links()}
    return "VAE" in taken and not taken & {"LATENT", "MASK"}


def hands_on(types: LinkTypes, node: Node) -> bool:
    """Tell whether latents go through ``node`` without a mask that could keep them."""
    taken = {types.type_at(node, name, link) for name, link in node.links()}
    return node.kind in known_nodes() and "MASK" not in taken
