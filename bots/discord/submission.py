"""Submit jobs for interactions: commands, menus, buttons and forms all end here."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Self

from bots.discord.address import (
    PLATFORM,
    DiscordAddress,
    Interaction,
    address_of,
    caller_of,
    is_direct,
)
from bots.discord.answers import think
from bots.discord.attachments import check_all, receive_all
from bots.discord.delivery import DiscordDelivery
from bots.discord.permissions import check_rights
from bots.discord.rendering import texts_for
from bots.discord.served_files import Downloads, ServedFile
from bots.shared.double_presses import DoublePresses
from bots.shared.drafts import of_drafts
from bots.shared.job_notes import notes_on
from bots.shared.languages import KnownLanguages
from core.domain.followups import Action
from core.domain.jobs import Job
from core.domain.lineage import JobOrigin
from core.domain.media import MediaFile
from core.domain.modes import Mode
from core.domain.options import Options
from core.domain.people import Caller
from core.domain.requests import Composition
from core.domain.words import StyleWords
from core.interfaces.delivery import DeliveryAttempt
from core.service.front_services import FrontState
from core.service.operator_api import OperatorApi
from core.service.user_api import UserApi


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
            veiled = job.reply_to.address.get("spoiler") == "1"
            return cls(private or not is_direct(interaction), veiled)
        at = DiscordAddress.of(job.reply_to)
        foreign = at.channel_id != interaction.channel_id and not is_direct(interaction)
        return cls(private or at.private or foreign, at.spoiler)


@dataclass(frozen=True, slots=True)
class DiscordContext:
    """What every handler of an interaction needs of the running front."""

    users: UserApi
    state: FrontState
    delivery: DiscordDelivery
    downloads: Downloads
    languages: KnownLanguages
    window_hours: float
    operator_roles: frozenset[str] = frozenset()
    presses: DoublePresses = field(default_factory=DoublePresses)

    def caller(self, interaction: Interaction) -> Caller:
        """Identify who is asking, and from where."""
        return caller_of(interaction, self.operator_roles)

    def operator(self, interaction: Interaction) -> OperatorApi:
        """Open what only operators may do, for the operator who is asking.

        Raises:
            OperatorsOnly: the person is not an operator.
        """
        return self.users.operator(self.caller(interaction))


async def submit_command(
    context: DiscordContext,
    interaction: Interaction,
    mode: Mode,
    options: Options,
    given: Mapping[str, ServedFile],
    visibility: Visibility,
    origin: JobOrigin | None = None,
    kept: StyleWords | None = None,
) -> None:
    """Answer a command, or a form with files, that asks for a clip.

    Refuse first, privately, what declares that it cannot work; then answer Discord within its three
    seconds; then download the files and submit the job. What is made from a hidden file is hidden.

    Raises:
        InvalidInput: a value or file cannot work.
        Refused: quota, policy, block, rights or a closed intake.
    """
    await context.users.access.check(context.caller(interaction))
    check_rights(interaction)
    limits = context.users.media_limits
    check_all(mode, given, limits)
    veiled = visibility.spoiler or any(file.spoiler for file in given.values())
    at = await _defer(context, interaction, replace(visibility, spoiler=veiled))
    caller = context.caller(interaction)
    uploads = context.users.files
    files = await receive_all(context.downloads, uploads, caller, mode, given, limits)
    composition = await context.users.compose(caller, mode, options, files, kept)
    await _submit(context, interaction, at, replace(composition, origin=origin))


async def submit_followup(
    context: DiscordContext, interaction: Interaction, job: Job, action: Action
) -> None:
    """Answer a button that asks for the clip which ``action`` makes from ``job``.

    It is shown like the clip of ``job``.

    Raises:
        NothingToFetch: the action needs the clip of ``job``, which is gone.
        Refused: quota, policy, block, rights or a closed intake.
    """
    caller = context.caller(interaction)
    await context.users.access.check(caller)
    check_rights(interaction)
    at = await _defer(context, interaction, Visibility.of(job, interaction))
    composition = await context.users.follow_up(caller, job.id, action)
    await _submit(context, interaction, at, composition)


async def submit_edit(
    context: DiscordContext,
    interaction: Interaction,
    job: Job,
    options: Options,
    media: Mapping[str, MediaFile],
    origin: JobOrigin,
) -> None:
    """Answer a form that asks for ``job`` with other options; it is shown like the clip of ``job``.

    ``media`` are the files that may be used, by role; ``origin`` is the button of the form.

    Raises:
        InvalidInput: a value cannot work.
        Refused: quota, policy, block, rights or a closed intake.
    """
    caller = context.caller(interaction)
    await context.users.access.check(caller)
    composition = await context.users.compose(
        caller, job.request.mode, options, media, job.request.style
    )
    check_rights(interaction)
    at = await _defer(context, interaction, Visibility.of(job, interaction))
    await _submit(context, interaction, at, replace(composition, origin=origin))


async def post_again(context: DiscordContext, interaction: Interaction, job: Job) -> None:
    """Post a finished clip once more, where it is asked for, shown as before.

    Raises:
        Refused: it would be shown to all where the rules forbid it, or a block.
        NothingToFetch: the clip is gone.
        DeliveryFailed: the clip could not be posted.
    """
    caller = context.caller(interaction)
    visibility = Visibility.of(job, interaction)
    if not await context.users.owns(caller, job):  # an operator looks, and shows it to nobody
        visibility = replace(visibility, private=True)
    if not visibility.private:
        await context.users.check_showing(caller, job.id)
    at = job.reply_to
    was_public = at.platform == PLATFORM and DiscordAddress.of(at).is_public
    await _post(context, interaction, job, visibility, was_public=was_public)


async def share(context: DiscordContext, interaction: Interaction, job: Job) -> None:
    """Show a clip, which its owner alone sees here, to everybody in the channel.

    Raises:
        Refused: it is somebody else's, or the rules of the place forbid it.
        NothingToFetch: the clip is gone.
        DeliveryFailed: the clip could not be posted.
    """
    await context.users.check_sharing(context.caller(interaction), job.id)
    check_rights(interaction)
    visibility = replace(Visibility.of(job, interaction), private=False)
    await _post(context, interaction, job, visibility, was_public=False)


async def _post(
    context: DiscordContext,
    interaction: Interaction,
    job: Job,
    visibility: Visibility,
    *,
    was_public: bool,
) -> None:
    at = await _defer(context, interaction, visibility)
    clip = await context.users.clips.get(context.caller(interaction), job.id)
    again = replace(job, reply_to=at.to_reply())
    once = DeliveryAttempt(number=1, ambiguous=False, nonce=str(interaction.id))
    await context.delivery.post(again, clip, once, public=was_public and at.is_public)


async def _submit(
    context: DiscordContext, interaction: Interaction, at: DiscordAddress, composition: Composition
) -> None:
    """Submit the request, and show position, expected time and adjustments with a Cancel button.

    A job that is already finished is shown by its delivery instead.
    """
    caller, key = context.caller(interaction), f"{PLATFORM}:{interaction.id}"
    at = replace(at, notes=notes_on(composition, at.locale))
    ticket = await context.users.submit(caller, composition, at.to_reply(), key)
    job = await context.users.job(caller, ticket.job_id)
    if not job.state.terminal:
        ticket_text = texts_for(at.locale).ticket(job, ticket)
        text = of_drafts(job, ticket_text, at.locale, context.delivery.offers, new=True)
        await context.delivery.accepted(job, at, text)


async def _defer(
    context: DiscordContext, interaction: Interaction, visibility: Visibility
) -> DiscordAddress:
    private, spoiler = visibility.private, visibility.spoiler
    message_id = await think(interaction, private=private)
    locale = await _language(context, interaction, visibility)
    return address_of(interaction, message_id, locale, private=private, spoiler=spoiler)


async def _language(
    context: DiscordContext, interaction: Interaction, visibility: Visibility
) -> str:
    """Choose the language of an answer: of the place where everybody reads it, else the person's.

    A place has the one that operators chose, or else that of the server's settings.
    """
    own = str(interaction.locale)
    if visibility.private or is_direct(interaction):
        return own
    chosen = await context.users.access.language(context.caller(interaction))
    return chosen or str(interaction.guild_locale or own)
