"""Buttons that work days later and after a restart: all they know is in their id."""

import re
from collections.abc import Awaitable, Callable
from typing import Any, Self

import discord

from bots.discord.address import Interaction
from bots.discord.edit_modal import edit_form
from bots.discord.error_replies import answered
from bots.discord.rendering import CUSTOM_ID, clip_text, custom_id, texts_for
from bots.discord.submission import Counter, Manner, fetch, remake
from core.domain.followups import Action, again, longer, quality
from core.domain.jobs import Job
from core.domain.media import MediaKind
from core.media.output.transcode import last_frame


class JobButton(discord.ui.DynamicItem[discord.ui.Button[Any]], template=CUSTOM_ID):
    """Any button under any job's message."""

    def __init__(self, action: Action, job_id: str) -> None:
        super().__init__(discord.ui.Button(custom_id=custom_id(action, job_id)))
        self.action = action
        self.job_id = job_id

    @classmethod
    async def from_custom_id(
        cls, interaction: Interaction, item: discord.ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        """Return the button that was pressed."""
        del interaction, item
        return cls(Action(match["action"]), match["job"])

    async def callback(self, interaction: Interaction) -> None:
        """Do what the button says, for who may."""
        counter: Counter = interaction.client.counter
        await answered(interaction, press(counter, interaction, self.action, self.job_id))


async def press(counter: Counter, interaction: Interaction, action: Action, job_id: str) -> None:
    """Do ``action`` on a job that the person may touch.

    Raises:
        ClapperError: not theirs, not there, or not possible now.
    """
    job = await counter.desk.job(job_id, counter.person(interaction))
    await _HANDLERS[action](counter, interaction, job)


async def _cancel(counter: Counter, interaction: Interaction, job: Job) -> None:
    await interaction.response.defer()
    await counter.desk.cancel(job.id, counter.person(interaction))


async def _again(counter: Counter, interaction: Interaction, job: Job) -> None:
    await remake(counter, interaction, again(job.request), job)


async def _quality(counter: Counter, interaction: Interaction, job: Job) -> None:
    better = quality(job.request, counter.desk.service.limits)
    await remake(counter, interaction, better, job)


async def _edit(counter: Counter, interaction: Interaction, job: Job) -> None:
    del counter
    await interaction.response.send_modal(edit_form(job, str(interaction.locale)))


async def _details(counter: Counter, interaction: Interaction, job: Job) -> None:
    del counter
    text = clip_text(texts_for(str(interaction.locale)).details(job))
    await interaction.response.send_message(text, ephemeral=True)


async def _fetch(counter: Counter, interaction: Interaction, job: Job) -> None:
    await fetch(counter, interaction, job)


async def _go_on(counter: Counter, interaction: Interaction, job: Job) -> None:
    await interaction.response.defer(thinking=True, ephemeral=Manner.of(job, interaction).private)
    clip = await counter.desk.service.clip(job.id)
    with counter.desk.service.workspace() as folder:
        still = await last_frame(clip.path, folder)
        owner = counter.person(interaction).requester
        frame = await counter.desk.service.admit(still, "image", MediaKind.IMAGE, owner)
    await remake(counter, interaction, longer(job.request, frame), job)


async def _show_last_frame(counter: Counter, interaction: Interaction, job: Job) -> None:
    await interaction.response.defer(thinking=True, ephemeral=True)
    clip = await counter.desk.service.clip(job.id)
    text = texts_for(str(interaction.locale)).say("use_frame", job=job.id[:8])
    with counter.desk.service.workspace() as folder:
        still = await last_frame(clip.path, folder)
        file = discord.File(still, f"last-frame-{job.id[:8]}.png")
        await interaction.edit_original_response(content=text, attachments=[file])


async def _delete(counter: Counter, interaction: Interaction, job: Job) -> None:
    await interaction.response.defer()
    await counter.desk.service.delete(job.id)
    await interaction.delete_original_response()


_HANDLERS: dict[Action, Callable[[Counter, Interaction, Job], Awaitable[None]]] = {
    Action.CANCEL: _cancel,
    Action.AGAIN: _again,
    Action.EDIT: _edit,
    Action.LONGER: _go_on,
    Action.LAST_FRAME: _show_last_frame,
    Action.QUALITY: _quality,
    Action.DETAILS: _details,
    Action.FETCH: _fetch,
    Action.DELETE: _delete,
}
