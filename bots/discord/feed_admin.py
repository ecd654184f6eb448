"""Choose the channels of feeds on Discord, where the bot sees whether it may post."""

import discord
from discord import app_commands

from bots.discord.address import PLATFORM, Interaction
from bots.discord.submission import DiscordContext
from bots.shared.feed_texts import channel_title
from core.domain.policy import EVERYWHERE
from core.errors import ChannelUnfit
from core.service.operator_feed import ChannelKind, FeedTarget


async def choose_channel(
    context: DiscordContext,
    interaction: Interaction,
    channel: app_commands.AppCommandChannel,
    kind: ChannelKind,
    *,
    everywhere: bool,
) -> FeedTarget:
    """Let clips be published, or reports be read, in a channel.

    Raises:
        OperatorsOnly: the person is no operator.
        ChannelUnfit: it is in no server, or the bot may not post there.
        PolicyForbids: the rules there let nobody ask in that channel.
    """
    feed, caller = context.operator(interaction).feed, context.caller(interaction)
    target = _target(interaction, channel, kind)
    own = await context.users.access.language(caller)
    locale = own or str(interaction.guild_locale or interaction.locale)
    target = FeedTarget(target.platform, target.place, target.address, target.title, locale)
    await feed.choose(EVERYWHERE if everywhere else caller.place, kind, target)
    return target


def _target(
    interaction: Interaction, channel: app_commands.AppCommandChannel, kind: ChannelKind
) -> FeedTarget:
    guild = interaction.guild
    if guild is None:
        raise ChannelUnfit(f"#{channel.name}", "channel_private_why")
    found = guild.get_channel_or_thread(channel.id)
    if found is None or isinstance(found, discord.CategoryChannel | discord.ForumChannel):
        raise ChannelUnfit(f"#{channel.name}", "channel_unknown_why")
    if not _may_post(found, guild, kind):
        raise ChannelUnfit(f"#{found.name}", "channel_rights_why")
    address = {"guild": str(guild.id), "channel": str(found.id)}
    title = channel_title(f"#{found.name}")
    return FeedTarget(PLATFORM, f"{PLATFORM}:{guild.id}", address, title)


def _may_post(
    channel: discord.abc.GuildChannel | discord.Thread, guild: discord.Guild, kind: ChannelKind
) -> bool:
    """Tell whether the bot may post there what belongs there."""
    if guild.me is None:  # pyright: ignore[reportUnnecessaryComparison]  # before the server says who it is
        return True
    rights = channel.permissions_for(guild.me)
    thread = isinstance(channel, discord.Thread)
    may_send = rights.send_messages_in_threads if thread else rights.send_messages
    may_show = rights.attach_files or kind is ChannelKind.LOG
    return rights.view_channel and may_send and may_show
