"""Introduce the bot in a server that it was added to, where it may write."""

from collections.abc import Iterator

import aiohttp
import discord
import structlog

from bots.discord.address import PLATFORM
from bots.discord.rendering import ask_view, texts_for
from bots.discord.sender import send_to
from bots.discord.submission import DiscordContext
from bots.shared.welcome import Welcomes, is_open_to_all, welcome_text
from core.domain.people import Caller, Requester

log = structlog.get_logger(__name__)

MOST_TRIED = 5  # channels; a server that lets the bot write in none of them is left in peace
_NOT_HERE = (discord.HTTPException, discord.RateLimited, aiohttp.ClientError, TimeoutError)


async def greet(context: DiscordContext, client: discord.Client, guild: discord.Guild) -> None:
    """Post a short card in a server that the bot was just added to, unless it did before."""
    if not await Welcomes(context.state, PLATFORM).begin(guild.id):
        return
    place = Caller(Requester(PLATFORM, str(guild.owner_id)), f"{PLATFORM}:{guild.id}")
    locale = await context.users.access.language(place) or str(guild.preferred_locale)
    open_to_all = await is_open_to_all(context.users, PLATFORM, guild.id)
    text = welcome_text(texts_for(locale), open_to_all=open_to_all)
    view = None if open_to_all else ask_view(locale)
    for channel in [*_channels(guild)][:MOST_TRIED]:
        try:
            await send_to(client, channel.id, text, view)
        except _NOT_HERE as error:
            log.info("not_greeted_here", reason=type(error).__name__)
        else:
            return


def _channels(guild: discord.Guild) -> Iterator[discord.TextChannel]:
    """Yield where a card would be read: the channel for notices first, then from the top."""
    first = guild.system_channel
    for channel in ([first] if first else []) + [c for c in guild.text_channels if c != first]:
        rights = channel.permissions_for(guild.me) if guild.me else None
        if rights is None or (rights.view_channel and rights.send_messages):
            yield channel
