"""Every refusal becomes one private answer; everything else becomes one log line and an apology."""

from collections.abc import Coroutine
from typing import Any

import discord
import structlog
from discord import app_commands

from bots.discord.look import MARKUP, clip_text
from bots.discord.place import Interaction
from core.errors import ClapperError, InternalError
from core.messages import explain
from core.supervise import outcome_of

log = structlog.get_logger(__name__)


def root_of(error: BaseException) -> BaseException:
    """Return the error that discord.py wrapped."""
    while isinstance(error, app_commands.CommandInvokeError):
        error = error.original
    return error


async def answered(interaction: Interaction, work: Coroutine[Any, Any, None]) -> None:
    """Do ``work``; whatever goes wrong becomes an answer to the person."""
    outcome = await outcome_of(work)
    if outcome.error is not None:
        await answer_error(interaction, outcome.error)


async def answer_error(interaction: Interaction, error: BaseException) -> None:
    """Tell the person, and only them, what to do.

    A public "thinking…" that is already shown is taken away first.
    """
    error = root_of(error)
    if isinstance(error, discord.HTTPException):
        log.info("interaction_lost", status=error.status, code=error.code)
        return
    if not isinstance(error, ClapperError):
        log.error("interaction_failed", exc_info=error)
        error = InternalError()
    text = clip_text(MARKUP.escape(explain(error, str(interaction.locale))))
    try:
        if not interaction.response.is_done():
            await interaction.response.send_message(text, ephemeral=True)
            return
        answer = await interaction.original_response()
        if not answer.flags.loading:
            await interaction.followup.send(text, ephemeral=True)
        elif answer.flags.ephemeral:
            await interaction.edit_original_response(content=text)
        else:
            await interaction.followup.send(text, ephemeral=True)
            await interaction.delete_original_response()
    except discord.HTTPException as lost:
        log.info("refusal_not_shown", status=lost.status, code=lost.code)
