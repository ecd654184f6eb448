"""Message context menus: make a video from the media of a message."""

from collections.abc import Callable
from typing import Any

import discord
from discord import app_commands

from bots.discord.address import Interaction
from bots.discord.attachments import kinds_of
from bots.discord.generation_commands import everywhere
from bots.discord.localization import text
from bots.discord.submission import DiscordContext, Visibility, submit_command
from core.domain.media import MediaKind
from core.domain.modes import MODES, Mode
from core.domain.options import Options
from core.errors import MediaMissing
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
        files = media_of(mode, message)
        prompt = message.content[: context.users.limits.prompt_characters]
        await submit_command(
            context, interaction, mode, Options(prompt=prompt), files, Visibility()
        )

    return use


def media_of(mode: Mode, message: discord.Message) -> dict[str, discord.Attachment]:
    """Assign the attachments of ``message`` to the slots of ``mode``, each at most once.

    Raises:
        MediaMissing: a slot has no attachment left.
    """
    left = list(message.attachments)
    found: dict[str, discord.Attachment] = {}
    spec = MODES[mode]
    for slot in spec.every_slot:
        fitting = [item for item in left if slot.kind in kinds_of(item)]
        if not fitting and slot in spec.more:
            continue
        if not fitting:
            raise MediaMissing(mode, slot.role)
        best = min(fitting, key=lambda item: _rank(item, slot.kind))
        found[slot.role] = best
        left.remove(best)
    return found


def _rank(attachment: discord.Attachment, kind: MediaKind) -> tuple[bool, int]:
    """Return 0 … for what is rather meant for another slot, or says nothing of itself."""
    kinds = kinds_of(attachment)
    return len(kinds) == len(MediaKind), kinds.index(kind)
