"""``clapper tokens``: give programs access to the HTTP interface, list them, end them."""

from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.table import Table

from core.accounts.program_tokens import parse_scopes
from core.cli.exit_codes import err, out, print_json
from core.cli.steering import steer, steer_one
from core.control.commands import IssueToken, ListTokens, RevokeToken
from core.control.reports import TokenReport
from core.domain.time_units import MINUTE_MS
from core.i18n.messages import say
from core.runtime.terminal_text import printable

APP = typer.Typer(help=say("help_tokens"), no_args_is_help=True)
_COLUMNS = ("token", "name", "scopes", "minutes", "made", "ends", "used", "state")


@APP.command("issue", help=say("help_tokens_issue"))
def issue(
    name: Annotated[str, typer.Argument(metavar="NAME", help=say("help_token_name"))],
    *,
    scopes: Annotated[str, typer.Option("--scopes", help=say("help_token_scopes"))] = "",
    minutes: Annotated[
        float | None, typer.Option("--minutes", min=0, max=100_000, help=say("help_token_minutes"))
    ] = None,
    days: Annotated[
        float | None, typer.Option("--days", min=0.01, max=36_500, help=say("help_token_days"))
    ] = None,
    webhook: Annotated[
        str, typer.Option("--webhook", metavar="URL", help=say("help_token_webhook"))
    ] = "",
) -> None:
    """Print a new token, and nothing else on standard output."""
    wanted = tuple(sorted(parse_scopes(scopes.split(","))))
    made = steer_one(IssueToken(name, wanted, minutes, days, webhook))
    out().print(made.token, soft_wrap=True)
    data = {"prefix": made.prefix, "name": made.name, "secret": made.webhook_secret}
    err().print(say("token_shown_once", data), soft_wrap=True)


@APP.command("list", help=say("help_tokens_list"))
def list_tokens(
    *, as_json: Annotated[bool, typer.Option("--json", help=say("help_json"))] = False
) -> None:
    """Print all tokens by their beginnings."""
    found: list[TokenReport] = steer(ListTokens())
    if as_json:
        print_json({"tokens": [_facts(one) for one in found]})
    elif not found:
        out().print(say("tokens_none"), soft_wrap=True)
    else:
        out().print(_table(found))


@APP.command("revoke", help=say("help_tokens_revoke"))
def revoke(
    named: Annotated[str, typer.Argument(metavar="TOKEN", help=say("help_token_named"))],
) -> None:
    """End a token, or all of a name."""
    ended = steer(RevokeToken(named))
    prefixes = ", ".join(one.prefix for one in ended)
    out().print(say("tokens_revoked", {"tokens": prefixes}), soft_wrap=True)


def _table(found: list[TokenReport]) -> Table:
    table = Table(box=None, pad_edge=False)
    for column in _COLUMNS:
        table.add_column(say(f"tokens_column_{column}"), no_wrap=column == "token")
    for one in found:
        minutes = "" if one.limit_ms is None else f"{one.limit_ms / MINUTE_MS:g}"
        cells = (
            *(one.prefix, one.name, " ".join(one.scopes), minutes),
            *(_day(one.created_at_ms), _day(one.expires_at_ms), _day(one.used_at_ms)),
            say(f"token_{_state(one)}"),
        )
        table.add_row(*(printable(cell) for cell in cells))
    return table


def _state(one: TokenReport) -> str:
    if one.revoked_at_ms is not None:
        return "revoked"
    now = datetime.now(UTC).timestamp() * 1000
    return "ended" if one.expires_at_ms is not None and one.expires_at_ms <= now else "works"


def _facts(one: TokenReport) -> dict[str, object]:
    return {
        "prefix": one.prefix,
        "name": one.name,
        "scopes": one.scopes,
        "limit_ms": one.limit_ms,
        "webhook": one.webhook,
        "created_at_ms": one.created_at_ms,
        "created_by": one.created_by,
        "expires_at_ms": one.expires_at_ms,
        "used_at_ms": one.used_at_ms,
        "state": _state(one),
    }


def _day(at_ms: int | None) -> str:
    return "" if at_ms is None else f"{datetime.fromtimestamp(at_ms / 1000, UTC):%Y-%m-%d}"
