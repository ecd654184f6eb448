"""``clapper nodes``: who makes clips, and who is to take no more."""

import asyncio
from typing import Annotated

import typer
from rich.table import Table

from core.app.node_list import SeenNode, drain_nodes, list_nodes
from core.cli.exit_codes import err, out, print_json
from core.cli.steering import steer_one
from core.control.commands import AdmitMachine, RevokeMachine
from core.i18n.messages import name as word
from core.i18n.messages import say
from core.runtime.terminal_text import printable
from core.settings import load_settings

APP = typer.Typer(help=say("help_nodes"), invoke_without_command=True)
_COLUMNS = ("name", "role", "pool", "device", "state", "job", "version", "seen")


@APP.callback()
def nodes(
    context: typer.Context,
    *,
    as_json: Annotated[bool, typer.Option("--json", help=say("help_json"))] = False,
) -> None:
    """List the nodes where no command is given."""
    if context.invoked_subcommand is None:
        _list(as_json=as_json)


@APP.command("drain", help=say("help_nodes_drain"))
def drain(
    name: Annotated[str, typer.Argument(metavar="NAME", help=say("help_node"))],
) -> None:
    """Let the workers of a name take no more jobs."""
    count = asyncio.run(drain_nodes(load_settings(), name))
    out().print(say("nodes_drained", {"count": count}), soft_wrap=True)


@APP.command("token", help=say("help_nodes_token"))
def token(
    name: Annotated[str, typer.Argument(metavar="NAME", help=say("help_node"))],
) -> None:
    """Print a new token for a machine behind the gate, and nothing else on standard output."""
    admitted = steer_one(AdmitMachine(name))
    out().print(admitted.token, soft_wrap=True)
    err().print(say("node_token_next", {"name": admitted.name}), soft_wrap=True)


@APP.command("revoke", help=say("help_nodes_revoke"))
def revoke(
    name: Annotated[str, typer.Argument(metavar="NAME", help=say("help_node"))],
) -> None:
    """Let a machine in no more."""
    revoked = steer_one(RevokeMachine(name))
    out().print(say("node_revoked", {"name": revoked.name}), soft_wrap=True)


def _list(*, as_json: bool) -> None:
    found = asyncio.run(list_nodes(load_settings()))
    if as_json:
        print_json({"nodes": [_facts(one) for one in found or ()]})
    elif found is None:
        out().print(say("nodes_one_process"), soft_wrap=True)
    elif not found:
        out().print(say("nodes_none"), soft_wrap=True)
    else:
        out().print(_table(found))


def _table(found: list[SeenNode]) -> Table:
    table = Table(box=None, pad_edge=False)
    for column in _COLUMNS:
        table.add_column(say(f"nodes_column_{column}"))
    for one in found:
        node = one.node
        state = node.state.value if one.alive else "silent"
        cells = (
            node.name,
            word(f"node_role_{node.role}"),
            node.pool,
            node.device.device,
            word(f"node_state_{state}"),
            (node.job_id or "")[:8],
            node.version,
            say("nodes_seen", {"age_s": round(one.age_s)}),
        )
        table.add_row(*(printable(cell) for cell in cells))
    return table


def _facts(one: SeenNode) -> dict[str, object]:
    node = one.node
    return {
        "id": node.id,
        "name": node.name,
        "role": node.role.value,
        "pool": node.pool,
        "device": node.device.device,
        "profile": node.device.profile,
        "vram_bytes": node.device.vram_bytes,
        "state": node.state.value,
        "alive": one.alive,
        "job": node.job_id,
        "resident": node.resident,
        "version": node.version,
        "schema": node.schema,
        "format": node.format,
        "started_at_ms": node.started_at_ms,
        "seen_s": round(one.age_s, 1),
    }
