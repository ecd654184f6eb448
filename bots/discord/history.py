"""A page of a person's own jobs: what each was asked for with, its still, and buttons."""

import io
import re
from collections.abc import Sequence
from typing import Any, Self

import discord

from bots.discord.address import Interaction
from bots.discord.answers import Layout, acknowledge, show_layout, think
from bots.discord.error_replies import run_with_error_reply
from bots.discord.rendering import buttons, texts_for
from bots.discord.submission import DiscordContext, Visibility
from bots.shared.captions import alt_text
from bots.shared.history import history_entry, history_head
from bots.shared.stills import stills_of
from core.domain.followups import Action, actions_for
from core.domain.jobs import Job
from core.i18n.messages import say

PAGE = 5  # jobs on a page; so many buttons stand in a row
ALT_TEXT = 256  # characters of a thumbnail's


async def show_history(context: DiscordContext, interaction: Interaction) -> None:
    """Answer with the newest page, for the person alone."""
    await think(interaction)
    await show_layout(interaction, await history_page(context, interaction, 1))


async def history_page(context: DiscordContext, interaction: Interaction, page: int) -> Layout:
    """Build one page: an entry for each job with its still, and a button to fetch each clip."""
    caller, locale = context.caller(interaction), str(interaction.locale)
    jobs = await context.users.jobs(caller, page * PAGE + 1)
    shown = jobs[(page - 1) * PAGE : page * PAGE]
    stills = await stills_of(context.users.clips, caller, shown)
    view, texts = discord.ui.LayoutView(timeout=None), texts_for(locale)
    view.add_item(discord.ui.TextDisplay(history_head(texts, shown, page)))
    files: list[discord.File] = []
    for number, job in enumerate(shown, 1):
        text = discord.ui.TextDisplay[Any](history_entry(texts, job, number))
        if job.id not in stills:
            view.add_item(text)
            continue
        name = f"still-{number}-{job.id[:8]}.jpg"
        files.append(discord.File(io.BytesIO(stills[job.id]), name))
        prompt = job.asked.prompt if job.asked else ""
        still = discord.ui.Thumbnail[Any](
            f"attachment://{name}",
            description=alt_text(texts, job, prompt, ALT_TEXT),
            spoiler=Visibility.of(job, interaction).spoiler,
        )
        view.add_item(discord.ui.Section(text, accessory=still))
    _add_buttons(view, shown, page, locale, older=len(jobs) > page * PAGE)
    view.stop()  # presses are handled by JobButton and PageButton, not by this object
    return Layout(view, files)


def _add_buttons(
    view: discord.ui.LayoutView, shown: Sequence[Job], page: int, locale: str, *, older: bool
) -> None:
    fetch = [
        _numbered(job, number, locale)
        for number, job in enumerate(shown, 1)
        if Action.FETCH in actions_for(job)
    ]
    turn = [_turn_button(page - 1, "newer_label", locale)] if page > 1 else []
    turn += [_turn_button(page + 1, "older_label", locale)] if older else []
    for row in (fetch, turn):
        if row:
            view.add_item(discord.ui.ActionRow[discord.ui.LayoutView](*row))


def _turn_button(page: int, label: str, locale: str) -> discord.ui.Button[Any]:
    return discord.ui.Button(label=say(label, {}, locale), custom_id=f"page:history:{page}")


def _numbered(job: Job, number: int, locale: str) -> discord.ui.Button[Any]:
    button = buttons([Action.FETCH], job, locale).children[0]
    assert isinstance(button, discord.ui.Button)  # noqa: S101  # narrows a union of our own making
    return discord.ui.Button(style=button.style, label=f"{number}", custom_id=button.custom_id)


class PageButton(
    discord.ui.DynamicItem[discord.ui.Button[Any]], template=r"page:history:(?P<page>\d{1,4})"
):
    """Opens another page of the history."""

    def __init__(self, page: int) -> None:
        super().__init__(discord.ui.Button(custom_id=f"page:history:{page}"))
        self.page = page

    @classmethod
    async def from_custom_id(
        cls, interaction: Interaction, item: discord.ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        """Rebuild the button that was pressed from its id."""
        del interaction, item
        return cls(max(1, int(match["page"])))

    async def callback(self, interaction: Interaction) -> None:
        """Show the other page in place of this one, where it is a list of theirs alone."""
        await run_with_error_reply(interaction, self._turn(interaction))

    async def _turn(self, interaction: Interaction) -> None:
        flags = discord.MessageFlags() if interaction.message is None else interaction.message.flags
        is_list = flags.ephemeral and flags.components_v2  # whatever else bears it stays
        await (acknowledge if is_list else think)(interaction)
        page = await history_page(interaction.client.context, interaction, self.page)
        await show_layout(interaction, page)
