"""The tables of ``clapper workflow``: what was found in a graph, and the files that it names."""

from collections.abc import Iterable

from rich.table import Table

from core.domain.modes import Mode
from core.i18n.messages import name, say
from core.workflow.adopt import Adoption, candidate_nodes
from core.workflow.graph import Graph
from core.workflow.model_files import LookedFor


def bindings_table(found: Adoption, mode: Mode) -> Table:
    """Return what a request fills."""
    heads = ("value", "node", "class", "input", "how")
    table = _table(say("workflow_bindings_title", {"mode": mode}), heads)
    for row in found.findings:
        target = row.binding
        place = f"{target.node} {row.title}".strip()
        table.add_row(target.value, place, target.kind, target.name, name(row.how))
    return table


def parts_table(graph: Graph) -> Table:
    """Return what of a refused graph could serve a mode."""
    table = _table(say("workflow_parts_title"), ("part", "node", "class"))
    for part, node in candidate_nodes(graph):
        table.add_row(name(part), f"{node.id} {node.title}".strip(), node.kind)
    return table


def files_table(files: Iterable[LookedFor]) -> Table:
    """Return the model files that a graph names, and whether they are there."""
    table = _table(say("workflow_files_title"), ("file", "folder", "state"))
    for found in files:
        fault = f": {name(found.fault)}" if found.fault else ""
        table.add_row(found.file.name, found.file.folder or "?", f"{name(found.state)}{fault}")
    return table


def _table(title: str, heads: Iterable[str]) -> Table:
    return Table(*(say(f"workflow_column_{head}") for head in heads), title=title)
