"""``clapper deliveries``: list results that could not be handed over, and try them again."""

from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from core.cli.exit_codes import out
from core.cli.steering import steer
from core.control.commands import ListDeadLetters, ReviveDeliveries
from core.i18n.messages import name, say

APP = typer.Typer(help=say("help_deliveries"), no_args_is_help=True)


@APP.command("list", help=say("help_deliveries_list"))
def list_dead(
    limit: Annotated[int, typer.Option(min=1, max=500, help=say("help_limit"))] = 50,
) -> None:
    """Print the newest deliveries that were given up."""
    found = steer(ListDeadLetters(limit))
    if not found:
        out().print(say("cli_no_dead_deliveries"))
        return
    table = Table(box=None, pad_edge=False)
    for column in ("job", "platform", "reason"):
        table.add_column(say(f"cli_column_{column}"), no_wrap=column == "job")
    for letter in found:
        table.add_row(letter.job_id, Text(letter.platform), Text(name(letter.reason)))
    out().print(table)


@APP.command("revive", help=say("help_deliveries_revive"))
def revive(
    job_id: Annotated[str | None, typer.Argument(metavar="JOB", help=say("help_job"))] = None,
    *,
    everything: Annotated[bool, typer.Option("--all", help=say("help_all"))] = False,
) -> None:
    """Try deliveries again that were given up: one, or all.

    Raises:
        BadParameter: neither a job nor ``--all``, or both.
    """
    if (job_id is None) is not everything:
        raise typer.BadParameter(say("cli_revive_what"))
    found = steer(ReviveDeliveries(job_id))
    out().print(say("cli_revived", {"count": len(found)}))
