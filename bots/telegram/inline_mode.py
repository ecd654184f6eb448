"""Answer ``@bot …`` in any chat: offer what was typed as a command, or the help."""

from telegram import (
    InlineQueryResultArticle,
    InlineQueryResultsButton,
    InputTextMessageContent,
    Update,
)
from telegram.constants import ParseMode
from telegram.ext import ContextTypes

from bots.telegram.rendering import texts_for
from core.i18n.messages import say

SHOWN = 200  # characters of what was typed, under the title


async def inline(update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
    """Offer what was typed as a command; without words, the help."""
    del context
    query = update.inline_query
    if query is None:
        return
    typed, locale = query.query.strip(), query.from_user.language_code
    if typed:
        title, content = (
            "t_inline_title",
            InputTextMessageContent(say("t_inline_text", {"prompt": typed}, locale)),
        )
    else:
        title, content = (
            "t_inline_help",
            InputTextMessageContent(texts_for(locale).help(), parse_mode=ParseMode.HTML),
        )
    article = InlineQueryResultArticle(
        id="t2v" if typed else "help",
        title=say(title, {}, locale),
        description=typed[:SHOWN] or None,
        input_message_content=content,
    )
    button = InlineQueryResultsButton(say("t_inline_open", {}, locale), start_parameter="help")
    await query.answer([article], cache_time=0, is_personal=True, button=button)
