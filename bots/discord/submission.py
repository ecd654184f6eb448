"""From an interaction to an accepted job: the one way that commands, menus and buttons take."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Self

import discord

from bots.discord.address import PLATFORM, Address, Interaction, address_of, is_direct, person_of
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
class Manner:
    """How the answer should be shown."""

    private: bool = False  # only the person sees it
    spoiler: bool = False  # the clip is veiled

    @classmethod
    def of(cls, job: Job, interaction: Interaction) -> Self:
        """Return how what is made from ``job``, or ``job`` itself, is shown here.

        Nobody sees more of it than before: what was private, or is unknown in this channel, is for
        the person alone, and what was veiled stays so.
        """
        message = interaction.message
        private = bool(message and message.flags.ephemeral)
        if job.reply_to.platform != PLATFORM:
            return cls(private or not is_direct(interaction))
        at = Address.of(job.reply_to)
        foreign = at.channel_id != interaction.channel_id and not is_direct(interaction)
        return cls(private or at.private or foreign, at.spoiler)


@dataclass(frozen=True, slots=True)
class Counter:
    """What every handler of an interaction needs."""

    desk: Desk
    delivery: DiscordDelivery
    media_limits: MediaLimits
    window_hours: float
    operator_roles: frozenset[str] = frozenset()

    def person(self, interaction: Interaction) -> Caller:
        """Return who is asking, and from where."""
        return person_of(interaction, self.operator_roles)


async def make(
    counter: Counter,
    interaction: Interaction,
    mode: Mode,
    options: Options,
    attachments: Mapping[str, discord.Attachment],
    manner: Manner,
) -> None:
    """Answer a command that asks for a clip.

    What can be refused by what it declares is refused first, privately; then Discord gets its
    answer within its three seconds; then files are fetched, and the job is accepted.

    Raises:
        InvalidInput: a value or file cannot work.
        Refused: quota, policy, block, rights or a closed intake.
    """
    check_rights(interaction)
    check_all(mode, attachments, counter.media_limits)
    at = await _defer(interaction, manner)
    person = counter.person(interaction)
    files = await receive_all(counter.desk.service, mode, attachments, person.requester)
    ticket = await counter.desk.ask(mode, options, files, person, at.to_reply(), _key(interaction))
    await acknowledge(counter, interaction, at, ticket)


async def remake(
    counter: Counter, interaction: Interaction, request: Request | Composition, job: Job
) -> None:
    """Answer a button that asks for another clip, made from ``job`` and shown in its manner.

    Raises:
        Refused: quota, policy, block, rights or a closed intake.
    """
    check_rights(interaction)
    manner = Manner.of(job, interaction)
    if interaction.response.is_done():
        message = await interaction.original_response()
        at = address_of(interaction, message.id, private=manner.private, spoiler=manner.spoiler)
    else:
        at = await _defer(interaction, manner)
    ticket = await counter.desk.repeat(
        request, counter.person(interaction), at.to_reply(), _key(interaction)
    )
    await acknowledge(counter, interaction, at, ticket)


async def fetch(counter: Counter, interaction: Interaction, job: Job) -> None:
    """Post a finished clip once more, where it is asked for and in its own manner.

    Raises:
        Refused: it would be shown to all where the rules forbid it, or a block.
        NothingToFetch: it is not there.
        DeliveryFailed: it could not be posted.
    """
    manner = Manner.of(job, interaction)
    if not manner.private:
        await counter.desk.check_showing(job, counter.person(interaction))
    at = await _defer(interaction, manner)
    clip = await counter.desk.service.clip(job.id)
    again = replace(job, reply_to=at.to_reply())
    once = Attempt(number=1, ambiguous=False, nonce=str(interaction.id))
    await counter.delivery.completed(again, clip, once)


async def acknowledge(
    counter: Counter, interaction: Interaction, at: Address, ticket: Ticket
) -> None:
    """Show place in line, expected time and what was adjusted, with a Cancel button.

    A job that is already finished is shown by its delivery, not here.
    """
    job = await counter.desk.service.job(ticket.job_id)
    if not job.state.terminal:
        text = texts_for(str(interaction.locale)).ticket(job, ticket)
        await counter.delivery.accepted(job, at, text)


async def _defer(interaction: Interaction, manner: Manner) -> Address:
    answer = await interaction.response.defer(thinking=True, ephemeral=manner.private)
    message_id = answer.message_id if answer is not None else None
    if message_id is None:
        message_id = (await interaction.original_response()).id
    return address_of(interaction, message_id, private=manner.private, spoiler=manner.spoiler)


def _key(interaction: Interaction) -> str:
    return f"{PLATFORM}:{interaction.id}"
