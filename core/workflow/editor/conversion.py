"""Turn an editor file into a graph, as the editor's own export would."""

from collections.abc import Mapping
from types import MappingProxyType

from core.workflow.editor.drawing import Entry, entries
from core.workflow.editor.group_nodes import GroupBroken
from core.workflow.editor.scopes import Scope, open_file
from core.workflow.editor.sources import OutputOf, Value, WidgetOf, source_of
from core.workflow.editor.virtual_nodes import runs
from core.workflow.editor.widgets import widget_values
from core.workflow.errors import EditorClassesUnknown, EditorGroupBroken, NotAWorkflow
from core.workflow.graph import Graph, Input, Link, Literal, Node
from core.workflow.graph_files import content_of
from core.workflow.node_schema import Info


def convert(text: str, file: str, classes: Mapping[str, Info]) -> Graph:
    """Return the graph that is drawn in ``text``.

    Args:
        text: JSON as the editor saves it.
        file: its name, for messages.
        classes: ComfyUI's object_info: what each class takes.

    Raises:
        EditorGroupBroken: the file does not say what a group node stands for.
        EditorClassesUnknown: widgets of a class that is not installed cannot be named.
        NotAWorkflow: the JSON is not what the editor saves.
    """
    content = content_of(text, file)
    try:
        whole = open_file(content, classes)
        nodes = [_node(scope, node, classes) for scope, node in whole.walk() if runs(node["type"])]
    except GroupBroken as broken:
        raise EditorGroupBroken(file, broken.group, broken.reason) from None
    except (ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError):
        raise NotAWorkflow(file, "not_a_graph") from None
    graph = Graph.of(node for node, _ in nodes)
    unclear = {node.kind for node, named in nodes if not named} & _needed(graph, classes)
    if unclear:
        raise EditorClassesUnknown(file, ", ".join(sorted(unclear)))
    return graph


def _needed(graph: Graph, classes: Mapping[str, Info]) -> set[str]:
    """Return the classes that something which saves or shows depends on, without itself."""
    taken = {link.node for node in graph.nodes.values() for _, link in node.links()}
    ends = [
        node.id
        for node in graph.nodes.values()
        if (node.id not in taken if node.kind not in classes else classes[node.kind]["output_node"])
    ]
    return {graph.nodes[key].kind for key in graph.upstream(*ends) if key in taken}


def _node(scope: Scope, node: Entry, classes: Mapping[str, Info]) -> tuple[Node, bool]:
    """Return the node, and whether all its widgets could be named."""
    kind = str(node["type"])
    info = classes.get(kind)
    values = widget_values(node, info)
    inputs: dict[str, Input] = {name: Literal.of(item) for name, item in (values or {}).items()}
    for place, entry in enumerate(entries(node, "inputs")):
        link = scope.link_into(node, place)
        if link is None:
            continue
        name = str(entry["name"])
        match source_of(scope, link):
            case OutputOf(origin, slot):
                inputs[name] = Link(origin, slot)
            case Value(value):
                inputs[name] = Literal.of(value)
            case WidgetOf(owner, widget):
                typed = widget_values(owner, classes.get(str(owner["type"]))) or {}
                inputs |= {name: Literal.of(typed[widget])} if widget in typed else {}
            case _ if not entry.get("widget"):
                inputs.pop(name, None)
            case _:  # a subgraph's end that nothing is wired to: the widget keeps its own
                pass
    shown = info.get("display_name") if info is not None else None
    title = node.get("title") or shown or kind
    return Node(scope.id_of(node), kind, MappingProxyType(inputs), str(title)), values is not None
