"""The commands about oneself: line, cancel, history, again, quota, link, forget, help."""

import re
from typing import Any, Self

import discord
from discord import app_commands

from bots.discord.address import Interaction
from bots.discord.error_replies import answered
from bots.discord.generation_commands import everywhere
from bots.discord.localization import text
from bots.discord.rendering import buttons, clip_text, texts_for
from bots.discord.submission import Counter, remake
from bots.shared.accounts import accounts_text, handle_of, unlink
from core.domain.followups import Action, again
from core.domain.jobs import Job, JobState
from core.domain.people import Requester
from core.errors import JobUnknown
from core.i18n.messages import say
from core.service.user_api import find_job

LABEL_LIMIT = 80  # characters of a button
MOST_BUTTONS = 25  # under a message
PAGE = 5  # jobs on a page of the history
LOOKED_AT = 50  # jobs searched for what was typed
Tree = app_commands.CommandTree[Any]


def add_account_commands(tree: Tree, counter: Counter) -> None:
    """Add the commands about oneself to ``tree``."""
    for name, callback in (
        ("queue", _queue),
        ("cancel", _cancel),
        ("history", _history),
        ("again", _again),
        ("quota", _quota),
        ("link", _link),
        ("unlink", _unlink),
        ("forget", _forget),
        ("help", _help),
    ):
        command = app_commands.Command[Any, ..., None](
            name=name, description=text(f"d_{name}"), callback=callback(counter)
        )
        command.allowed_contexts = everywhere()
        command.allowed_installs = app_commands.AppInstallationType(guild=True, user=True)
        tree.add_command(command)


def _queue(counter: Counter) -> Any:  # noqa: ANN401  # a command callback
    async def queue(interaction: Interaction) -> None:
        account = await counter.desk.community.accounts.account(
            counter.person(interaction).requester
        )
        view = await counter.desk.service.line(account)
        await _reply(interaction, texts_for(str(interaction.locale)).line(view))

    return queue


def _cancel(counter: Counter) -> Any:  # noqa: ANN401  # a command callback
    @app_commands.describe(job=text("o_job"))
    async def cancel(interaction: Interaction, job: str) -> None:
        person = counter.person(interaction)
        await interaction.response.defer(ephemeral=True)
        jobs = await counter.desk.jobs(person, LOOKED_AT)
        await counter.desk.cancel(find_job(jobs, job).id, person)
        answer = texts_for(str(interaction.locale)).say("cancelled_ack")
        await interaction.edit_original_response(content=answer)

    return cancel


def _history(counter: Counter) -> Any:  # noqa: ANN401  # a command callback
    async def history(interaction: Interaction) -> None:
        content, view = await history_page(counter, interaction, 1)
        await interaction.response.send_message(content, view=view, ephemeral=True)

    return history


def _again(counter: Counter) -> Any:  # noqa: ANN401  # a command callback
    @app_commands.describe(job=text("o_job"))
    async def run(interaction: Interaction, job: str | None = None) -> None:
        jobs = await counter.desk.jobs(counter.person(interaction), LOOKED_AT)
        if not jobs:
            raise JobUnknown(job or "")
        chosen = find_job(jobs, job) if job else jobs[0]
        await remake(counter, interaction, again(chosen.request), chosen)

    return run


def _quota(counter: Counter) -> Any:  # noqa: ANN401  # a command callback
    async def quota(interaction: Interaction) -> None:
        view = await counter.desk.quota(counter.person(interaction))
        texts = texts_for(str(interaction.locale))
        await _reply(interaction, texts.quota(view, counter.window_hours))

    return quota


def _link(counter: Counter) -> Any:  # noqa: ANN401  # a command callback
    @app_commands.describe(code=text("o_code"))
    async def link(interaction: Interaction, code: str | None = None) -> None:
        texts = texts_for(str(interaction.locale))
        person = counter.person(interaction)
        if code:
            await counter.desk.community.accounts.link(
                person.requester, code, interaction.user.name
            )
            await _reply(interaction, texts.say("linked"))
        else:
            made = await counter.desk.community.accounts.link_code(person.requester)
            await _reply(interaction, texts.say("link_code_text", code=made))

    return link


def _unlink(counter: Counter) -> Any:  # noqa: ANN401  # a command callback
    async def unlink(interaction: Interaction) -> None:
        person = counter.person(interaction).requester
        keys = await counter.desk.community.accounts.keys(person)
        locale = str(interaction.locale)
        view = unlink_view([who for who in keys if who != person], locale)
        content = clip_text(accounts_text(texts_for(locale), keys, person))
        await interaction.response.send_message(content, view=view, ephemeral=True)

    return unlink


def _forget(counter: Counter) -> Any:  # noqa: ANN401  # a command callback
    del counter

    async def forget(interaction: Interaction) -> None:
        locale = str(interaction.locale)
        view = discord.ui.View(timeout=None)
        view.add_item(ForgetButton(locale))
        view.stop()
        content = texts_for(locale).say("forget_ask")
        await interaction.response.send_message(content, view=view, ephemeral=True)

    return forget


def _help(counter: Counter) -> Any:  # noqa: ANN401  # a command callback
    del counter

    async def show(interaction: Interaction) -> None:
        await _reply(interaction, texts_for(str(interaction.locale)).help())

    return show


async def _reply(interaction: Interaction, content: str) -> None:
    await interaction.response.send_message(clip_text(content), ephemeral=True)


async def history_page(
    counter: Counter, interaction: Interaction, page: int
) -> tuple[str, discord.ui.View]:
    """Return one page of the person's jobs: a line each, and a button to fetch each clip."""
    jobs = await counter.desk.jobs(counter.person(interaction), page * PAGE + 1)
    shown = jobs[(page - 1) * PAGE : page * PAGE]
    locale = str(interaction.locale)
    content = clip_text(texts_for(locale).history(shown, page))
    view = discord.ui.View(timeout=None)
    for number, job in enumerate(shown, 1):
        if _fetchable(job):
            view.add_item(_numbered(job, number, locale))
    if page > 1:
        view.add_item(PageButton(page - 1, "newer_label", locale))
    if len(jobs) > page * PAGE:
        view.add_item(PageButton(page + 1, "older_label", locale))
    view.stop()
    return content, view


def _fetchable(job: Job) -> bool:
    return job.state is JobState.SUCCEEDED and job.clip is not None


def _numbered(job: Job, number: int, locale: str) -> discord.ui.Button[Any]:
    button = buttons([Action.FETCH], job, locale).children[0]
    assert isinstance(button, discord.ui.Button)  # noqa: S101  # narrows a union of our own making
    button.label = f"{number}"
    button.row = 0
    return button


class PageButton(
    discord.ui.DynamicItem[discord.ui.Button[Any]], template=r"page:history:(?P<page>\d{1,4})"
):
    """Turns the page of a history."""

    def __init__(self, page: int, label: str = "older_label", locale: str | None = None) -> None:
        button: discord.ui.Button[Any] = discord.ui.Button(
            label=say(label, {}, locale), custom_id=f"page:history:{page}", row=1
        )
        super().__init__(button)
        self.page = page

    @classmethod
    async def from_custom_id(
        cls, interaction: Interaction, item: discord.ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        """Return the button that was pressed."""
        del interaction, item
        return cls(max(1, int(match["page"])))

    async def callback(self, interaction: Interaction) -> None:
        """Show the other page in place of this one."""
        await answered(interaction, self._turn(interaction))

    async def _turn(self, interaction: Interaction) -> None:
        content, view = await history_page(interaction.client.counter, interaction, self.page)
        await interaction.response.edit_message(content=content, view=view)


def unlink_view(others: list[Requester], locale: str | None) -> discord.ui.View:
    """Return a button for each account that can be taken out of the person's."""
    view = discord.ui.View(timeout=None)
    for who in others[:MOST_BUTTONS]:
        view.add_item(UnlinkButton(handle_of(who), who.key, locale))
    view.stop()
    return view


class UnlinkButton(
    discord.ui.DynamicItem[discord.ui.Button[Any]], template=r"unlink:(?P<handle>[0-9a-f]{32})"
):
    """Takes an account out of the one of who presses it."""

    def __init__(self, handle: str, who: str = "", locale: str | None = None) -> None:
        button: discord.ui.Button[Any] = discord.ui.Button(
            label=say("unlink_label", {"who": who}, locale)[:LABEL_LIMIT],
            custom_id=f"unlink:{handle}",
            style=discord.ButtonStyle.danger,
        )
        super().__init__(button)
        self.handle = handle

    @classmethod
    async def from_custom_id(
        cls, interaction: Interaction, item: discord.ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        """Return the button that was pressed."""
        del interaction, item
        return cls(match["handle"])

    async def callback(self, interaction: Interaction) -> None:
        """Part the accounts, and say so."""
        await answered(interaction, self._unlink(interaction))

    async def _unlink(self, interaction: Interaction) -> None:
        counter: Counter = interaction.client.counter
        person = counter.person(interaction).requester
        done = await unlink(counter.desk.community, person, self.handle)
        code = "unlinked" if done else "unlink_gone"
        await _reply(interaction, texts_for(str(interaction.locale)).say(code))


class ForgetButton(discord.ui.DynamicItem[discord.ui.Button[Any]], template=r"forget:me"):
    """Deletes everything of who presses it; its message is seen by one person only."""

    def __init__(self, locale: str | None = None) -> None:
        button: discord.ui.Button[Any] = discord.ui.Button(
            label=say("forget_label", {}, locale),
            custom_id="forget:me",
            style=discord.ButtonStyle.danger,
        )
        super().__init__(button)

    @classmethod
    async def from_custom_id(
        cls, interaction: Interaction, item: discord.ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        """Return the button that was pressed."""
        del interaction, item, match
        return cls()

    async def callback(self, interaction: Interaction) -> None:
        """Delete, and say how much there was."""
        await answered(interaction, self._forget(interaction))

    async def _forget(self, interaction: Interaction) -> None:
        counter: Counter = interaction.client.counter
        await interaction.response.defer()
        count = await counter.desk.forget(counter.person(interaction))
        answer = texts_for(str(interaction.locale)).say("forgotten", count=count)
        await interaction.edit_original_response(content=answer, view=None)
