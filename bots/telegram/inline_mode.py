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
from core.domain.modes import MODES, Mode
from core.i18n.messages import say
from core.i18n.option_words import mode_summary

SHOWN = 200  # characters of what was typed, under the title


async def inline(update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
    """Offer what was typed as a command of every mode that needs no file; or else the help."""
    del context
    query = update.inline_query
    if query is None:
        return
    typed, locale = query.query.strip(), query.from_user.language_code
    if typed:
        articles = [_command(mode, typed, locale) for mode, spec in MODES.items() if not spec.slots]
    else:
        articles = [_help(locale)]
    button = InlineQueryResultsButton(say("t_inline_open", {}, locale), start_parameter="help")
    await query.answer(articles, cache_time=0, is_personal=True, button=button)


def _command(mode: Mode, typed: str, locale: str | None) -> InlineQueryResultArticle:
    return InlineQueryResultArticle(
        id=mode,
        title=mode_summary(mode, locale),
        description=typed[:SHOWN],
        input_message_content=InputTextMessageContent(f"/{mode} {typed}"),
    )


def _help(locale: str | None) -> InlineQueryResultArticle:
    return InlineQueryResultArticle(
        id="help",
        title=say("t_inline_help", {}, locale),
        input_message_content=InputTextMessageContent(
            texts_for(locale).help(), parse_mode=ParseMode.HTML
        ),
    )
