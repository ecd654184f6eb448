"""Tell what flows through a link: by the class that gives it, else by the class that takes it."""

from collections import defaultdict

from core.workflow.graph import Graph, Link, Node
from core.workflow.node_schema import ANY, known_nodes

SCALARS = frozenset({"INT", "FLOAT", "BOOLEAN", "STRING", "COMBO"})


class LinkTypes:
    """The types of the links of one graph; classes that nobody knows are seen through."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self.takers: dict[Link, list[tuple[Node, str]]] = defaultdict(list)
        for node in graph.nodes.values():
            for name, link in node.links():
                self.takers[link].append((node, name))

    def of(self, link: Link) -> str:
        """Return the type of ``link``; :data:`ANY` where neither of its ends tells it."""
        node = self._graph.nodes.get(link.node)
        spec = known_nodes().get(node.kind) if node is not None else None
        if spec is not None and link.slot < len(spec.outputs) and spec.outputs[link.slot] != ANY:
            return spec.outputs[link.slot]
        wanted = (self._wanted(taker, name) for taker, name in self.takers[link])
        return next((type_ for type_ in wanted if type_ != ANY and "," not in type_), ANY)

    def inputs(self, node: Node, type_: str) -> list[tuple[str, Link]]:
        """Return the linked inputs of ``node`` through which ``type_`` flows, in their order.

        Where none is known to, those of a class that nobody knows which nobody can tell.
        """
        links = list(node.links())
        sure = [(name, link) for name, link in links if self.type_at(node, name, link) == type_]
        if sure or node.kind in known_nodes():
            return sure
        return [(name, link) for name, link in links if self.of(link) == ANY]

    def outputs(self, node: Node, type_: str) -> list[int]:
        """Return the outputs of ``node`` of ``type_``: those of its class, or those in use."""
        spec = known_nodes().get(node.kind)
        if spec is not None and not spec.open:
            return [slot for slot, given in enumerate(spec.outputs) if given == type_]
        used = {link for link in self.takers if link.node == node.id and self.takers[link]}
        return sorted(link.slot for link in used if self.of(link) == type_)

    def type_at(self, node: Node, name: str, link: Link) -> str:
        """Return the type of ``link`` at the input ``name``, which may say it if it does not."""
        given = self.of(link)
        return self._wanted(node, name) if given == ANY else given

    @staticmethod
    def _wanted(node: Node, name: str) -> str:
        spec = known_nodes().get(node.kind)
        found = spec.input(name) if spec is not None else None
        return found.type if found is not None else ANY


def is_sampler(types: LinkTypes, node: Node) -> bool:
    """Tell whether ``node`` samples: it gives latents and takes a guider, or a model and more."""
    taken = {types.type_at(node, name, link) for name, link in node.links()}
    if not types.outputs(node, "LATENT"):
        unknown = node.kind not in known_nodes() and not types.outputs(node, "GUIDER")
        return unknown and "GUIDER" in taken and bool(taken & {"SIGMAS", "NOISE", "SAMPLER"})
    return "GUIDER" in taken or ("MODEL" in taken and bool(taken & {"SIGMAS", "CONDITIONING"}))


def samplers_of(graph: Graph) -> list[Node]:
    """List the samplers in the order in which they run."""
    types = LinkTypes(graph)
    found = [node for node in graph.nodes.values() if is_sampler(types, node)]
    return sorted(found, key=lambda node: len(graph.upstream(node.id)))
