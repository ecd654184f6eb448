"""Put a frame between every two, in the latents that are decoded; the sound stays as it is."""

from types import MappingProxyType

from core.models.catalog import FAMILY, ModelNames
from core.workflow.bindings import Bindings
from core.workflow.graph import Graph, Link, Literal, Node

LOADER, DOUBLED = "doubler", "doubled"
_DECODERS = ("VAEDecode", "VAEDecodeTiled")


def with_doubled_frames(graph: Graph, bindings: Bindings, names: ModelNames) -> Graph:
    """Return the bound ``graph`` with the temporal upscaler before each decoder of pictures.

    Args:
        graph: in the shape in which it runs, but for this.
        bindings: whose output takes the pictures.
        names: model files as the loader nodes know them.
    """
    decoders = [node for node in graph.pruned(bindings.output).nodes.values() if _decodes(node)]
    added: list[Node] = []
    for node in decoders:
        model = Literal.of(names.temporal_upscaler)
        loader = {"model_name": model}
        added.append(
            Node(LOADER, "LatentUpscaleModelLoader", MappingProxyType(loader), "Frames ×2")
        )
        inputs = {
            "samples": node.inputs["samples"],
            "upscale_model": Link(LOADER),
            "vae": node.inputs["vae"],
        }
        added.append(
            Node(DOUBLED, FAMILY.nodes.upscaler, MappingProxyType(inputs), "Twice the frames")
        )
        added.append(node.with_input("samples", Link(DOUBLED)))
    return graph.with_nodes(*added)


def _decodes(node: Node) -> bool:
    return node.kind in _DECODERS
