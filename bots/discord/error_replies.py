"""Answer errors: a refusal privately with its fix, a defect with an apology and a log line."""

from collections.abc import Coroutine
from typing import Any

import aiohttp
import discord
import structlog
from discord import app_commands

from bots.discord.address import Interaction
from bots.discord.answers import answer
from bots.discord.rendering import MARKUP, ask_view
from core.errors import AccessClosed, ClapperError, InternalError
from core.i18n.messages import explain, say
from core.runtime.tasks import outcome_of

log = structlog.get_logger(__name__)

_LOST = (discord.HTTPException, aiohttp.ClientError, TimeoutError, ConnectionError)
_OUTDATED = (
    app_commands.CommandNotFound,
    app_commands.CommandSignatureMismatch,
    app_commands.TransformerError,
)  # the person's client still shows commands of an older version


def root_of(error: BaseException) -> BaseException:
    """Unwrap the error that discord.py wrapped."""
    while isinstance(error, app_commands.CommandInvokeError):
        error = error.original
    return error


async def run_with_error_reply(interaction: Interaction, work: Coroutine[Any, Any, None]) -> None:
    """Run ``work``; answer the person with whatever goes wrong."""
    outcome = await outcome_of(work)
    if outcome.error is not None:
        await reply_to_error(interaction, outcome.error)


async def reply_to_error(interaction: Interaction, error: BaseException) -> None:
    """Tell the person, and only them, what went wrong and how to fix it.

    A public "thinking…" that is already shown is removed.
    """
    error = root_of(error)
    if isinstance(error, app_commands.CheckFailure):
        return  # the check itself has answered
    if isinstance(error, _LOST) or interaction.client.is_closed():
        log.info("interaction_lost", reason=_reason(error))
        return
    locale = str(interaction.locale)
    text = _told(error, locale)
    view = ask_view(locale) if isinstance(error, AccessClosed) else None
    try:
        await answer(interaction, text, view)
    except _LOST as lost:
        log.info("refusal_not_shown", reason=_reason(lost))


def _told(error: BaseException, locale: str) -> str:
    if isinstance(error, _OUTDATED):
        return say("command_changed", {}, locale)
    if not isinstance(error, ClapperError):
        # the type only: a message of discord.py may hold what the person typed
        log.error("interaction_failed", error=type(error).__name__, exc_info=_trace(error))
        error = InternalError()
    return MARKUP.escape(explain(error, locale))


def _trace(error: BaseException) -> BaseException:
    """Return ``error``, or for one of discord.py's own a copy without its text."""
    if isinstance(error, app_commands.AppCommandError):
        return RuntimeError("refused by the command tree").with_traceback(error.__traceback__)
    return error


def _reason(error: BaseException) -> str:
    if isinstance(error, discord.HTTPException):
        return f"{error.status}/{error.code}"
    return type(error).__name__
