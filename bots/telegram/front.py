"""Start and stop the Telegram front inside the service's event loop."""

import asyncio
import logging
import warnings
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Any

import structlog
from telegram import Update
from telegram.error import InvalidToken, NetworkError
from telegram.ext import (
    Application,
    ApplicationBuilder,
    CallbackQueryHandler,
    ContextTypes,
    InlineQueryHandler,
    MessageHandler,
    filters,
)
from telegram.warnings import PTBDeprecationWarning

from bots.shared.accounts import tell
from bots.shared.bot_id import telegram_bot
from bots.shared.edit_scheduler import EditScheduler
from bots.shared.languages import KnownLanguages
from bots.shared.offers import Offers
from bots.shared.posted_messages import PostedMessages
from bots.telegram.address import PLATFORM
from bots.telegram.albums import Albums
from bots.telegram.attachments import AttachmentFetcher
from bots.telegram.buttons import receive_press
from bots.telegram.checks import check_token, check_webhook, examine, require_secret
from bots.telegram.clean_up import clean_up_hourly
from bots.telegram.context import TelegramContext
from bots.telegram.delivery import POSTS, TelegramDelivery
from bots.telegram.directory import TelegramDirectory
from bots.telegram.draft_album import DraftAlbum
from bots.telegram.handlers import MessageRouter
from bots.telegram.held_requests import HeldRequest
from bots.telegram.inline_mode import inline
from bots.telegram.introduction import find_operator
from bots.telegram.legacy_api import LegacyServerAdapter
from bots.telegram.notices import notifier
from bots.telegram.outgoing import MEDIA_TIMEOUT_S, Outgoing
from bots.telegram.permissions import PostingPermissions
from bots.telegram.polling import Polling
from bots.telegram.polling_conflicts import look_for_polling_conflicts
from bots.telegram.profile import set_profile
from bots.telegram.readable_updates import UpdatesRequest
from bots.telegram.request_form import RequestForms
from bots.telegram.status_messages import DisplayRules, StatusMessages
from bots.telegram.update_inbox import InboxProcessor, UpdateInbox
from bots.telegram.user_locks import UserLocks
from bots.telegram.webhook import webhook
from core.domain.people import Requester
from core.errors.setup import BadConfiguration
from core.interfaces.platform_check import PlatformCheck
from core.interfaces.terms import Term
from core.service.front_services import FrontServices
from core.settings import Settings

log = structlog.get_logger(__name__)

App = Application[Any, Any, Any, Any, Any, Any]
UPDATES = [
    Update.MESSAGE,
    Update.EDITED_MESSAGE,
    Update.CALLBACK_QUERY,
    Update.INLINE_QUERY,
]
TIMEOUT_S = 30.0
_TIMEOUTS = dict.fromkeys(("read_timeout", "write_timeout", "connect_timeout"), TIMEOUT_S) | {
    "pool_timeout": TIMEOUT_S,
    "media_write_timeout": MEDIA_TIMEOUT_S,
}
FIRST_WAIT_S = 1.0  # for a Telegram that cannot be reached; doubles …
LONGEST_WAIT_S = 60.0  # … up to this
REFUSED = ("CLAPPER_TELEGRAM_TOKEN", "Telegram refuses it")


class TelegramFront:
    """Runs where CLAPPER_TELEGRAM_TOKEN is set."""

    name = PLATFORM

    def configured(self, settings: Settings) -> bool:
        """Tell whether there is a token."""
        return settings.telegram.token is not None

    def check(self, settings: Settings) -> list[PlatformCheck]:
        """Check the form of the token, and the webhook."""
        return [*check_token(settings), *check_webhook(settings)]

    def term(self, settings: Settings) -> str:
        """Return the name of the term of the bot; a webhook has it too, for its deliveries."""
        return f"polling:{PLATFORM}:{telegram_bot(settings.telegram.token)}"

    async def examine(self, settings: Settings) -> list[PlatformCheck]:
        """Check the settings against Telegram, for ``clapper doctor``."""
        return await examine(settings)

    async def look_for_polling_conflicts(self, settings: Settings) -> list[PlatformCheck]:
        """Tell whether another process polls with the same token, for ``clapper doctor``."""
        return await look_for_polling_conflicts(settings)

    async def find_operator(
        self, settings: Settings, code: str, ask: Callable[[str], None]
    ) -> Requester | None:
        """Wait for ``code`` in a private chat, for ``clapper setup``."""
        return await find_operator(settings, code, ask)

    async def run(self, services: FrontServices, on_ready: Callable[[], None]) -> None:
        """Serve until cancelled; wait for Telegram while it cannot be reached.

        Raises:
            BadConfiguration: Telegram refuses the token, also later on, or a webhook has no secret.
        """
        refused = asyncio.Event()
        settings = services.settings
        require_secret(settings)
        inbox = UpdateInbox(services.state, services.term)
        edits = EditScheduler(lambda chat: _edit_interval(settings, chat))
        app = await _connect(lambda: _application(settings, inbox, services.term, refused))
        try:
            context = _build_context(services, app, edits)
            _add_handlers(app, context, Albums(settings.telegram.album_s))
            await set_profile(app.bot, services.state)
            services.register(context.delivery)
            await app.start()
            try:
                await inbox.replay(app.bot)
                polling = Polling(services.connected, services.term)
                async with _updates(app, settings, polling):
                    log.info("telegram_ready", webhook=bool(settings.telegram.webhook_url))
                    on_ready()
                    async with asyncio.TaskGroup() as tasks:
                        running = [
                            tasks.create_task(clean_up_hourly(context, inbox, settings)),
                            tasks.create_task(tell(services.notices, PLATFORM, notifier(context))),
                        ]
                        await refused.wait()
                        for task in running:
                            task.cancel()
                    raise BadConfiguration(*REFUSED)
            finally:
                await app.stop()
        finally:
            services.unregister(PLATFORM)
            await edits.close()
            await app.shutdown()


async def _connect(build: Callable[[], App]) -> App:
    """Build the application and wait until Telegram answers it.

    Raises:
        BadConfiguration: Telegram refuses the token.
    """
    wait_s = FIRST_WAIT_S
    while True:
        app = build()
        try:
            await app.initialize()
        except InvalidToken:
            await app.bot.shutdown()
            raise BadConfiguration(*REFUSED) from None
        except NetworkError as error:
            await app.bot.shutdown()
            log.warning("telegram_unreachable", reason=type(error).__name__, again_in_s=wait_s)
            await asyncio.sleep(wait_s)
            wait_s = min(2 * wait_s, LONGEST_WAIT_S)
        else:
            return app


def _application(settings: Settings, inbox: UpdateInbox, term: Term, refused: asyncio.Event) -> App:
    logging.getLogger("telegram").setLevel(logging.INFO)  # its debug lines hold what people write
    # raised for every duration until an environment variable is set; both types are handled
    warnings.filterwarnings("ignore", "Deprecated since version v22.2", PTBDeprecationWarning)
    token = settings.telegram.token.get_secret_value() if settings.telegram.token else ""
    builder = (
        ApplicationBuilder()
        .token(token)
        .update_queue(inbox)
        .concurrent_updates(InboxProcessor(inbox))
        .rate_limiter(LegacyServerAdapter())
        .request(HeldRequest(term, connection_pool_size=64, **_TIMEOUTS))
        .get_updates_request(UpdatesRequest(term, refused, connection_pool_size=4))  # and confirms
    )
    if settings.telegram.api_url:
        root = settings.telegram.api_url.rstrip("/")
        files = settings.telegram.file_url.rstrip("/") or f"{root}/file"
        builder = builder.base_url(f"{root}/bot").base_file_url(f"{files}/bot")
    if settings.telegram.local:
        builder = builder.local_mode(local_mode=True)
    return builder.build()


def _edit_interval(settings: Settings, chat: str) -> float:
    """Look up the seconds between edits; groups have negative ids and a stricter limit."""
    told, is_group = settings.telegram, chat.startswith("-")
    return told.group_edit_s if is_group else told.private_edit_s


def _build_context(services: FrontServices, app: App, edits: EditScheduler) -> TelegramContext:
    settings, users, local = services.settings, services.users, services.settings.telegram.local
    rules = DisplayRules(local, settings.retention.days, Offers(users.limits, users.price))
    outgoing = Outgoing(app.bot)
    messages = StatusMessages(outgoing, rules, users.originals)
    directory, posts = TelegramDirectory(app.bot), PostedMessages(services.state, POSTS)
    album = DraftAlbum(outgoing, services.state, rules.offers, posts)
    services.register_directory(directory)
    return TelegramContext(
        services=services,
        bot=app.bot,
        bot_name=app.bot.username,
        messages=messages,
        outgoing=outgoing,
        delivery=TelegramDelivery(messages, edits, rules, services, album),
        edits=edits,
        forms=RequestForms(services.state, users.files),
        attachments=AttachmentFetcher(app.bot, users.files, users.media_limits, local=local),
        permissions=PostingPermissions(app.bot),
        locks=UserLocks(),
        directory=directory,
        languages=KnownLanguages(services.state, PLATFORM),
    )


def _add_handlers(app: App, context: TelegramContext, albums: Albums) -> None:
    messages = MessageRouter(context, albums)

    async def message(update: Update, _: ContextTypes.DEFAULT_TYPE) -> None:
        await messages.receive(update)

    async def press(update: Update, _: ContextTypes.DEFAULT_TYPE) -> None:
        await receive_press(context, update)

    async def log_error(_: object, failed: ContextTypes.DEFAULT_TYPE) -> None:
        await asyncio.sleep(0)
        log.error("update_failed", exc_info=failed.error)

    app.add_handler(CallbackQueryHandler(press))
    app.add_handler(InlineQueryHandler(inline))
    app.add_handler(MessageHandler(filters.ALL, message))
    app.add_error_handler(log_error)


@asynccontextmanager
async def _updates(app: App, settings: Settings, polling: Polling) -> AsyncGenerator[None]:
    """Receive updates inside the block, by webhook or by polling as the settings say."""
    if not settings.telegram.webhook_url:
        assert app.updater is not None  # noqa: S101  # built with one
        await app.updater.start_polling(
            allowed_updates=UPDATES, error_callback=polling.failed, bootstrap_retries=-1
        )
        try:
            yield
        finally:
            await app.updater.stop()
        return
    secret = settings.telegram.webhook_secret
    assert secret is not None  # noqa: S101  # checked at the start
    async with webhook(app, secret.get_secret_value(), settings.telegram.webhook_port):
        await app.bot.set_webhook(
            settings.telegram.webhook_url,
            secret_token=secret.get_secret_value(),
            allowed_updates=UPDATES,
        )
        yield


FRONT = TelegramFront()
