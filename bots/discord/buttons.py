"""Handle the buttons under a job; all they need is in their id, so they survive a restart."""

import re
from collections.abc import Awaitable, Callable
from typing import Any, Self

import discord

from bots.discord.address import Interaction
from bots.discord.edit_modal import edit_form
from bots.discord.error_replies import run_with_error_reply
from bots.discord.rendering import CUSTOM_ID, clip_text, custom_id, texts_for
from bots.discord.submission import DiscordContext, Visibility, post_again, submit_followup
from core.domain.followups import Action, again, longer, quality
from core.domain.jobs import Job
from core.domain.media import MediaKind
from core.media.output.transcode import last_frame


class JobButton(discord.ui.DynamicItem[discord.ui.Button[Any]], template=CUSTOM_ID):
    """A button under the message of a job."""

    def __init__(self, action: Action, job_id: str) -> None:
        super().__init__(discord.ui.Button(custom_id=custom_id(action, job_id)))
        self.action = action
        self.job_id = job_id

    @classmethod
    async def from_custom_id(
        cls, interaction: Interaction, item: discord.ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        """Rebuild the button that was pressed from its id."""
        del interaction, item
        return cls(Action(match["action"]), match["job"])

    async def callback(self, interaction: Interaction) -> None:
        """Perform the action of the button for a person who may."""
        context: DiscordContext = interaction.client.context
        await run_with_error_reply(
            interaction, press(context, interaction, self.action, self.job_id)
        )


async def press(
    context: DiscordContext, interaction: Interaction, action: Action, job_id: str
) -> None:
    """Perform ``action`` on a job of the person.

    Raises:
        ClapperError: the job is not theirs, is gone, or does not allow it now.
    """
    job = await context.desk.job(job_id, context.person(interaction))
    await _HANDLERS[action](context, interaction, job)


async def _cancel(context: DiscordContext, interaction: Interaction, job: Job) -> None:
    await interaction.response.defer()
    await context.desk.cancel(job.id, context.person(interaction))


async def _again(context: DiscordContext, interaction: Interaction, job: Job) -> None:
    await submit_followup(context, interaction, again(job.request), job)


async def _quality(context: DiscordContext, interaction: Interaction, job: Job) -> None:
    better = quality(job.request, context.desk.service.limits)
    await submit_followup(context, interaction, better, job)


async def _edit(context: DiscordContext, interaction: Interaction, job: Job) -> None:
    del context
    await interaction.response.send_modal(edit_form(job, str(interaction.locale)))


async def _details(context: DiscordContext, interaction: Interaction, job: Job) -> None:
    del context
    text = clip_text(texts_for(str(interaction.locale)).details(job))
    await interaction.response.send_message(text, ephemeral=True)


async def _fetch(context: DiscordContext, interaction: Interaction, job: Job) -> None:
    await post_again(context, interaction, job)


async def _longer(context: DiscordContext, interaction: Interaction, job: Job) -> None:
    await interaction.response.defer(
        thinking=True, ephemeral=Visibility.of(job, interaction).private
    )
    clip = await context.desk.service.clip(job.id)
    with context.desk.service.workspace() as folder:
        still = await last_frame(clip.path, folder)
        owner = context.person(interaction).requester
        frame = await context.desk.service.admit(still, "image", MediaKind.IMAGE, owner)
    await submit_followup(context, interaction, longer(job.request, frame), job)


async def _last_frame(context: DiscordContext, interaction: Interaction, job: Job) -> None:
    await interaction.response.defer(thinking=True, ephemeral=True)
    clip = await context.desk.service.clip(job.id)
    text = texts_for(str(interaction.locale)).say("use_frame", job=job.id[:8])
    with context.desk.service.workspace() as folder:
        still = await last_frame(clip.path, folder)
        file = discord.File(still, f"last-frame-{job.id[:8]}.png")
        await interaction.edit_original_response(content=text, attachments=[file])


async def _delete(context: DiscordContext, interaction: Interaction, job: Job) -> None:
    await interaction.response.defer()
    await context.desk.service.delete(job.id)
    await interaction.delete_original_response()


_HANDLERS: dict[Action, Callable[[DiscordContext, Interaction, Job], Awaitable[None]]] = {
    Action.CANCEL: _cancel,
    Action.AGAIN: _again,
    Action.EDIT: _edit,
    Action.LONGER: _longer,
    Action.LAST_FRAME: _last_frame,
    Action.QUALITY: _quality,
    Action.DETAILS: _details,
    Action.FETCH: _fetch,
    Action.DELETE: _delete,
}
