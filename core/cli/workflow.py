"""``clapper workflow``: which graph each mode uses, and the user's own in its place."""

import asyncio
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from core.cli.exit_codes import explained_exit, out
from core.cli.workflow_tables import bindings_table, files_table, parts_table
from core.comfy.paths import runs_newer
from core.domain.modes import Mode
from core.i18n.messages import name, say
from core.settings import Settings, load_settings
from core.workflow.adopt import adopt
from core.workflow.adopt.pipeline import check_place, remove_adoption, save_adoption
from core.workflow.editor import convert, with_known_packs
from core.workflow.errors import ControlsIdle, EditorFormat, NotAdoptable
from core.workflow.graph import Graph, parse
from core.workflow.graph_files import text_of
from core.workflow.library import Workflow, load, load_all, paths_of
from core.workflow.model_files import LookedFor, NamedFileState, look_for_files
from core.workflow.node_schema import NODES
from core.workflow.schema_drawing import redraw
from core.workflow.validation import require_sound, unknown_kinds

if TYPE_CHECKING:
    from core.comfy.trial import TriedWorkflow

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
    output: Annotated[str, typer.Option(help=say("help_workflow_output"))] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help=say("help_workflow_dry_run"))] = False,
) -> None:
    """Find the bindings of ``file``, show them, and use it for ``mode`` from then on.

    Raises:
        NotAdoptable: told with a table of what the graph has.
    """
    console = out()
    with explained_exit():
        settings = load_settings()
        folder, models = settings.workflows_dir, settings.models_folder
        graph, converted = _graph(file, settings)
        if not dry_run:
            check_place(mode, folder, file)
        try:
            newer = runs_newer(settings)
            found = adopt(graph, mode, models / "loras", output, newer=newer)
        except NotAdoptable:
            console.print(parts_table(graph))
            raise
        console.print(bindings_table(found, mode))
        if converted:
            console.print(f"• {say('adopt_converted', {'file': file.name})}")
        for notice in found.notices:
            console.print(f"• {say(notice.code, notice.data)}")
        console.print(files_table(look_for_files(found.workflow.graph, models)))
        console.print(say("workflow_try_offer", {"mode": mode.value, "file": file.name}))
        if dry_run:
            console.print(say("workflow_fits", {"mode": mode}))
            return
        save_adoption(found.workflow, folder)
        require_sound(load(mode, folder))
        done = {"mode": mode, "path": paths_of(mode, folder)[0], "id": mode.value}
        console.print(say("workflow_adopted", done), soft_wrap=True)


@APP.command("try", help=say("help_workflow_try"))
def try_file(
    file: Annotated[
        Path | None,
        typer.Argument(exists=True, dir_okay=False, readable=True, help=say("help_workflow_tried")),
    ] = None,
    *,
    mode: Annotated[Mode | None, typer.Option(help=say("help_workflow_mode"))] = None,
    output: Annotated[str, typer.Option(help=say("help_workflow_output"))] = "",
    markdown: Annotated[Path | None, typer.Option(help=say("help_workflow_markdown"))] = None,
) -> None:
    """Run ``file`` twice for each control of ``mode``, and show what the control changes.

    Without a file, the workflow in use: of ``mode``, or of every mode.

    Raises:
        BadParameter: a file without its mode.
        ControlsIdle: a control changes nothing, or something that it must not.
    """
    with explained_exit(), tempfile.TemporaryDirectory(prefix="clapper-try-") as folder:
        settings = load_settings()
        if file is not None:
            if mode is None:
                raise typer.BadParameter(say("workflow_try_mode"), param_hint="--mode")
            graph, _ = _graph(file, settings)
            loras, newer = settings.models_folder / "loras", runs_newer(settings)
            tried = [adopt(graph, mode, loras, output, newer=newer).workflow]
        else:
            used = list(Mode) if mode is None else [mode]
            tried = [load(each, settings.workflows_dir) for each in used]
        asyncio.run(_try(tried, settings, Path(folder), markdown))


async def _try(
    workflows: list[Workflow], settings: Settings, folder: Path, markdown: Path | None
) -> None:
    """Show what each control of ``workflows`` changes; ``markdown`` gets the tables as well.

    Raises:
        ControlsIdle: a control changes nothing, or something that it must not.
    """
    from core.cli.trial_tables import control_name, trial_document, trial_table
    from core.cli.workflow_try import try_workflows

    tried: list[TriedWorkflow] = []
    async for found in try_workflows(workflows, settings, folder):
        tried.append(found)  # each is shown as soon as it is there
        out().print(trial_table(found.rows, found.mode))
        out().print(say("workflow_trial_real" if found.real else "workflow_trial_stand_ins"))
        if markdown is not None:  # minutes of work are kept whatever stops the next ones
            await asyncio.to_thread(markdown.write_text, trial_document(tried), "utf-8")
    for found in tried:
        idle = [control_name(row) for row in found.rows if not row.holds]
        if idle:
            raise ControlsIdle(found.mode, ", ".join(idle))


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
        settings = load_settings()
        workflows = load_all(settings.workflows_dir)
        for mode, workflow in workflows.items():
            require_sound(workflow)
            if workflow.custom:
                files = look_for_files(workflow.graph, settings.models_folder)
                console.print(files_table(files))
                _tell_files(files, mode, settings.models_folder)
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


def _graph(file: Path, settings: Settings) -> tuple[Graph, bool]:
    """Read ``file``; return the graph, and whether it was turned into the API format.

    Raises:
        EditorFormat: it is what the editor saves, and no ComfyUI is installed.
    """
    text = text_of(file)
    try:
        return parse(text, file.name), False
    except EditorFormat:
        from core.comfy.object_info import installed_classes

        classes = installed_classes(settings)
        if classes is None:
            raise
        return convert(text, file.name, with_known_packs(classes)), True


def _tell_files(files: tuple[LookedFor, ...], mode: Mode, folder: Path) -> None:
    """Say which files are missing or damaged, and where they belong."""
    for found in files:
        place = str(folder / found.file.folder)
        facts = {"mode": mode, "file": found.file.name, "fault": found.fault, "folder": place}
        if found.state is NamedFileState.MISSING:
            out().print(f"• {say('workflow_file_absent', facts)}", soft_wrap=True)
        elif found.state is NamedFileState.DAMAGED:
            out().print(f"• {say('workflow_file_broken', facts)}", soft_wrap=True)
