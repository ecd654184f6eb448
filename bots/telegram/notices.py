"""Send what people and operators are told unasked: to a private chat, or to a log channel."""

from collections.abc import Callable, Coroutine
from typing import Any

import structlog
from telegram import InlineKeyboardMarkup

from bots.shared.accounts import logged_in, notice_text, post_link
from bots.telegram.account_links import unlink_button
from bots.telegram.api_errors import NOT_THERE, ChatMoved
from bots.telegram.context import TelegramContext
from bots.telegram.feed import report_buttons
from bots.telegram.outgoing import ChatTarget
from bots.telegram.rendering import decide_buttons, texts_for
from core.domain.decoding import whole
from core.domain.people import Requester
from core.service.front_services import AccountNotice

log = structlog.get_logger(__name__)


def notifier(context: TelegramContext) -> Callable[[AccountNotice], Coroutine[Any, Any, None]]:
    """Build the function that sends a notice to a private chat, with a button to undo a join."""

    async def send(notice: AccountNotice) -> None:
        locale = await context.languages.of(notice.to.user_id)
        text, buttons = notice_text(texts_for(locale), notice), None
        if joined := notice.data.get("key"):
            buttons = [[unlink_button(Requester.from_key(joined), locale)]]
        elif entry := notice.data.get("entry"):
            buttons = [decide_buttons(entry, locale)]
        elif post := notice.data.get("post"):
            buttons = [report_buttons(post, locale)]
            text = "\n".join([text, await post_link(context.services.users.feed, notice)]).strip()
        markup = InlineKeyboardMarkup(buttons) if buttons else None
        log_channel = logged_in(notice)
        if log_channel is None:
            await context.outgoing.text(ChatTarget(int(notice.to.user_id)), text, markup)
            return
        to = ChatTarget(whole(log_channel, "chat"), whole(log_channel, "thread") or None)
        try:
            await context.outgoing.text(to, text, markup)
        except (*NOT_THERE, ChatMoved) as error:
            log.warning("log_channel_lost", reason=type(error).__name__)
            await context.services.users.feed.log_lost(dict(notice.data))

    return send
