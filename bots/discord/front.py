"""Start and stop the Discord front inside the service's event loop."""

import asyncio
from collections.abc import Callable

import aiohttp
import discord
import discord.gateway
import discord.http
import structlog
import yarl

from bots.discord.access_buttons import decide_view
from bots.discord.address import PLATFORM
from bots.discord.checks import check_token, examine, find_owner
from bots.discord.client import ClapperClient
from bots.discord.delivery import DiscordDelivery, DiscordDeliveryRules
from bots.discord.directory import DiscordDirectory
from bots.discord.feed_buttons import decide_report_view
from bots.discord.held_requests import only_while_held
from bots.discord.profile import describe
from bots.discord.rendering import texts_for
from bots.discord.sender import send_direct, send_to
from bots.discord.served_files import Downloads
from bots.discord.submission import DiscordContext
from bots.discord.user_commands import unlink_view
from bots.shared.accounts import logged_in, notice_text, post_link, tell
from bots.shared.bot_id import discord_bot
from bots.shared.chores import hourly
from bots.shared.edit_scheduler import EditScheduler
from bots.shared.languages import KnownLanguages
from bots.shared.offers import Offers
from bots.shared.posted_messages import PostedMessages
from core.domain.decoding import whole
from core.domain.people import Requester
from core.domain.time_units import DAY_MS
from core.errors.setup import BadConfiguration
from core.interfaces.platform_check import PlatformCheck
from core.runtime.tasks import outcome_of
from core.service.front_services import AccountNotice, FrontServices
from core.settings import Settings

log = structlog.get_logger(__name__)

POSTS = "discord-posts"  # the namespace of where clips were posted, by job
FIRST_WAIT_S = 1.0  # for a Discord that cannot be reached; doubles …
LONGEST_WAIT_S = 60.0  # … up to this
UNWIND_S = 8.0  # for closing the gateway
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

    def configured(self, settings: Settings) -> bool:
        """Tell whether there is a token."""
        return settings.discord.token is not None

    def check(self, settings: Settings) -> list[PlatformCheck]:
        """Check the form of the token."""
        return check_token(settings)

    def term(self, settings: Settings) -> str:
        """Return the name of the term of the gateway."""
        return f"gateway:{PLATFORM}:{discord_bot(settings.discord.token)}"

    async def examine(self, settings: Settings) -> list[PlatformCheck]:
        """Check the settings against Discord, for ``clapper doctor``."""
        use_addresses_of(settings)
        return await examine(settings)

    async def find_operator(
        self, settings: Settings, code: str, ask: Callable[[str], None]
    ) -> Requester | None:
        """Return the owner of the application, whom Discord names without being asked to wait."""
        del code, ask
        use_addresses_of(settings)
        return await find_owner(settings)

    async def run(self, services: FrontServices, on_ready: Callable[[], None]) -> None:
        """Serve until cancelled; wait for Discord while it cannot be reached.

        Raises:
            BadConfiguration: Discord refuses the token.
        """
        use_addresses_of(services.settings)
        wait_s = FIRST_WAIT_S
        while True:
            session = _Session(services, on_ready)
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
    """One client from login to close; a closed client cannot be used again."""

    def __init__(self, services: FrontServices, on_ready: Callable[[], None]) -> None:
        settings = services.settings
        self._services = services
        self._on_ready = on_ready
        self._client = ClapperClient(only_while_held(services.term))
        self._client.on_connection = lambda state: services.connected(PLATFORM, state)
        self._edits = EditScheduler(lambda _: settings.discord.edit_s)
        offers = Offers(services.users.limits, services.users.price)
        rules = DiscordDeliveryRules(settings.retention.days, offers)
        self._posts = PostedMessages(services.state, POSTS)
        self._delivery = DiscordDelivery(
            self._client,
            self._edits,
            rules,
            self._posts,
            services.users,
        )
        self.was_ready = False
        self._languages = KnownLanguages(services.state, PLATFORM)
        context = DiscordContext(
            users=services.users,
            state=services.state,
            delivery=self._delivery,
            downloads=Downloads(only_while_held(services.term)),
            languages=self._languages,
            window_hours=settings.quota.window_hours,
            operator_roles=settings.discord.roles(),
        )
        self._client.add_commands(context)
        services.register_directory(DiscordDirectory(self._client, settings.discord.roles()))

    async def run(self) -> None:
        """Serve until cancelled or broken.

        Raises:
            BadConfiguration: Discord refuses the token.
            ConnectionClosed: the gateway closed it for good.
        """
        async with self._client:
            await self._login()
            await self._sync()
            await describe(self._client, self._services.state)
            ready = asyncio.create_task(self._announce(), name="discord-ready")
            try:
                await self._client.connect()
            except discord.ConnectionClosed as closed:
                if closed.code == TOKEN_REFUSED:
                    raise BadConfiguration(*REFUSED) from None
                raise
            finally:
                ready.cancel()
                self._services.connected(PLATFORM, "disconnected")
                self._services.unregister(PLATFORM)
                await self._edits.close()

    async def _login(self) -> None:
        token = self._services.settings.discord.token
        try:
            await self._client.login(token.get_secret_value() if token else "")
        except discord.LoginFailure:
            raise BadConfiguration(*REFUSED) from None

    async def _sync(self) -> None:
        """Send the commands if they changed; where that fails the known ones keep working."""
        try:
            await self._client.sync_if_changed(self._services.settings.discord.guild_id)
        except (discord.HTTPException, discord.RateLimited) as error:
            log.warning("commands_not_synced", reason=_reason(error))

    async def _announce(self) -> None:
        await self._client.wait_until_ready()
        self._services.register(self._delivery)  # now it knows the guilds and their limits
        log.info("discord_ready", guilds=len(self._client.guilds))
        if not self.was_ready:
            self.was_ready = True
            self._on_ready()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(tell(self._services.notices, PLATFORM, self._notify))
            tasks.create_task(hourly(self._clean_up))

    async def _clean_up(self) -> None:
        kept_ms = round(self._services.settings.retention.days * DAY_MS)
        await self._posts.prune(kept_ms)
        await self._languages.prune()
        await self._services.users.originals.prune(kept_ms)

    async def _said(self, notice: AccountNotice, locale: str | None) -> str:
        """Write a notice; one about a post has a link to it."""
        text = notice_text(texts_for(locale), notice)
        link = await post_link(self._services.users.feed, notice)
        return f"{text}\n{link}" if link else text

    async def _notify(self, notice: AccountNotice) -> None:
        """Send a notice by direct message, with a button to undo a join that it tells of."""
        locale = await self._languages.of(notice.to.user_id)
        text = await self._said(notice, locale)
        view = None
        if joined := notice.data.get("key"):
            view = unlink_view([Requester.from_key(joined)], locale)
        elif entry := notice.data.get("entry"):
            view = decide_view(entry, locale)
        elif post := notice.data.get("post"):
            view = decide_report_view(post, locale)
        if log_channel := logged_in(notice):
            await self._tell_log(notice, whole(log_channel, "channel"), text, view)
            return
        await send_direct(self._client, int(notice.to.user_id), text, view)

    async def _tell_log(
        self, notice: AccountNotice, channel_id: int, text: str, view: discord.ui.View | None
    ) -> None:
        """Write to the log channel of operators; where it is closed, have them told in private."""
        try:
            await send_to(self._client, channel_id, text, view)
        except (discord.Forbidden, discord.NotFound) as error:
            log.warning("log_channel_lost", reason=_reason(error))
            await self._services.users.feed.log_lost(dict(notice.data))


def _reason(error: BaseException) -> str:
    if isinstance(error, discord.HTTPException):
        return f"{error.status}/{error.code}"
    return type(error).__name__


def use_addresses_of(settings: Settings) -> None:
    """Point discord.py at the configured addresses; it has no option of its own for them."""
    if settings.discord.api_url:
        discord.http.Route.BASE = settings.discord.api_url.rstrip("/")
    if settings.discord.gateway_url:
        gateway = yarl.URL(settings.discord.gateway_url)
        discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY = gateway


discord.VoiceClient.warn_nacl = discord.VoiceClient.warn_dave = False  # we use no voice
FRONT = DiscordFront()
