"""Details and Remix under a clip that everybody sees, and the form of Remix, also after a restart.

The message whose button was pressed says what may be read: it is asked again when the form comes.
"""

import re
from collections.abc import Sequence
from typing import Any, cast

import discord

from bots.discord.address import Interaction
from bots.discord.answers import answer, show_form
from bots.discord.edit_modal import add_fields, edited, typed_in
from bots.discord.option_parameters import MOST_FIELDS, fields_of
from bots.discord.rendering import texts_for
from bots.discord.served_files import ServedFile
from bots.discord.submission import DiscordContext, Visibility, submit_command, submit_edit
from bots.shared.public_jobs import details_text, remix_source
from core.domain.file_types import ACCEPTED
from core.domain.followups import Action
from core.domain.lineage import JobOrigin
from core.domain.modes import MODES, MediaSlot
from core.i18n.messages import say
from core.i18n.option_words import role_label
from core.service.public_clips import Remixable

REMIX_ID = re.compile(r"form:remix:(?P<job>[0-9a-f]{32})")


def post_of(interaction: Interaction) -> str:
    """Name the message whose button was pressed, or whose form was sent."""
    message = interaction.message
    return f"{interaction.channel_id}/{message.id if message else 0}"


async def show_details(context: DiscordContext, interaction: Interaction, job_id: str) -> None:
    """Show how a clip was made, to who pressed alone.

    Raises:
        JobUnknown: there is no such job.
        NotYours: it belongs to somebody else, and not all see it here.
    """
    texts, caller = texts_for(str(interaction.locale)), context.caller(interaction)
    post = post_of(interaction)
    await answer(interaction, await details_text(context.users, caller, texts, job_id, post))


async def open_remix(context: DiscordContext, interaction: Interaction, job_id: str) -> None:
    """Open the form of a clip of one's own, with the words and settings of another one.

    Raises:
        JobUnknown, NotYours: there is no such job, or not all see its clip here.
        Refused: access, or a rule of the place.
    """
    caller = context.caller(interaction)
    await context.users.access.check(caller)
    source = await remix_source(context.users, caller, job_id, post_of(interaction))
    request, locale = source.job.request, str(interaction.locale)
    slots = missing_slots(source)
    form = discord.ui.Modal(
        title=say("remix_label", {}, locale), custom_id=f"form:remix:{job_id}", timeout=None
    )
    options = fields_of(request.mode)[: MOST_FIELDS - len(slots)]
    add_fields(form, request, options, context.users.limits, locale)
    for slot in slots:
        form.add_item(_upload(slot, locale))
    form.stop()  # answers are handled by `receive_remix`, not by this object
    await show_form(interaction, form)


def missing_slots(source: Remixable) -> Sequence[MediaSlot]:
    """List the slots that need a file of whoever remixes."""
    slots = MODES[source.job.request.mode].slots
    return [slot for slot in slots if slot.role not in source.media]


def _upload(slot: MediaSlot, locale: str | None) -> discord.ui.Label[Any]:
    upload: discord.ui.FileUpload[Any] = discord.ui.FileUpload(custom_id=slot.role, required=True)
    return discord.ui.Label(
        text=role_label(slot.role, locale), description=ACCEPTED[slot.kind], component=upload
    )


async def receive_remix(context: DiscordContext, interaction: Interaction, job_id: str) -> None:
    """Submit a job of the person's own with the values and files of the form.

    Raises:
        JobUnknown, NotYours: there is no such job, or not all see its clip here any more.
        InvalidInput: a value or file cannot work.
        Refused: access, quota, a rule of the place or a closed intake.
    """
    caller = context.caller(interaction)
    source = await remix_source(context.users, caller, job_id, post_of(interaction))
    job, origin = source.job, JobOrigin(Action.REMIX, job_id)
    options = edited(job.request, typed_in(interaction), context.users.limits)
    if not missing_slots(source):
        await submit_edit(context, interaction, job, options, source.media, origin)
        return
    sent, shown = _files(interaction), Visibility.of(job, interaction)
    request = job.request
    await submit_command(
        context, interaction, request.mode, options, sent, shown, origin, request.style
    )


def _files(interaction: Interaction) -> dict[str, ServedFile]:
    """Read the files of a sent form by field."""
    data = cast("dict[str, Any]", interaction.data or {})
    resolved: dict[str, Any] = data.get("resolved", {}).get("attachments", {})
    labels: list[dict[str, Any]] = data.get("components", [])
    fields: list[dict[str, Any]] = [label.get("component") or {} for label in labels]
    state: Any = interaction._state  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]  # the library gives files to forms that a restart loses
    return {
        str(field["custom_id"]): ServedFile.of(
            discord.Attachment(data=resolved[sent[0]], state=state)
        )
        for field in fields
        if (sent := field.get("values")) and sent[0] in resolved
    }
