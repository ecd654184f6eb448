"""Submit jobs for interactions: commands, menus, buttons and forms all end here."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Self

import discord

from bots.discord.address import (
    PLATFORM,
    DiscordAddress,
    Interaction,
    address_of,
    is_direct,
    person_of,
)
from bots.discord.attachments import check_all, receive_all
from bots.discord.delivery import DiscordDelivery
from bots.discord.permissions import check_rights
from bots.discord.rendering import texts_for
from core.domain.jobs import Job, Ticket
from core.domain.limits import MediaLimits
from core.domain.modes import Mode
from core.domain.people import Caller
from core.domain.requests import Composition, Options, Request
from core.interfaces.delivery import Attempt
from core.service.user_api import Desk


@dataclass(frozen=True, slots=True)
class Visibility:
    """Who may see the answer, and whether the clip is hidden until it is clicked."""

    private: bool = False  # only the person sees it
    spoiler: bool = False  # the clip is hidden until it is clicked

    @classmethod
    def of(cls, job: Job, interaction: Interaction) -> Self:
        """Choose how ``job``, or what is made from it, is shown here.

        Nobody sees more of it than before: what was private, or comes from another channel, is for
        the person alone, and a spoiler stays one.
        """
        message = interaction.message
        private = bool(message and message.flags.ephemeral)
        if job.reply_to.platform != PLATFORM:
            return cls(private or not is_direct(interaction))
        at = DiscordAddress.of(job.reply_to)
        foreign = at.channel_id != interaction.channel_id and not is_direct(interaction)
        return cls(private or at.private or foreign, at.spoiler)


@dataclass(frozen=True, slots=True)
class DiscordContext:
    """What every handler of an interaction needs of the running front."""

    desk: Desk
    delivery: DiscordDelivery
    media_limits: MediaLimits
    window_hours: float
    operator_roles: frozenset[str] = frozenset()

    def person(self, interaction: Interaction) -> Caller:
        """Identify who is asking, and from where."""
        return person_of(interaction, self.operator_roles)


async def submit_command(
    context: DiscordContext,
    interaction: Interaction,
    mode: Mode,
    options: Options,
    attachments: Mapping[str, discord.Attachment],
    visibility: Visibility,
) -> None:
    """Answer a command that asks for a clip.

    Refuse first, privately, what declares that it cannot work; then answer Discord within its three
    seconds; then download the files and submit the job.

    Raises:
        InvalidInput: a value or file cannot work.
        Refused: quota, policy, block, rights or a closed intake.
    """
    check_rights(interaction)
    check_all(mode, attachments, context.media_limits)
    at = await _defer(interaction, visibility)
    person = context.person(interaction)
    files = await receive_all(context.desk.service, mode, attachments, person.requester)
    ticket = await context.desk.ask(mode, options, files, person, at.to_reply(), _key(interaction))
    await acknowledge(context, interaction, at, ticket)


async def submit_followup(
    context: DiscordContext, interaction: Interaction, request: Request | Composition, job: Job
) -> None:
    """Answer a button that asks for another clip, made from ``job`` and shown like it.

    Raises:
        Refused: quota, policy, block, rights or a closed intake.
    """
    check_rights(interaction)
    visibility = Visibility.of(job, interaction)
    if interaction.response.is_done():
        message = await interaction.original_response()
        at = address_of(
            interaction, message.id, private=visibility.private, spoiler=visibility.spoiler
        )
    else:
        at = await _defer(interaction, visibility)
    ticket = await context.desk.repeat(
        request, context.person(interaction), at.to_reply(), _key(interaction)
    )
    await acknowledge(context, interaction, at, ticket)


async def post_again(context: DiscordContext, interaction: Interaction, job: Job) -> None:
    """Post a finished clip once more, where it is asked for, shown as before.

    Raises:
        Refused: it would be shown to all where the rules forbid it, or a block.
        NothingToFetch: the clip is gone.
        DeliveryFailed: the clip could not be posted.
    """
    visibility = Visibility.of(job, interaction)
    if not visibility.private:
        await context.desk.check_showing(job, context.person(interaction))
    at = await _defer(interaction, visibility)
    clip = await context.desk.service.clip(job.id)
    again = replace(job, reply_to=at.to_reply())
    once = Attempt(number=1, ambiguous=False, nonce=str(interaction.id))
    await context.delivery.completed(again, clip, once)


async def acknowledge(
    context: DiscordContext, interaction: Interaction, at: DiscordAddress, ticket: Ticket
) -> None:
    """Show position, expected time and adjustments, with a Cancel button.

    A job that is already finished is shown by its delivery instead.
    """
    job = await context.desk.service.job(ticket.job_id)
    if not job.state.terminal:
        text = texts_for(str(interaction.locale)).ticket(job, ticket)
        await context.delivery.accepted(job, at, text)


async def _defer(interaction: Interaction, visibility: Visibility) -> DiscordAddress:
    answer = await interaction.response.defer(thinking=True, ephemeral=visibility.private)
    message_id = answer.message_id if answer is not None else None
    if message_id is None:
        message_id = (await interaction.original_response()).id
    return address_of(
        interaction, message_id, private=visibility.private, spoiler=visibility.spoiler
    )


def _key(interaction: Interaction) -> str:
    return f"{PLATFORM}:{interaction.id}"
