"""Starts and stops the Discord front inside the service's event loop."""

import asyncio
from collections.abc import Callable

import discord
import discord.gateway
import discord.http
import structlog
import yarl

from bots.discord.client import ClapperClient
from bots.discord.counter import Counter
from bots.discord.delivery import DeliveryRules, DiscordDelivery
from bots.discord.place import PLATFORM
from bots.edits import EditScheduler
from core.bootstrap import Core
from core.problems import BadConfiguration
from core.settings import Settings

log = structlog.get_logger(__name__)


class DiscordFront:
    """Runs where CLAPPER_DISCORD_TOKEN is set."""

    name = PLATFORM

    def configured(self, core: Core) -> bool:
        """Return whether there is a token."""
        return core.settings.discord_token is not None

    async def run(self, core: Core, on_ready: Callable[[], None]) -> None:
        """Serve until cancelled.

        Raises:
            BadConfiguration: Discord does not take the token.
        """
        settings = core.settings
        point_at(settings)
        client = ClapperClient()
        edits = EditScheduler(lambda _: settings.discord_edit_s)
        rules = DeliveryRules(
            settings.studio_url, settings.retention_days, settings.data_dir / "fitted"
        )
        delivery = DiscordDelivery(client, edits, rules)
        counter = Counter(core.desk, delivery, settings.media_limits(), settings.quota_window_hours)
        client.furnish(counter, settings.discord_roles())
        async with client:
            try:
                await self._serve(core, client, delivery, on_ready)
            finally:
                await edits.close()

    async def _serve(
        self,
        core: Core,
        client: ClapperClient,
        delivery: DiscordDelivery,
        on_ready: Callable[[], None],
    ) -> None:
        token = core.settings.discord_token
        try:
            await client.login(token.get_secret_value() if token else "")
        except discord.LoginFailure:
            raise BadConfiguration("CLAPPER_DISCORD_TOKEN", "Discord refuses it") from None
        await client.sync_if_changed(core.settings.discord_guild_id)
        core.router.register(delivery)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(_announce(client, on_ready))
            await client.connect()


async def _announce(client: ClapperClient, on_ready: Callable[[], None]) -> None:
    await client.wait_until_ready()
    log.info("discord_ready", guilds=len(client.guilds))
    on_ready()


def point_at(settings: Settings) -> None:
    """Make discord.py talk to the configured addresses; it has no option of its own for them."""
    if settings.discord_api_url:
        discord.http.Route.BASE = settings.discord_api_url.rstrip("/")
    if settings.discord_gateway_url:
        gateway = yarl.URL(settings.discord_gateway_url)
        discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY = gateway


FRONT = DiscordFront()
