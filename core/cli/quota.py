"""``clapper quota``: show what somebody may still spend, and grant more."""

from typing import Annotated

import typer

from core.cli.core_session import requester_of
from core.cli.exit_codes import out, print_json
from core.cli.steering import steer_one
from core.control.commands import GrantQuota, ShowQuota
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
    view: QuotaView = steer_one(ShowQuota(who.key, place))
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
    _print(who, steer_one(GrantQuota(who.key, minutes)))


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
