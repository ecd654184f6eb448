"""The client: commands, buttons, forms, and a sync that happens only when commands changed."""

import hashlib
import json
from typing import Any

import discord
import structlog
from discord import app_commands

from bots.discord.address import PLATFORM, Interaction
from bots.discord.admin_commands import AdminGroup
from bots.discord.buttons import JobButton
from bots.discord.context_menus import add_menus
from bots.discord.edit_modal import form_job, receive_form
from bots.discord.error_replies import answer_error, answered
from bots.discord.generation_commands import add_generation_commands
from bots.discord.localization import Words
from bots.discord.submission import Counter
from bots.discord.user_commands import ForgetButton, PageButton, UnlinkButton, add_account_commands

log = structlog.get_logger(__name__)

QUIET_S = 0.5  # without another guild the list is complete; we need no members
THROTTLE_S = 30.0  # discord.py waits itself up to here; beyond, the outbox waits


class Tree(app_commands.CommandTree["ClapperClient"]):
    """Answers refusals by one rule."""

    async def on_error(
        self, interaction: Interaction, error: app_commands.AppCommandError, /
    ) -> None:
        """Tell the person what to do."""
        await answer_error(interaction, error)


class ClapperClient(discord.AutoShardedClient):
    """Interactions only: guilds is the one intent, and it is not privileged."""

    counter: Counter

    def __init__(self) -> None:
        super().__init__(
            intents=discord.Intents(guilds=True),
            max_ratelimit_timeout=THROTTLE_S,
            guild_ready_timeout=QUIET_S,
            allowed_mentions=discord.AllowedMentions.none(),
        )
        self.tree = Tree(self)

    def furnish(self, counter: Counter) -> None:
        """Add every command; before the client is started."""
        self.counter = counter
        add_generation_commands(self.tree, counter)
        add_account_commands(self.tree, counter)
        add_menus(self.tree, counter)
        self.tree.add_command(AdminGroup(counter))
        self.add_dynamic_items(JobButton, PageButton, ForgetButton, UnlinkButton)

    async def sync_if_changed(self, guild_id: int | None) -> bool:
        """Send the commands to Discord if they differ from what was sent last.

        Discord allows 200 creations a day and guild; a bot that syncs at every start runs into it.

        Args:
            guild_id: where they appear at once, for development; None is everywhere.

        Returns:
            Whether they were sent.
        """
        await self.tree.set_translator(Words())
        guild = discord.Object(guild_id) if guild_id else None
        if guild is not None:
            self.tree.copy_global_to(guild=guild)
        digest = await self._digest(guild)
        community = self.counter.desk.community
        known: dict[str, Any] = await community.state.recall(PLATFORM, "commands") or {}
        if known.get("digest") == digest:
            return False
        before: int | None = known.get("guild")
        if known and before != guild_id:  # people there would see every command twice
            await self._clear(before)
        await self.tree.sync(guild=guild)
        await community.state.remember(PLATFORM, "commands", {"digest": digest, "guild": guild_id})
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
        """Take the commands away from where an earlier start put them."""
        application = self.application_id or 0
        if guild_id is None:
            await self.http.bulk_upsert_global_commands(application, [])
        else:
            await self.http.bulk_upsert_guild_commands(application, guild_id, [])

    async def on_interaction(self, interaction: discord.Interaction[Any]) -> None:
        """Receive forms, also those that were opened before a restart."""
        job_id = form_job(interaction)
        if job_id is not None:
            await answered(interaction, receive_form(self.counter, interaction, job_id))
