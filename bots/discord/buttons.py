"""Handle the buttons under a job; all they need is in their id, so they survive a restart."""

import re
from collections.abc import Awaitable, Callable
from typing import Any, Self

import discord

from bots.discord.address import Interaction
from bots.discord.answers import acknowledge, answer, remove, show_form, think
from bots.discord.edit_modal import edit_form
from bots.discord.error_replies import run_with_error_reply
from bots.discord.feed_buttons import show_offer
from bots.discord.remix import open_remix, show_details
from bots.discord.rendering import CUSTOM_ID, custom_id, texts_for
from bots.discord.submission import DiscordContext, post_again, share, submit_followup
from core.domain.followups import Action
from core.domain.jobs import Job
from core.errors import JobUnknown
from core.i18n.messages import SHORT_ID

Handler = Callable[[DiscordContext, Interaction, Job], Awaitable[None]]


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


class ShareButton(
    discord.ui.DynamicItem[discord.ui.Button[Any]], template=r"share:(?P<job>[0-9a-f]{32})"
):
    """Shows everybody in the channel a clip that its owner alone sees."""

    def __init__(self, job_id: str) -> None:
        super().__init__(discord.ui.Button(custom_id=f"share:{job_id}"))
        self.job_id = job_id

    @classmethod
    async def from_custom_id(
        cls, interaction: Interaction, item: discord.ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        """Rebuild the button that was pressed from its id."""
        del interaction, item
        return cls(match["job"])

    async def callback(self, interaction: Interaction) -> None:
        """Post the clip for everybody."""
        await run_with_error_reply(interaction, self._share(interaction))

    async def _share(self, interaction: Interaction) -> None:
        context: DiscordContext = interaction.client.context
        job = await context.users.job(context.caller(interaction), self.job_id)
        if context.presses.is_second(str(interaction.user.id), "share", job.id):
            await acknowledge(interaction)
            return
        await share(context, interaction, job)


async def press(
    context: DiscordContext, interaction: Interaction, action: Action, job_id: str
) -> None:
    """Perform ``action`` on a job of the person.

    Raises:
        JobUnknown: the job is gone.
        ClapperError: the job is not theirs, or does not allow it now.
    """
    if action in _OPEN:
        await _OPEN[action](context, interaction, job_id)
        return
    try:
        job = await context.users.job(context.caller(interaction), job_id)
    except JobUnknown:
        if action is Action.DELETE and _asked_for(interaction):
            await acknowledge(interaction)
            await remove(interaction)
            return
        raise
    await _HANDLERS[action](context, interaction, job)


def _asked_for(interaction: Interaction) -> bool:
    """Tell whether the message whose button was pressed answered this person."""
    message = interaction.message
    asked = message.interaction_metadata if message else None
    return asked is not None and asked.user.id == interaction.user.id


async def _cancel(context: DiscordContext, interaction: Interaction, job: Job) -> None:
    await acknowledge(interaction)
    await context.users.cancel(context.caller(interaction), job.id)


def _follow_up(action: Action) -> Handler:
    async def submit(context: DiscordContext, interaction: Interaction, job: Job) -> None:
        if context.presses.is_second(str(interaction.user.id), action, job.id):
            await acknowledge(interaction)
            return
        await submit_followup(context, interaction, job, action)

    return submit


async def _edit(context: DiscordContext, interaction: Interaction, job: Job) -> None:
    form = edit_form(job, context.users.limits, str(interaction.locale))
    await show_form(interaction, form)


async def _last_frame(context: DiscordContext, interaction: Interaction, job: Job) -> None:
    await think(interaction)
    caller, short = context.caller(interaction), job.id[:SHORT_ID]
    with context.users.files.workspace() as folder:
        still = await context.users.clips.last_frame(caller, job.id, folder)
        file = discord.File(still, f"last-frame-{short}.png")
        text = texts_for(str(interaction.locale)).say("use_frame", job=short)
        await answer(interaction, text, files=[file])


async def _delete(context: DiscordContext, interaction: Interaction, job: Job) -> None:
    await acknowledge(interaction)
    await context.users.delete(context.caller(interaction), job.id)
    await remove(interaction)
    await context.delivery.remove_copies(job.id)


_OPEN: dict[Action, Callable[[DiscordContext, Interaction, str], Awaitable[None]]] = {
    Action.DETAILS: show_details,  # to all, where all see the clip
    Action.REMIX: open_remix,
    Action.PUBLISH: show_offer,  # to its maker alone
}
_HANDLERS: dict[Action, Handler] = {
    Action.CANCEL: _cancel,
    Action.AGAIN: _follow_up(Action.AGAIN),
    Action.EDIT: _edit,
    Action.LONGER: _follow_up(Action.LONGER),
    Action.LAST_FRAME: _last_frame,
    Action.QUALITY: _follow_up(Action.QUALITY),
    Action.SMALLER: _follow_up(Action.SMALLER),
    Action.FETCH: post_again,
    Action.DELETE: _delete,
}
