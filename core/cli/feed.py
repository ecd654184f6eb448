"""``clapper feed``: the channels where people publish clips, and the posts in them.

Channels are chosen in chat: only there the bot sees whether it may post.
"""

from typing import Annotated

import typer
from rich.table import Table

from core.cli.exit_codes import out
from core.cli.steering import steer, steer_one
from core.control.commands import DropFeed, ListFeeds, ListPosts, TakeDownPost
from core.control.reports import FeedChannelReport, FeedPostReport
from core.domain.feed import ChannelKind
from core.domain.policy import EVERYWHERE
from core.i18n.messages import SHORT_ID, name, say
from core.runtime.terminal_text import printable

APP = typer.Typer(help=say("help_feed"), no_args_is_help=True)
Place = Annotated[str, typer.Option(help=say("help_feed_place"))]


@APP.command("list", help=say("help_feed_list"))
def list_channels() -> None:
    """Print every channel that operators chose."""
    _print_channels(steer(ListFeeds()))


@APP.command("off", help=say("help_feed_off"))
def off(
    *,
    place: Place = EVERYWHERE,
    log: Annotated[bool, typer.Option("--log", help=say("help_feed_log"))] = False,
) -> None:
    """Forget the channel of a place, and print what is left."""
    _print_channels(steer(DropFeed(place, ChannelKind.LOG if log else ChannelKind.FEED)))


@APP.command("posts", help=say("help_feed_posts"))
def posts(
    limit: Annotated[int, typer.Option(min=1, max=500, help=say("help_limit"))] = 50,
) -> None:
    """Print the newest posts."""
    found: list[FeedPostReport] = steer(ListPosts(limit))
    if not found:
        out().print(say("feed_no_posts"), soft_wrap=True)
        return
    table = _table("post", "job", "maker", "channel", "state", "reports")
    for one in found:
        cells = (one.post[:SHORT_ID], one.job_id[:SHORT_ID], one.maker, one.channel)
        told = (name(f"feed_state_{one.state}"), str(one.reports))
        table.add_row(*(printable(cell) for cell in (*cells, *told)))
    out().print(table)


@APP.command("take-down", help=say("help_feed_take_down"))
def take_down(
    post: Annotated[str, typer.Argument(metavar="POST", help=say("help_feed_post"))],
) -> None:
    """Take a post down, and tell its maker."""
    gone: FeedPostReport = steer_one(TakeDownPost(post))
    told = {"post": gone.post, "title": gone.channel}
    out().print(say("feed_did_take_down", told), soft_wrap=True)


def _print_channels(found: list[FeedChannelReport]) -> None:
    if not found:
        out().print(say("feed_none"), soft_wrap=True)
        return
    table = _table("place", "kind", "channel", "title")
    for one in found:
        cells = (one.place, name(f"feed_kind_{one.kind}"), one.channel, one.title)
        table.add_row(*(printable(cell) for cell in cells))
    out().print(table)


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False)
    for column in columns:
        table.add_column(say(f"feed_column_{column}"), no_wrap=column == "post")
    return table
