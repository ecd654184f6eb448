"""Starts and stops the Discord front inside the service's event loop."""

import asyncio
from collections.abc import Callable

import aiohttp
import discord
import discord.gateway
import discord.http
import structlog
import yarl

from bots.discord.address import PLATFORM
from bots.discord.checks import examine
from bots.discord.client import ClapperClient
from bots.discord.delivery import DeliveryRules, DiscordDelivery
from bots.discord.rendering import clip_text, texts_for
from bots.discord.submission import Counter
from bots.discord.user_commands import unlink_view
from bots.shared.accounts import tell
from bots.shared.edit_scheduler import EditScheduler
from core.accounts.notices import AccountNotice
from core.app.bootstrap import Core
from core.app.frontend import Check
from core.domain.people import Requester
from core.errors.setup import BadConfiguration
from core.runtime.tasks import outcome_of
from core.settings import Settings

log = structlog.get_logger(__name__)

FIRST_WAIT_S = 1.0  # for a Discord that cannot be reached; doubles …
LONGEST_WAIT_S = 60.0  # … up to this
UNWIND_S = 8.0  # to say goodbye to the gateway
TOKEN_REFUSED = 4004  # the gateway's close code; source: Discord's documentation of opcodes
REFUSED = ("CLAPPER_DISCORD_TOKEN", "Discord refuses it")
_UNREACHABLE = (
    aiohttp.ClientError,
    OSError,
    TimeoutError,
    discord.HTTPException,
    discord.GatewayNotFound,
    discord.ConnectionClosed,
)


class DiscordFront:
    """Runs where CLAPPER_DISCORD_TOKEN is set."""

    name = PLATFORM

    def configured(self, core: Core) -> bool:
        """Return whether there is a token."""
        return core.settings.discord.token is not None

    async def examine(self, settings: Settings) -> list[Check]:
        """Return what is well and what is not, for ``clapper doctor``."""
        point_at(settings)
        return await examine(settings)

    async def run(self, core: Core, on_ready: Callable[[], None]) -> None:
        """Serve until cancelled; waits for Discord where it cannot be reached.

        Raises:
            BadConfiguration: Discord does not take the token.
        """
        point_at(core.settings)
        wait_s = FIRST_WAIT_S
        while True:
            session = _Session(core, on_ready)
            ended = await outcome_of(session.run(), unwind_s=UNWIND_S)
            if isinstance(ended.error, BadConfiguration):
                raise ended.error
            if session.was_ready:
                wait_s = FIRST_WAIT_S
            if isinstance(ended.error, _UNREACHABLE):
                log.warning("discord_unreachable", reason=_reason(ended.error), again_in_s=wait_s)
            else:
                log.error("discord_session_broke", again_in_s=wait_s, exc_info=ended.error)
            await asyncio.sleep(wait_s)
            wait_s = min(2 * wait_s, LONGEST_WAIT_S)


class _Session:
    """One client from login to its end; a client that ended cannot be used again."""

    def __init__(self, core: Core, on_ready: Callable[[], None]) -> None:
        settings = core.settings
        self._core = core
        self._on_ready = on_ready
        self._client = ClapperClient()
        self._edits = EditScheduler(lambda _: settings.discord.edit_s)
        rules = DeliveryRules(settings.studio.url, settings.retention.days)
        self._delivery = DiscordDelivery(self._client, self._edits, rules)
        self.was_ready = False
        counter = Counter(
            desk=core.desk,
            delivery=self._delivery,
            media_limits=settings.media.limits(),
            window_hours=settings.quota.window_hours,
            operator_roles=settings.discord.roles(),
        )
        self._client.furnish(counter)

    async def run(self) -> None:
        """Serve until cancelled or broken.

        Raises:
            BadConfiguration: Discord does not take the token.
            ConnectionClosed: the gateway ended it for good.
        """
        async with self._client:
            await self._login()
            await self._sync()
            ready = asyncio.create_task(self._announce(), name="discord-ready")
            try:
                await self._client.connect()
            except discord.ConnectionClosed as closed:
                if closed.code == TOKEN_REFUSED:
                    raise BadConfiguration(*REFUSED) from None
                raise
            finally:
                ready.cancel()
                self._core.router.unregister(PLATFORM)
                await self._edits.close()

    async def _login(self) -> None:
        token = self._core.settings.discord.token
        try:
            await self._client.login(token.get_secret_value() if token else "")
        except discord.LoginFailure:
            raise BadConfiguration(*REFUSED) from None

    async def _sync(self) -> None:
        """Send the commands where they changed; without success the known ones keep working."""
        try:
            await self._client.sync_if_changed(self._core.settings.discord.guild_id)
        except (discord.HTTPException, discord.RateLimited) as error:
            log.warning("commands_not_synced", reason=_reason(error))

    async def _announce(self) -> None:
        await self._client.wait_until_ready()
        self._core.router.register(self._delivery)  # now it knows the guilds and their limits
        log.info("discord_ready", guilds=len(self._client.guilds))
        if not self.was_ready:
            self.was_ready = True
            self._on_ready()
        await tell(self._core.desk.community, PLATFORM, self._notify)

    async def _notify(self, notice: AccountNotice) -> None:
        """Tell a person something by direct message, with a button to undo it."""
        opened = await self._client.http.start_private_message(int(notice.to.user_id))
        channel = self._client.get_partial_messageable(int(opened["id"]))
        joined = Requester.from_key(notice.data["key"])
        text = texts_for(None).say(notice.code, **notice.data)
        await channel.send(clip_text(text), view=unlink_view([joined], None))


def _reason(error: BaseException) -> str:
    if isinstance(error, discord.HTTPException):
        return f"{error.status}/{error.code}"
    return type(error).__name__


def point_at(settings: Settings) -> None:
    """Make discord.py talk to the configured addresses; it has no option of its own for them."""
    if settings.discord.api_url:
        discord.http.Route.BASE = settings.discord.api_url.rstrip("/")
    if settings.discord.gateway_url:
        gateway = yarl.URL(settings.discord.gateway_url)
        discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY = gateway


FRONT = DiscordFront()
