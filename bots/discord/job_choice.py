"""Choose a job of one's own: from a list while typing, by its id, or the newest one."""

from typing import Any

from discord import app_commands

from bots.discord.address import Interaction
from bots.discord.rendering import texts_for
from bots.discord.submission import DiscordContext
from core.domain.jobs import Job
from core.domain.people import Caller
from core.errors import NoJob

LOOKED_THROUGH = 50  # newest jobs
CHOICES = 25  # of an option
CHOICE_LIMIT = 100  # characters


async def chosen_job(
    context: DiscordContext, caller: Caller, typed: str | None, *, live: bool
) -> Job:
    """Find the job that was typed, or the newest one.

    Raises:
        JobUnknown: there is none that was typed.
        NoJob: there is none at all.
    """
    if typed:
        return await context.users.find(caller, typed)
    for newest in await context.users.jobs(caller, LOOKED_THROUGH):
        if not (live and newest.state.terminal):
            return newest
    raise NoJob("no_live_job" if live else "no_job_yet")


def offer_jobs(context: DiscordContext, *, live: bool) -> Any:  # noqa: ANN401  # an autocomplete
    """Offer the person's jobs while they type; only those that run or wait where ``live``."""

    async def offer(interaction: Interaction, current: str) -> list[app_commands.Choice[str]]:
        jobs = await context.users.jobs(context.caller(interaction), LOOKED_THROUGH)
        texts, typed = texts_for(str(interaction.locale)), current.strip().lower()
        named = [
            app_commands.Choice(name=texts.job_label(job, CHOICE_LIMIT), value=job.id)
            for job in jobs
            if not (live and job.state.terminal)
        ]
        return [one for one in named if typed in one.name.lower() or one.value.startswith(typed)][
            :CHOICES
        ]

    return offer
