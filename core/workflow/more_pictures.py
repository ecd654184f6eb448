"""Give a graph the nodes of further pictures, which are like those of its first one."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from types import MappingProxyType

from core.domain.modes import MODES
from core.errors import MediaUnexpected
from core.workflow.bindings import Binding
from core.workflow.graph import Graph, Input, Link, Node
from core.workflow.library import Workflow


def with_pictures(workflow: Workflow, staged: Iterable[str]) -> Workflow:
    """Return ``workflow`` with nodes for every staged role that it has none for.

    Args:
        workflow: of a mode that may have more pictures.
        staged: the roles of the files.

    Raises:
        MediaUnexpected: a graph of somebody's own that takes no more pictures.
    """
    bound = {binding.value for binding in workflow.bindings.values}
    more = {slot.role: None for slot in MODES[workflow.mode].more}
    missing = [role for role in more if role in set(staged) and role not in bound]
    chain = workflow.bindings.pictures
    for role in reversed(missing):  # each one right behind the first
        if chain is None:
            raise MediaUnexpected(workflow.mode, role)
        workflow = _repeated(workflow, chain.like, role, chain.through)
    return workflow


def _repeated(workflow: Workflow, like: str, role: str, through: tuple[str, ...]) -> Workflow:
    graph, bindings = workflow.graph, workflow.bindings
    names = {node: node.replace(like, role) for node in graph.nodes if like in node.split("_")}
    guides = {node for node in names if set(through) <= graph.nodes[node].inputs.keys()}
    nodes: list[Node] = []
    for node in graph.nodes.values():
        if node.id not in names:
            nodes.append(_relinked(node, {guide: names[guide] for guide in guides}))
            continue
        nodes.append(node)
        copy = _relinked(replace(node, id=names[node.id]), names)
        if node.id in guides:
            handed = {name: Link(node.id, slot) for slot, name in enumerate(through)}
            copy = copy.with_inputs({**copy.inputs, **handed})
        nodes.append(copy)
    values = tuple(
        Binding(_renamed(item.value, like, role), names[item.node], item.kind, item.name)
        for item in bindings.values
        if item.node in names
    )
    stages = {names[node]: stage for node, stage in bindings.stages.items() if node in names}
    bindings = replace(
        bindings,
        values=bindings.values + values,
        stages=MappingProxyType({**bindings.stages, **stages}),
    )
    return replace(workflow, graph=Graph.of(nodes), bindings=bindings)


def _renamed(value: str, like: str, role: str) -> str:
    return value.replace(like, role) if like in value.split("_") else value


def _relinked(node: Node, names: Mapping[str, str]) -> Node:
    def moved(value: Input) -> Input:
        if isinstance(value, Link) and value.node in names:
            return Link(names[value.node], value.slot)
        return value

    return node.with_inputs({name: moved(value) for name, value in node.inputs.items()})
