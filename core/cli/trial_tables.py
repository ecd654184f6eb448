"""What trials of workflows found, as tables of a terminal and of a document."""

from collections.abc import Sequence

from rich.table import Table

from core.comfy.trial import ControlTrial, TriedWorkflow
from core.domain.modes import Mode
from core.i18n.messages import name, say

_HEADS = ("control", "changed", "amount", "verdict")


def trial_table(rows: Sequence[ControlTrial], mode: Mode) -> Table:
    """Return what each control changed, and by how much."""
    title = say("workflow_trial_title", {"mode": mode})
    table = Table(*(say(f"workflow_column_{head}") for head in _HEADS), title=title)
    for row in rows:
        table.add_row(*_cells(row))
    return table


def trial_document(tried: Sequence[TriedWorkflow]) -> str:
    """Return the tables of all that was tried as a document of Markdown."""
    real = all(one.real for one in tried)
    ran = say("workflow_trial_real" if real else "workflow_trial_stand_ins")
    head = f"# {say('workflow_trial_heading')}\n\n{say('workflow_trial_reading')}\n\n{ran}\n"
    return "\n".join([head, *(_section(one) for one in tried)])


def _section(tried: TriedWorkflow) -> str:
    heads = [say(f"workflow_column_{head}") for head in _HEADS]
    lines = [heads, ["---"] * len(heads), *(_cells(row) for row in tried.rows)]
    table = "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
    return f"## {tried.mode.value}\n\n{table}\n"


def control_name(row: ControlTrial) -> str:
    """Return what was changed to what, and beside which conditions."""
    changed = f"{row.control} = {row.value}" if row.value else row.control
    return f"{changed} ({name(f'trial_{row.beside}')})" if row.beside else changed


def _cells(row: ControlTrial) -> list[str]:
    parts = {"trial_picture": row.picture, "trial_sound": row.sound}
    changed = [name(part) for part, amount in parts.items() if amount] or [name("trial_none")]
    amounts = [f"{amount:.4f}" for amount in parts.values() if amount] or ["0"]
    verdict = name("trial_holds" if row.holds else "trial_fails")
    seen = [row.problem, ""] if row.problem else [", ".join(changed), ", ".join(amounts)]
    return [control_name(row), *seen, verdict]
