"""Starts and stops the Telegram front inside the service's event loop."""

import asyncio
import logging
import warnings
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import structlog
from telegram import BotCommand, InlineKeyboardMarkup, Update
from telegram.constants import ParseMode
from telegram.error import Conflict, InvalidToken, NetworkError, TelegramError
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
from bots.shared.edit_scheduler import EditScheduler
from bots.telegram.address import PLATFORM
from bots.telegram.albums import Albums
from bots.telegram.attachments import Intake
from bots.telegram.buttons import receive_press
from bots.telegram.delivery import FILE_IDS, TelegramDelivery
from bots.telegram.drafts import Drafts
from bots.telegram.handlers import Messages
from bots.telegram.inline_mode import inline
from bots.telegram.legacy_api import OlderServers
from bots.telegram.permissions import Rights
from bots.telegram.rendering import texts_for
from bots.telegram.status_messages import MEDIA_TIMEOUT_S, Screen, ShowRules
from bots.telegram.submission import Counter
from bots.telegram.update_inbox import Handling, Inbox, Lanes
from bots.telegram.user_commands import ACCOUNT, unlink_button
from bots.telegram.webhook import webhook
from core.accounts.notices import AccountNotice
from core.app.bootstrap import Core
from core.domain.modes import Mode
from core.domain.people import Requester
from core.errors.setup import BadConfiguration
from core.i18n.messages import languages, say
from core.runtime.tasks import outcome_of
from core.settings import Settings

log = structlog.get_logger(__name__)

App = Application[Any, Any, Any, Any, Any, Any]
UPDATES = [Update.MESSAGE, Update.CALLBACK_QUERY, Update.INLINE_QUERY]
COMMAND_LIMIT = 256  # characters of a description
TIMEOUT_S = 30.0
TIDY_S = 3600.0
DAY_MS = 24 * 3600 * 1000
FIRST_WAIT_S = 1.0  # for a Telegram that cannot be reached; doubles …
LONGEST_WAIT_S = 60.0  # … up to this


class TelegramFront:
    """Runs where CLAPPER_TELEGRAM_TOKEN is set."""

    name = PLATFORM

    def configured(self, core: Core) -> bool:
        """Return whether there is a token."""
        return core.settings.telegram.token is not None

    async def run(self, core: Core, on_ready: Callable[[], None]) -> None:
        """Serve until cancelled; waits for Telegram where it cannot be reached.

        Raises:
            BadConfiguration: Telegram does not take the token, or a webhook has no secret.
        """
        settings = core.settings
        _check(settings)
        inbox = Inbox(core.desk.community)
        edits = EditScheduler(lambda chat: _interval(settings, chat))
        app = await _reached(lambda: _application(settings, inbox))
        try:
            counter = _counter(core, app, edits)
            _add_handlers(app, counter, Albums(settings.telegram.album_s))
            await _describe(app)
            core.router.register(counter.delivery)
            await app.start()
            try:
                await inbox.replay(app.bot)
                async with _updates(app, settings):
                    log.info("telegram_ready", webhook=bool(settings.telegram.webhook_url))
                    on_ready()
                    async with asyncio.TaskGroup() as tasks:
                        tasks.create_task(_tidy(counter, inbox, settings))
                        tasks.create_task(tell(core.desk.community, PLATFORM, _notify(counter)))
            finally:
                await app.stop()
        finally:
            core.router.unregister(PLATFORM)
            await edits.close()
            await app.shutdown()


def _notify(counter: Counter) -> Callable[[AccountNotice], Coroutine[Any, Any, None]]:
    """Return how a person is told something in their private chat, with a button to undo it."""

    async def send(notice: AccountNotice) -> None:
        texts = texts_for(None)
        joined = Requester.from_key(notice.data["key"])
        await counter.bot.send_message(
            int(notice.to.user_id),
            texts.say(notice.code, **notice.data),
            parse_mode=ParseMode.HTML,
            reply_markup=InlineKeyboardMarkup([[unlink_button(joined, None)]]),
        )

    return send


async def _tidy(counter: Counter, inbox: Inbox, settings: Settings) -> None:
    """Drop what nobody needs any more, now and every hour, until cancelled."""
    kept_ms = round(settings.retention.days * DAY_MS)

    async def once() -> None:
        await inbox.prune()
        await counter.drafts.prune()
        await counter.desk.community.state.forget_older(FILE_IDS, kept_ms)

    while True:
        done = await outcome_of(once())
        if done.error is not None:
            log.error("not_tidied", exc_info=done.error)
        await asyncio.sleep(TIDY_S)


def _check(settings: Settings) -> None:
    """Refuse settings that cannot work.

    Raises:
        BadConfiguration: without a secret anybody could feed us updates.
    """
    if settings.telegram.webhook_url and settings.telegram.webhook_secret is None:
        raise BadConfiguration("CLAPPER_TELEGRAM_WEBHOOK_SECRET", "needed for a webhook")


async def _reached(build: Callable[[], App]) -> App:
    """Return an application that Telegram answered; tries again for as long as it takes.

    Raises:
        BadConfiguration: Telegram does not take the token.
    """
    wait_s = FIRST_WAIT_S
    while True:
        app = build()
        try:
            await app.initialize()
        except InvalidToken:
            await app.bot.shutdown()
            raise BadConfiguration("CLAPPER_TELEGRAM_TOKEN", "Telegram refuses it") from None
        except NetworkError as error:
            await app.bot.shutdown()
            log.warning("telegram_unreachable", reason=type(error).__name__, again_in_s=wait_s)
            await asyncio.sleep(wait_s)
            wait_s = min(2 * wait_s, LONGEST_WAIT_S)
        else:
            return app


def _application(settings: Settings, inbox: Inbox) -> App:
    logging.getLogger("telegram").setLevel(logging.INFO)  # its debug lines hold what people write
    # of every duration, until an environment variable is set; we take both kinds of value
    warnings.filterwarnings("ignore", "Deprecated since version v22.2", PTBDeprecationWarning)
    token = settings.telegram.token.get_secret_value() if settings.telegram.token else ""
    builder = (
        ApplicationBuilder()
        .token(token)
        .update_queue(inbox)
        .concurrent_updates(Handling(inbox))
        .rate_limiter(OlderServers())
        .read_timeout(TIMEOUT_S)
        .write_timeout(TIMEOUT_S)
        .connect_timeout(TIMEOUT_S)
        .pool_timeout(TIMEOUT_S)
        .media_write_timeout(MEDIA_TIMEOUT_S)
        .connection_pool_size(64)
        .get_updates_connection_pool_size(4)  # one polls, one confirms at the end
    )
    if settings.telegram.api_url:
        root = settings.telegram.api_url.rstrip("/")
        files = settings.telegram.file_url.rstrip("/") or f"{root}/file"
        builder = builder.base_url(f"{root}/bot").base_file_url(f"{files}/bot")
    if settings.telegram.local:
        builder = builder.local_mode(local_mode=True)
    return builder.build()


def _interval(settings: Settings, chat: str) -> float:
    """Return the seconds between edits; groups have negative ids and a stricter limit."""
    is_group = chat.startswith("-")
    return settings.telegram.group_edit_s if is_group else settings.telegram.private_edit_s


def _counter(core: Core, app: App, edits: EditScheduler) -> Counter:
    settings = core.settings

    rules = ShowRules(settings.telegram.local, settings.retention.days, settings.studio.url)
    screen = Screen(app.bot, rules)
    community, service = core.desk.community, core.service
    return Counter(
        desk=core.desk,
        bot=app.bot,
        bot_name=app.bot.username,
        screen=screen,
        delivery=TelegramDelivery(screen, edits, rules, community, service.update_reply_to),
        edits=edits,
        drafts=Drafts(community, service.files),
        intake=Intake(app.bot, service, settings.media.limits(), local=settings.telegram.local),
        rights=Rights(app.bot),
        lanes=Lanes(),
        window_hours=settings.quota.window_hours,
    )


def _add_handlers(app: App, counter: Counter, albums: Albums) -> None:
    messages = Messages(counter, albums)

    async def message(update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
        del context
        await messages.receive(update)

    async def press(update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
        del context
        await receive_press(counter, update)

    async def problem(update: object, context: ContextTypes.DEFAULT_TYPE) -> None:
        await asyncio.sleep(0)
        del update
        log.error("update_failed", exc_info=context.error)

    app.add_handler(CallbackQueryHandler(press))
    app.add_handler(InlineQueryHandler(inline))
    app.add_handler(MessageHandler(filters.ALL, message))
    app.add_error_handler(problem)


async def _describe(app: App) -> None:
    """Tell Telegram our commands in every language that we have."""
    for language in languages():
        own = {"start": "c_start", "drop": "c_drop"}
        commands = [
            BotCommand(name, say(own.get(name, f"d_{name}"), {}, language)[:COMMAND_LIMIT])
            for name in (*Mode, *ACCOUNT)
        ]
        code = None if language == "en" else language
        try:
            await app.bot.set_my_commands(commands, language_code=code)
        except TelegramError as error:
            log.warning("commands_not_set", reason=type(error).__name__)


@asynccontextmanager
async def _updates(app: App, settings: Settings) -> AsyncGenerator[None]:
    """Receive updates inside the block, in the way that the settings say."""
    if not settings.telegram.webhook_url:
        assert app.updater is not None  # noqa: S101  # built with one
        await app.updater.start_polling(
            allowed_updates=UPDATES, error_callback=_poll_error, bootstrap_retries=-1
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


def _poll_error(error: TelegramError) -> None:
    if isinstance(error, Conflict):
        log.error("telegram_conflict", fix=say("t_conflict"))
    else:
        log.warning("polling_interrupted", reason=type(error).__name__)


FRONT = TelegramFront()
