"""Check what the bot may do in a channel."""

import discord

from bots.discord.address import Interaction
from core.errors import BotRightsMissing


def check_rights(interaction: Interaction) -> None:
    """Refuse, before any work, a channel where a file could not be posted.

    A bot that is only installed for the user answers through the interaction and needs no rights.

    Raises:
        BotRightsMissing: the bot lacks a right in this channel.
    """
    if interaction.guild_id is None or not interaction.is_guild_integration():
        return
    rights = interaction.app_permissions
    in_thread = isinstance(interaction.channel, discord.Thread)
    may_send = rights.send_messages_in_threads if in_thread else rights.send_messages
    if not (rights.view_channel and may_send and rights.attach_files):
        raise BotRightsMissing
