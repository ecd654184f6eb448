"""Starts and stops the Telegram front inside the service's event loop."""

import asyncio
from collections.abc import Callable
from typing import Any

import structlog
from telegram import (
    BotCommand,
    InlineQueryResultArticle,
    InputTextMessageContent,
    Update,
)
from telegram.error import Conflict, InvalidToken, TelegramError
from telegram.ext import (
    Application,
    ApplicationBuilder,
    CallbackQueryHandler,
    ContextTypes,
    InlineQueryHandler,
    MessageHandler,
    filters,
)

from bots.edits import EditScheduler
from bots.telegram.account import ACCOUNT, FILE_IDS
from bots.telegram.albums import Albums
from bots.telegram.buttons import receive_press
from bots.telegram.delivery import MEDIA_TIMEOUT_S, DeliveryRules, TelegramDelivery
from bots.telegram.desk import Counter
from bots.telegram.drafts import Drafts
from bots.telegram.handlers import Messages
from bots.telegram.intake import Intake
from bots.telegram.place import PLATFORM
from bots.telegram.webhook import webhook
from core.bootstrap import Core
from core.messages import languages, say
from core.modes import Mode
from core.problems import BadConfiguration
from core.settings import Settings

log = structlog.get_logger(__name__)

App = Application[Any, Any, Any, Any, Any, Any]
UPDATES = [Update.MESSAGE, Update.CALLBACK_QUERY, Update.INLINE_QUERY]
COMMAND_LIMIT = 256  # characters of a description
TIMEOUT_S = 30.0


class TelegramFront:
    """Runs where CLAPPER_TELEGRAM_TOKEN is set."""

    name = PLATFORM

    def configured(self, core: Core) -> bool:
        """Return whether there is a token."""
        return core.settings.telegram_token is not None

    async def run(self, core: Core, on_ready: Callable[[], None]) -> None:
        """Serve until cancelled.

        Raises:
            BadConfiguration: Telegram does not take the token.
        """
        settings = core.settings
        app = _application(settings)
        edits = EditScheduler(lambda chat: _interval(settings, chat))
        albums = Albums(settings.telegram_album_s)
        try:
            async with app:
                counter = _counter(core, app, edits)
                _add_handlers(app, counter, albums)
                await _describe(app)
                core.router.register(counter.delivery)
                await app.start()
                log.info("telegram_ready", webhook=bool(settings.telegram_webhook_url))
                on_ready()
                try:
                    await (
                        _serve_webhook(app, settings)
                        if settings.telegram_webhook_url
                        else _poll(app)
                    )
                finally:
                    await albums.close()
                    await app.stop()
        except InvalidToken:
            raise BadConfiguration("CLAPPER_TELEGRAM_TOKEN", "Telegram refuses it") from None
        finally:
            await edits.close()


def _application(settings: Settings) -> App:
    token = settings.telegram_token.get_secret_value() if settings.telegram_token else ""
    builder = (
        ApplicationBuilder()
        .token(token)
        .concurrent_updates(concurrent_updates=True)
        .read_timeout(TIMEOUT_S)
        .write_timeout(TIMEOUT_S)
        .connect_timeout(TIMEOUT_S)
        .pool_timeout(TIMEOUT_S)
        .media_write_timeout(MEDIA_TIMEOUT_S)
        .connection_pool_size(64)
    )
    if settings.telegram_api_url:
        root = settings.telegram_api_url.rstrip("/")
        files = settings.telegram_file_url.rstrip("/") or f"{root}/file"
        builder = builder.base_url(f"{root}/bot").base_file_url(f"{files}/bot")
    if settings.telegram_local:
        builder = builder.local_mode(local_mode=True)
    return builder.build()


def _interval(settings: Settings, chat: str) -> float:
    """Return the seconds between edits; groups have negative ids and a stricter limit."""
    is_group = chat.startswith("-")
    return settings.telegram_group_edit_s if is_group else settings.telegram_private_edit_s


def _counter(core: Core, app: App, edits: EditScheduler) -> Counter:
    settings = core.settings

    async def keep(job_id: str, file_id: str) -> None:
        await core.desk.community.remember(FILE_IDS, job_id, file_id)

    rules = DeliveryRules(
        settings.telegram_local,
        settings.data_dir / "fitted",
        settings.retention_days,
        settings.studio_url,
    )
    delivery = TelegramDelivery(app.bot, edits, rules, core.service.update_reply_to, keep)
    intake = Intake(app.bot, core.service, settings.media_limits(), local=settings.telegram_local)
    return Counter(
        desk=core.desk,
        bot=app.bot,
        bot_name=app.bot.username,
        delivery=delivery,
        edits=edits,
        drafts=Drafts(core.desk.community),
        intake=intake,
        window_hours=settings.quota_window_hours,
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
    app.add_handler(InlineQueryHandler(_inline))
    app.add_handler(MessageHandler(filters.ALL, message))
    app.add_error_handler(problem)


async def _inline(update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
    """Offer what was typed as a command that can be sent into any chat with the bot."""
    del context
    query = update.inline_query
    if query is None or not query.query.strip():
        return
    locale = query.from_user.language_code
    text = say("t_inline_text", {"prompt": query.query}, locale)
    article = InlineQueryResultArticle(
        id="t2v",
        title=say("t_inline_title", {}, locale),
        description=query.query[:200],
        input_message_content=InputTextMessageContent(text),
    )
    await query.answer([article], cache_time=0, is_personal=True)


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


async def _poll(app: App) -> None:
    """Receive updates by polling until cancelled; what is queued is still handled."""
    assert app.updater is not None  # noqa: S101  # built with one
    await app.updater.start_polling(allowed_updates=UPDATES, error_callback=_poll_error)
    try:
        await asyncio.Event().wait()
    finally:
        await app.updater.stop()


async def _serve_webhook(app: App, settings: Settings) -> None:
    """Receive updates by webhook until cancelled.

    Raises:
        BadConfiguration: without a secret anybody could feed us updates.
    """
    if settings.telegram_webhook_secret is None:
        raise BadConfiguration("CLAPPER_TELEGRAM_WEBHOOK_SECRET", "needed for a webhook")
    secret = settings.telegram_webhook_secret.get_secret_value()
    async with webhook(app, secret, settings.telegram_webhook_port):
        await app.bot.set_webhook(
            settings.telegram_webhook_url, secret_token=secret, allowed_updates=UPDATES
        )
        await asyncio.Event().wait()


def _poll_error(error: TelegramError) -> None:
    if isinstance(error, Conflict):
        log.error("telegram_conflict", fix=say("t_conflict"))
    else:
        log.warning("polling_interrupted", reason=type(error).__name__)


FRONT = TelegramFront()
