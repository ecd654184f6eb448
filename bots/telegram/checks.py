"""Check for ``clapper doctor``: the token, whether Telegram can be reached, and the webhook.

Uses the same client library; changes nothing at Telegram.
"""

import re

from telegram import Bot, User, WebhookInfo
from telegram.error import InvalidToken, TelegramError
from telegram.request import HTTPXRequest

from core.errors.setup import BadConfiguration
from core.i18n.messages import say
from core.interfaces.platform_check import PlatformCheck
from core.settings import Settings

TIMEOUT_S = 8.0
CLOUD = "https://api.telegram.org"
TOKEN = re.compile(r"[0-9]+:[A-Za-z0-9_-]{30,}")  # what BotFather gives: the bot's id and a secret
SECRET = re.compile(r"[A-Za-z0-9_-]{1,256}")  # source: Bot API, setWebhook, secret_token


def check_token(settings: Settings) -> list[PlatformCheck]:
    """Check whether the token looks like one of Telegram's; a server of one's own takes any."""
    token = settings.telegram.token
    if token is None or settings.telegram.api_url or TOKEN.fullmatch(token.get_secret_value()):
        return []
    return [PlatformCheck("Telegram", "bad", say("td_format"), say("td_token_fix"))]


def check_webhook(settings: Settings) -> list[PlatformCheck]:
    """Check the address and the secret of a webhook, where there is one."""
    telegram = settings.telegram
    if not telegram.webhook_url:
        return []
    secret = telegram.webhook_secret
    found: list[PlatformCheck] = []
    if not telegram.webhook_url.startswith("https://") and not telegram.local:
        found.append(PlatformCheck("Telegram", "bad", say("td_https"), say("td_https_fix")))
    if secret is None or not SECRET.fullmatch(secret.get_secret_value()):
        found.append(PlatformCheck("Telegram", "bad", say("td_secret"), say("td_secret_fix")))
    return found


def require_secret(settings: Settings) -> None:
    """Refuse a webhook without a secret.

    Raises:
        BadConfiguration: without a secret anybody could send updates.
    """
    if settings.telegram.webhook_url and settings.telegram.webhook_secret is None:
        raise BadConfiguration("CLAPPER_TELEGRAM_WEBHOOK_SECRET", "needed for a webhook")


async def examine(settings: Settings) -> list[PlatformCheck]:
    """Check whether Telegram accepts these settings; return one line for each finding."""
    if settings.telegram.token is None or check_token(settings):  # of which check() tells
        return []
    token = settings.telegram.token.get_secret_value()
    try:
        async with open_bot(settings, token) as bot:
            me = bot.bot
            hook = await bot.get_webhook_info()
    except InvalidToken:
        return [PlatformCheck("Telegram", "bad", say("td_token"), say("td_token_fix"))]
    except (TelegramError, OSError) as error:
        why = say("td_unreachable", {"reason": type(error).__name__})
        return [PlatformCheck("Telegram", "bad", why, say("td_unreachable_fix"))]
    return [*_account(me), *_webhook(settings, hook)]


def open_bot(settings: Settings, token: str) -> Bot:
    """Make a client for a few questions; it is opened by ``async with``."""

    def request() -> HTTPXRequest:
        return HTTPXRequest(
            connect_timeout=TIMEOUT_S, read_timeout=TIMEOUT_S, pool_timeout=TIMEOUT_S
        )

    root = settings.telegram.api_url.rstrip("/") or CLOUD
    return Bot(token, f"{root}/bot", request=request(), get_updates_request=request())


def _account(me: User) -> list[PlatformCheck]:
    facts = {"name": me.username or "", "id": me.id}
    found = [PlatformCheck("Telegram", "good", say("td_good", facts))]
    for note in (
        "" if me.supports_inline_queries else "td_inline",
        "" if me.can_join_groups is not False else "td_groups",
        "td_privacy" if me.can_read_all_group_messages else "",
    ):
        if note:
            found.append(PlatformCheck("", "note", say(note), say(f"{note}_fix")))
    return found


def _webhook(settings: Settings, hook: WebhookInfo) -> list[PlatformCheck]:
    """Tell whether somebody else gets the updates, and what went wrong at the last call."""
    wanted = settings.telegram.webhook_url
    if hook.url and not wanted:
        facts = {"url": hook.url}
        return [PlatformCheck("", "note", say("td_webhook_other", facts), say("td_webhook_ends"))]
    if hook.url and hook.url != wanted:
        facts = {"url": hook.url}
        return [PlatformCheck("", "note", say("td_webhook_other", facts), say("td_webhook_ours"))]
    if not wanted or not hook.last_error_message:
        return []
    detail = say("td_webhook_error", {"reason": hook.last_error_message[:200]})
    return [PlatformCheck("", "note", detail, say("td_webhook_error_fix"))]
