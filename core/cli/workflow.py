"""``clapper workflow``: which graph each mode uses, and the user's own in its place."""

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from core.cli.exit_codes import explained_exit, out
from core.domain.modes import Mode
from core.i18n.messages import name, say
from core.settings import load_settings
from core.workflow.adopt import Adoption, adopt, candidate_nodes
from core.workflow.adopt.pipeline import check_place, remove_adoption, save_adoption
from core.workflow.errors import NotAdoptable
from core.workflow.graph import Graph, read
from core.workflow.library import load, load_all, paths_of
from core.workflow.node_schema import NODES
from core.workflow.schema_drawing import redraw
from core.workflow.validation import require_sound, unknown_kinds

APP = typer.Typer(help=say("help_workflow"), no_args_is_help=True)

FileArgument = Annotated[
    Path, typer.Argument(exists=True, dir_okay=False, readable=True, help=say("help_workflow_file"))
]
ModeOption = Annotated[Mode, typer.Option(help=say("help_workflow_mode"))]
ModeArgument = Annotated[Mode, typer.Argument(help=say("help_workflow_mode"))]


@APP.command("adopt", help=say("help_workflow_adopt"))
def adopt_file(
    file: FileArgument,
    mode: ModeOption,
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help=say("help_workflow_dry_run"))] = False,
) -> None:
    """Find the bindings of ``file``, show them, and use it for ``mode`` from then on.

    Raises:
        NotAdoptable: told with a table of what the graph has.
    """
    console = out()
    with explained_exit():
        graph = read(file)
        settings = load_settings()
        folder = settings.workflows_dir
        if not dry_run:
            check_place(mode, folder, file)
        try:
            found = adopt(graph, mode, settings.models_folder / "loras")
        except NotAdoptable:
            console.print(_parts(graph))
            raise
        console.print(_bindings(found, mode))
        for notice in found.notices:
            console.print(f"• {say(notice.code, notice.data)}")
        if dry_run:
            console.print(say("workflow_fits", {"mode": mode}))
            return
        save_adoption(found.workflow, folder)
        require_sound(load(mode, folder))
        done = {"mode": mode, "path": paths_of(mode, folder)[0], "id": mode.value}
        console.print(say("workflow_adopted", done), soft_wrap=True)


@APP.command("list", help=say("help_workflow_list"))
def list_workflows() -> None:
    """Print a table of the modes and their workflows."""
    console = out()
    with explained_exit():
        heads = ("mode", "source", "nodes", "packs")
        table = Table(*(say(f"workflow_column_{head}") for head in heads))
        for mode, workflow in load_all(load_settings().workflows_dir).items():
            source = name("workflow_custom" if workflow.custom else "workflow_project")
            packs = dict.fromkeys(pack or "?" for pack in unknown_kinds(workflow.graph).values())
            table.add_row(mode, source, str(len(workflow.graph.nodes)), ", ".join(packs) or "–")
        console.print(table)


@APP.command("check", help=say("help_workflow_check"))
def check() -> None:
    """Prove the workflows in use, or end with what is wrong."""
    console = out()
    with explained_exit():
        workflows = load_all(load_settings().workflows_dir)
        for workflow in workflows.values():
            require_sound(workflow)
        console.print(say("workflow_sound", {"count": len(workflows)}))


@APP.command("remove", help=say("help_workflow_remove"))
def remove(mode: ModeArgument) -> None:
    """Go back to the project's workflow for ``mode``."""
    console = out()
    with explained_exit():
        gone = remove_adoption(mode, load_settings().workflows_dir)
        console.print(say("workflow_removed" if gone else "workflow_none", {"mode": mode}))


@APP.command("schema", help=say("help_workflow_schema"))
def schema(
    info: Annotated[
        Path, typer.Option(exists=True, dir_okay=False, help=say("help_workflow_info"))
    ],
    version: Annotated[str, typer.Option(help=say("help_workflow_version"))],
    target: Annotated[Path, typer.Option(hidden=True)] = NODES,
) -> None:
    """Write ``workflows/nodes.json`` from what a real ComfyUI says about itself."""
    console = out()
    with explained_exit():
        count = redraw(info, version, target)
        done = {"count": count, "path": target}
        console.print(say("workflow_schema_done", done), soft_wrap=True)


def _bindings(found: Adoption, mode: Mode) -> Table:
    heads = ("value", "node", "class", "input", "how")
    title = say("workflow_bindings_title", {"mode": mode})
    table = Table(*(say(f"workflow_column_{head}") for head in heads), title=title)
    for row in found.findings:
        target = row.binding
        place = f"{target.node} {row.title}".strip()
        table.add_row(target.value, place, target.kind, target.name, name(row.how))
    return table


def _parts(graph: Graph) -> Table:
    heads = ("part", "node", "class")
    title = say("workflow_parts_title")
    table = Table(*(say(f"workflow_column_{head}") for head in heads), title=title)
    for part, node in candidate_nodes(graph):
        table.add_row(name(part), f"{node.id} {node.title}".strip(), node.kind)
    return table
