"""The form that a context menu opens: prefilled with a message's words, for its files.

What was found in the message is kept for a day, so that a form also works after a restart.
"""

import re
from collections.abc import Sequence
from typing import Any

import discord

from bots.discord.address import Interaction
from bots.discord.answers import show_form
from bots.discord.attachments import check_all
from bots.discord.edit_modal import MODAL_TEXT_LIMIT, option_labels, typed_in
from bots.discord.message_media import files_in, words_in
from bots.discord.option_parameters import MOST_CHOICES, MOST_FIELDS, fields_of, values_of
from bots.discord.permissions import check_rights
from bots.discord.served_files import ServedFile
from bots.discord.submission import DiscordContext, Visibility, submit_command
from core.domain.file_types import never_accepted
from core.domain.media import MediaKind
from core.domain.modes import MODES, MediaSlot, Mode
from core.domain.options import Options
from core.domain.time_units import DAY_MS
from core.errors import FormExpired, MediaNotShown
from core.i18n.messages import name, say
from core.i18n.option_words import role_label

FRONT = "discord-menu"  # the namespace of what was found, by form and person
LIFETIME_MS = DAY_MS  # links of Discord's live as long
MENU_FORM = re.compile(r"form:menu:(?P<mode>[a-z0-9_]{1,40}):(?P<form>\d{1,20})")
CHOICE_LIMIT = 100  # characters of what is chosen from
TITLE_LIMIT = 45
Found = dict[str, list[ServedFile]]  # by role, the best first


async def open_form(
    context: DiscordContext, interaction: Interaction, mode: Mode, message: discord.Message
) -> None:
    """Show a form for a clip from ``message``, after refusing what cannot work.

    Raises:
        MediaNotShown: the message shows nothing for a slot of the mode.
        InvalidInput: what it shows cannot be used.
        Refused: access or rights.
    """
    await context.users.access.check(context.caller(interaction))
    check_rights(interaction)
    found = candidates(mode, files_in(message))
    check_all(mode, {role: files[0] for role, files in found.items()}, context.users.media_limits)
    ours = interaction.client.user
    own = ours is not None and message.author.id == ours.id  # what a clip says of itself
    words = "" if own else words_in(message)
    form = menu_form(context, interaction, mode, found, words)
    await context.state.forget_older(FRONT, LIFETIME_MS)
    listed = {role: [file.to_json() for file in files] for role, files in found.items()}
    kept = {"files": listed, "private": message.flags.ephemeral}
    await context.state.remember(FRONT, _kept_as(interaction, str(interaction.id)), kept)
    await show_form(interaction, form)


def candidates(mode: Mode, files: Sequence[ServedFile]) -> Found:
    """Find what fits each slot of ``mode``, the best first; no file is the best for two.

    Raises:
        MediaNotShown: nothing fits a slot that needs a file.
    """
    found: Found = {}
    spec, taken = MODES[mode], set[str]()
    for slot in spec.every_slot:
        fitting = [one for one in files if slot.kind in one.kinds and one.url not in taken]
        if fitting:
            found[slot.role] = sorted(fitting, key=lambda file: _rank(file, slot.kind))
            taken.add(found[slot.role][0].url)
        elif slot in spec.slots:
            raise MediaNotShown(mode, slot.role)
    return found


def _rank(file: ServedFile, kind: MediaKind) -> tuple[bool, bool, int]:
    """Return 0 … for what cannot be used, says nothing of itself, or is for another slot rather."""
    useless = bool(file.other_host or never_accepted(file.content_type, file.name))
    return useless, len(file.kinds) == len(MediaKind), file.kinds.index(kind)


def menu_form(
    context: DiscordContext, interaction: Interaction, mode: Mode, found: Found, words: str
) -> discord.ui.Modal:
    """Build the form: the options of Edit, and a choice where several files fit a slot."""
    limits, locale = context.users.limits, str(interaction.locale)
    prompt = words[: min(MODAL_TEXT_LIMIT, limits.prompt_characters)]
    form = discord.ui.Modal(
        title=name(mode, locale)[:TITLE_LIMIT],
        custom_id=f"form:menu:{mode}:{interaction.id}",
        timeout=None,
    )
    for label in option_labels(fields_of(mode), Options(prompt=prompt), limits, locale):
        form.add_item(label)
    room = MOST_FIELDS - len(fields_of(mode))
    several = [slot for slot in MODES[mode].slots if len(found[slot.role]) > 1]
    for slot in several[:room]:
        form.add_item(_choice(slot, found[slot.role], locale))
    form.stop()  # answers are handled by `receive_menu_form`, not by this object
    return form


def _choice(slot: MediaSlot, files: list[ServedFile], locale: str) -> discord.ui.Label[Any]:
    options = [
        discord.SelectOption(
            label=say("menu_file", {"number": number, "name": file.name}, locale)[:CHOICE_LIMIT],
            value=str(number),
            default=number == 1,
        )
        for number, file in enumerate(files[:MOST_CHOICES], 1)
    ]
    return discord.ui.Label(
        text=role_label(slot.role, locale),
        component=discord.ui.Select(custom_id=f"file_{slot.role}", options=options),
    )


async def receive_menu_form(
    context: DiscordContext, interaction: Interaction, of_mode: str, form: str
) -> None:
    """Submit what a form asks for.

    Raises:
        FormExpired: it was opened too long ago, or sent before.
        InvalidInput: a value or a file cannot work.
        Refused: quota, policy, block, rights or a closed intake.
    """
    kept: Any = await context.state.recall(FRONT, _kept_as(interaction, form))
    if kept is None or of_mode not in set(Mode):
        raise FormExpired
    mode = Mode(of_mode)
    typed = typed_in(interaction)
    listed: dict[str, list[dict[str, Any]]] = kept.get("files", kept)  # alone, by versions before
    files = {role: _chosen(typed.get(f"file_{role}", "1"), ones) for role, ones in listed.items()}
    options = Options.of(values_of(typed, mode, context.users.limits))
    shown = Visibility(private=bool(kept.get("private", False)))  # nobody sees more than before
    await submit_command(context, interaction, mode, options, files, shown)
    await context.state.remember(FRONT, _kept_as(interaction, form), None)


def _chosen(typed: str, listed: list[dict[str, Any]]) -> ServedFile:
    number = int(typed) if typed.isdecimal() else 1
    return ServedFile(**listed[min(max(number, 1), len(listed)) - 1])


def _kept_as(interaction: Interaction, form: str) -> str:
    return f"{form}:{interaction.user.id}"  # what ends so goes when the person is forgotten
