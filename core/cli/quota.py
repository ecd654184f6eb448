"""``clapper quota``: show what somebody may still spend, and grant more."""

from typing import Annotated

import typer

from core.app.core import Core
from core.cli.core_session import local_requester, requester_of, with_idle_core
from core.cli.exit_codes import out, print_json
from core.domain.people import Requester
from core.domain.quota import LimitBalance, QuotaView
from core.i18n.limits import limit_line
from core.i18n.messages import say

APP = typer.Typer(help=say("help_quota"), no_args_is_help=True)


@APP.command("show", help=say("help_quota_show"))
def show(
    requester: Annotated[str | None, typer.Argument(help=say("help_requester"))] = None,
    *,
    place: Annotated[str, typer.Option(help=say("help_place"))] = "",
    as_json: Annotated[bool, typer.Option("--json", help=say("help_json"))] = False,
) -> None:
    """Print the account of a requester."""
    who = requester_of(requester)

    async def look(core: Core) -> QuotaView:
        return await core.local_operator(local_requester()).quota(who, place)

    view = with_idle_core(look)
    if as_json:
        print_json({**_facts(who, view), "limits": [_balance(one) for one in view.balances]})
    else:
        _print(who, view)


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

    _print(who, with_idle_core(give))


def _print(who: Requester, view: QuotaView) -> None:
    lines = (say("cli_quota", _facts(who, view)), *(limit_line(one) for one in view.others))
    for line in lines:
        out().print(line, soft_wrap=True)


def _facts(who: Requester, view: QuotaView) -> dict[str, str | int | None]:
    return {
        "requester": who.key,
        "left_ms": view.account_left_ms,
        "limit_ms": view.limit_ms,
        "used_ms": view.used_ms,
        "reserved_ms": view.reserved_ms,
        "resets_at_ms": view.resets_at_ms,
    }


def _balance(one: LimitBalance) -> dict[str, str | int | None]:
    return {
        "name": one.name,
        "unit": one.unit,
        "left": one.left,
        "limit": one.limit,
        "used": one.used,
        "reserved": one.reserved,
        "resets_at_ms": one.resets_at_ms,
    }
