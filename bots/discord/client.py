"""The Discord client: register commands, buttons and forms; sync them only when they changed."""

import hashlib
import json
from collections.abc import Callable
from typing import Any, TypeAlias, cast

import aiohttp
import discord
import structlog
from discord import app_commands

from bots.discord.access_buttons import AskAccessButton, DecideAccessButton
from bots.discord.address import PLATFORM, Interaction
from bots.discord.admin_commands import AdminGroup
from bots.discord.buttons import JobButton, ShareButton
from bots.discord.context_menus import add_menus
from bots.discord.error_replies import reply_to_error, run_with_error_reply
from bots.discord.feed_buttons import DecideReportButton, FeedButton
from bots.discord.forms import receive
from bots.discord.generation_commands import add_generation_commands
from bots.discord.history import PageButton
from bots.discord.localization import CommandTranslator
from bots.discord.style_commands import add_style_commands
from bots.discord.submission import DiscordContext
from bots.discord.user_commands import ForgetButton, UnlinkButton, add_account_commands
from bots.discord.welcome import greet
from bots.shared.welcome import Welcomes
from core.service.front_services import ConnectionState

log = structlog.get_logger(__name__)

NoteConnection: TypeAlias = Callable[[ConnectionState], None]

BUTTONS = (
    JobButton,
    ShareButton,
    PageButton,
    ForgetButton,
    UnlinkButton,
    AskAccessButton,
    DecideAccessButton,
    FeedButton,
    DecideReportButton,
)  # every button, as they are found again after a restart
QUIET_S = 0.5  # no further guild for so long: the list is complete; we need no members
THROTTLE_S = 30.0  # discord.py itself waits up to here; beyond, the outbox does


class ClapperCommandTree(app_commands.CommandTree["ClapperClient"]):
    """Answers the errors of all commands in one way."""

    async def on_error(
        self, interaction: Interaction, error: app_commands.AppCommandError, /
    ) -> None:
        """Tell the person what went wrong and how to fix it."""
        await reply_to_error(interaction, error)


class ClapperClient(discord.AutoShardedClient):
    """Receives interactions only: its one intent is guilds, which is not privileged."""

    context: DiscordContext

    def __init__(self, trace: aiohttp.TraceConfig) -> None:
        """Take what watches its requests."""
        super().__init__(
            http_trace=trace,
            intents=discord.Intents(guilds=True),
            max_ratelimit_timeout=THROTTLE_S,
            guild_ready_timeout=QUIET_S,
            allowed_mentions=discord.AllowedMentions.none(),
        )
        self.tree = ClapperCommandTree(self)
        self.on_connection: NoteConnection = lambda _: None  # whether Discord is reached

    async def on_ready(self) -> None:
        """Note that a new session of the gateway began."""
        self.on_connection("connected")

    async def on_resumed(self) -> None:
        """Note that the gateway took up the session again."""
        self.on_connection("connected")

    async def on_disconnect(self) -> None:
        """Note that the gateway is gone; the library connects again by itself."""
        self.on_connection("disconnected")

    async def on_guild_join(self, guild: discord.Guild) -> None:
        """Introduce the bot in a server that it was added to."""
        await greet(self.context, self, guild)

    async def on_guild_remove(self, guild: discord.Guild) -> None:
        """Note that the bot left a server."""
        await Welcomes(self.context.state, PLATFORM).end(guild.id)

    def add_commands(self, context: DiscordContext) -> None:
        """Add every command and button; call it before the client starts."""
        self.context = context
        add_generation_commands(self.tree, context)
        add_account_commands(self.tree, context)
        add_menus(self.tree, context)
        self.tree.add_command(AdminGroup(context))
        add_style_commands(self.tree, context)
        self.add_dynamic_items(*BUTTONS)

    async def sync_if_changed(self, guild_id: int | None) -> bool:
        """Send the commands to Discord if they differ from those sent last.

        Discord allows 200 creations per day and guild; syncing at every start exceeds them.

        Args:
            guild_id: the guild where they appear at once, for development; None means everywhere.

        Returns:
            Whether they were sent.
        """
        await self.tree.set_translator(CommandTranslator())
        guild = discord.Object(guild_id) if guild_id else None
        if guild is not None:
            self.tree.copy_global_to(guild=guild)
        digest = await self._digest(guild)
        state = self.context.state
        kept: Any = await state.recall(PLATFORM, "commands")
        known = cast("dict[str, Any]", kept) if isinstance(kept, dict) else {}
        if known.get("digest") == digest:
            return False
        before = known.get("guild") if isinstance(known.get("guild"), int) else None
        if known and before != guild_id:  # people there would see every command twice
            await self._clear(before)
        await self.tree.sync(guild=guild)
        await state.remember(PLATFORM, "commands", {"digest": digest, "guild": guild_id})
        log.info("commands_synced", guild=guild_id)
        return True

    async def _digest(self, guild: discord.Object | None) -> str:
        translator = self.tree.translator
        payload = [
            await command.get_translated_payload(self.tree, translator)
            if translator
            else command.to_dict(self.tree)
            for command in self.tree.get_commands(guild=guild)
        ]
        text = json.dumps([self.application_id, guild and guild.id, payload], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()

    async def _clear(self, guild_id: int | None) -> None:
        """Remove the commands from where an earlier start put them."""
        application = self.application_id or 0
        if guild_id is None:
            await self.http.bulk_upsert_global_commands(application, [])
        else:
            await self.http.bulk_upsert_guild_commands(application, guild_id, [])

    async def on_interaction(self, interaction: discord.Interaction[Any]) -> None:
        """Receive sent forms, also those opened before a restart; note who speaks what."""
        if (sent := receive(self.context, interaction)) is not None:
            await run_with_error_reply(interaction, sent)
        await self.context.languages.note(interaction.user.id, str(interaction.locale))
