"""Message context menus: open a form to make a video from what a message shows."""

from collections.abc import Callable
from typing import Any

import discord
from discord import app_commands

from bots.discord.address import Interaction
from bots.discord.generation_commands import everywhere
from bots.discord.localization import text
from bots.discord.menu_form import open_form
from bots.discord.submission import DiscordContext
from core.domain.modes import MODES, Mode
from core.i18n.messages import DEFAULT_LANGUAGE, sentences

MOST_MENUS = 5  # of an application, for messages; source: Discord's documentation


def menu_modes() -> list[Mode]:
    """List the modes that a message can start: they take files, and have words for a menu."""
    words = sentences(DEFAULT_LANGUAGE)
    return [mode for mode, spec in MODES.items() if spec.slots and f"m_{mode}" in words]


def add_menus(tree: app_commands.CommandTree[Any], context: DiscordContext) -> None:
    """Add a menu to ``tree`` for each mode that a message can start.

    Raises:
        ValueError: more than Discord takes.
    """
    modes = menu_modes()
    if len(modes) > MOST_MENUS:
        raise ValueError(f"{len(modes)} menus, Discord takes {MOST_MENUS}: {', '.join(modes)}")
    for mode in modes:
        menu = app_commands.ContextMenu(name=text(f"m_{mode}"), callback=_callback(mode, context))
        menu.allowed_contexts = everywhere()
        menu.allowed_installs = app_commands.AppInstallationType(guild=True, user=True)
        tree.add_command(menu)


def _callback(mode: Mode, context: DiscordContext) -> Callable[[Interaction, discord.Message], Any]:
    async def use(interaction: Interaction, message: discord.Message) -> None:
        await open_form(context, interaction, mode, message)

    return use
