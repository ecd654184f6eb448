"""The commands about one's own jobs and account: queue, history, quota and such."""

import re
from typing import Any, Self

import discord
from discord import app_commands

from bots.discord.address import Interaction
from bots.discord.answers import acknowledge, answer, replace, think
from bots.discord.error_replies import run_with_error_reply
from bots.discord.fixed_button import FixedButton
from bots.discord.generation_commands import everywhere
from bots.discord.history import show_history
from bots.discord.job_choice import chosen_job, offer_jobs
from bots.discord.localization import text
from bots.discord.rendering import clip_text, texts_for
from bots.discord.submission import DiscordContext, submit_followup
from bots.shared.accounts import accounts_text, handle_of, unlink
from core.domain.followups import Action
from core.domain.people import Requester
from core.i18n.messages import say

LABEL_LIMIT = 80  # characters of a button
MOST_BUTTONS = 25  # under a message
CommandTree = app_commands.CommandTree[Any]


def add_account_commands(tree: CommandTree, context: DiscordContext) -> None:
    """Add the commands about one's own jobs and account to ``tree``."""
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
            name=name, description=text(f"d_{name}"), callback=callback(context)
        )
        command.allowed_contexts = everywhere()
        command.allowed_installs = app_commands.AppInstallationType(guild=True, user=True)
        tree.add_command(command)


def _queue(context: DiscordContext) -> Any:  # noqa: ANN401  # a command callback
    async def queue(interaction: Interaction) -> None:
        view = await context.users.queue(context.caller(interaction))
        await answer(interaction, texts_for(str(interaction.locale)).line(view))

    return queue


def _cancel(context: DiscordContext) -> Any:  # noqa: ANN401  # a command callback
    @app_commands.describe(job=text("o_job"))
    @app_commands.autocomplete(job=offer_jobs(context, live=True))
    async def cancel(interaction: Interaction, job: str | None = None) -> None:
        caller = context.caller(interaction)
        await think(interaction)
        chosen = await chosen_job(context, caller, job, live=True)
        await context.users.cancel(caller, chosen.id)
        await answer(interaction, texts_for(str(interaction.locale)).say("cancelled_ack"))

    return cancel


def _history(context: DiscordContext) -> Any:  # noqa: ANN401  # a command callback
    async def history(interaction: Interaction) -> None:
        await show_history(context, interaction)

    return history


def _again(context: DiscordContext) -> Any:  # noqa: ANN401  # a command callback
    @app_commands.describe(job=text("o_job"))
    @app_commands.autocomplete(job=offer_jobs(context, live=False))
    async def run(interaction: Interaction, job: str | None = None) -> None:
        chosen = await chosen_job(context, context.caller(interaction), job, live=False)
        await submit_followup(context, interaction, chosen, Action.AGAIN)

    return run


def _quota(context: DiscordContext) -> Any:  # noqa: ANN401  # a command callback
    async def quota(interaction: Interaction) -> None:
        view = await context.users.quota(context.caller(interaction))
        texts = texts_for(str(interaction.locale))
        await answer(interaction, texts.quota(view, context.window_hours))

    return quota


def _link(context: DiscordContext) -> Any:  # noqa: ANN401  # a command callback
    @app_commands.describe(code=text("o_code"))
    async def link(interaction: Interaction, code: str | None = None) -> None:
        texts = texts_for(str(interaction.locale))
        caller, accounts = context.caller(interaction), context.users.accounts
        if code:
            await accounts.link(caller, code, interaction.user.name)
            await answer(interaction, texts.say("linked"))
        else:
            made = await accounts.link_code(caller)
            await answer(interaction, texts.say("link_code_text", code=made))

    return link


def _unlink(context: DiscordContext) -> Any:  # noqa: ANN401  # a command callback
    async def unlink(interaction: Interaction) -> None:
        caller, locale = context.caller(interaction), str(interaction.locale)
        keys = await context.users.accounts.keys(caller)
        view = unlink_view([who for who in keys if who != caller.requester], locale)
        content = clip_text(accounts_text(texts_for(locale), keys, caller.requester))
        await answer(interaction, content, view)

    return unlink


def _forget(context: DiscordContext) -> Any:  # noqa: ANN401  # a command callback
    del context

    async def forget(interaction: Interaction) -> None:
        locale = str(interaction.locale)
        view = discord.ui.View(timeout=None)
        view.add_item(ForgetButton(locale))
        view.stop()
        content = texts_for(locale).say("forget_ask")
        await answer(interaction, content, view)

    return forget


def _help(context: DiscordContext) -> Any:  # noqa: ANN401  # a command callback
    del context

    async def show(interaction: Interaction) -> None:
        await answer(interaction, texts_for(str(interaction.locale)).help())

    return show


def unlink_view(others: list[Requester], locale: str | None) -> discord.ui.View:
    """Build a view with a button for each account that can be unlinked."""
    view = discord.ui.View(timeout=None)
    for who in others[:MOST_BUTTONS]:
        view.add_item(UnlinkButton(handle_of(who), who.key, locale))
    view.stop()
    return view


class UnlinkButton(
    discord.ui.DynamicItem[discord.ui.Button[Any]], template=r"unlink:(?P<handle>[0-9a-f]{32})"
):
    """Unlinks an account from the one of the person who presses it."""

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
        """Rebuild the button that was pressed from its id."""
        del interaction, item
        return cls(match["handle"])

    async def callback(self, interaction: Interaction) -> None:
        """Unlink the account, and confirm it."""
        await run_with_error_reply(interaction, self._unlink(interaction))

    async def _unlink(self, interaction: Interaction) -> None:
        context: DiscordContext = interaction.client.context
        done = await unlink(context.users.accounts, context.caller(interaction), self.handle)
        code = "unlinked" if done else "unlink_gone"
        await answer(interaction, texts_for(str(interaction.locale)).say(code))


class ForgetButton(
    FixedButton, discord.ui.DynamicItem[discord.ui.Button[Any]], template=r"forget:me"
):
    """Deletes everything of the person who presses it; only they see its message."""

    def __init__(self, locale: str | None = None) -> None:
        button: discord.ui.Button[Any] = discord.ui.Button(
            label=say("forget_label", {}, locale),
            custom_id="forget:me",
            style=discord.ButtonStyle.danger,
        )
        super().__init__(button)

    async def pressed(self, interaction: Interaction) -> None:
        """Delete everything, and tell how much there was."""
        context: DiscordContext = interaction.client.context
        await acknowledge(interaction)
        count = await context.users.forget(context.caller(interaction))
        context.languages.forget(interaction.user.id)
        text = texts_for(str(interaction.locale)).say("forgotten", count=count)
        await replace(interaction, text, None)
