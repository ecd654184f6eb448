"""``clapper quota``: show what somebody may still spend, and grant more."""

from typing import Annotated

import typer

from core.app.core import Core
from core.cli.core_session import local_requester, requester_of, with_idle_core
from core.cli.exit_codes import out, print_json
from core.domain.people import Requester
from core.domain.quota import QuotaView
from core.i18n.messages import say

APP = typer.Typer(help=say("help_quota"), no_args_is_help=True)


@APP.command("show", help=say("help_quota_show"))
def show(
    requester: Annotated[str | None, typer.Argument(help=say("help_requester"))] = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help=say("help_json"))] = False,
) -> None:
    """Print the account of a requester."""
    who = requester_of(requester)

    async def look(core: Core) -> QuotaView:
        return await core.local_operator(local_requester()).quota(who)

    view = with_idle_core(look)
    facts = _facts(who, view)
    if as_json:
        print_json(facts)
    else:
        out().print(say("cli_quota", facts), highlight=False, soft_wrap=True)


@APP.command("grant", help=say("help_quota_grant"))
def grant(
    requester: Annotated[str, typer.Argument(help=say("help_requester"))],
    minutes: Annotated[float, typer.Argument(min=0.01, max=100_000, help=say("help_minutes"))],
) -> None:
    """Give a requester more GPU-minutes."""
    who = requester_of(requester)

    async def give(core: Core) -> QuotaView:
        operator = core.local_operator(local_requester())
        return await operator.quota(await operator.grant(who, minutes))

    view = with_idle_core(give)
    out().print(say("cli_quota", _facts(who, view)), highlight=False, soft_wrap=True)


def _facts(who: Requester, view: QuotaView) -> dict[str, str | int | None]:
    return {
        "requester": who.key,
        "left_ms": view.left_ms,
        "limit_ms": view.limit_ms,
        "used_ms": view.used_ms,
        "reserved_ms": view.reserved_ms,
        "resets_at_ms": view.resets_at_ms,
    }
