"""Answer interactions: the one way of this front beside :mod:`bots.discord.sender`.

What is about one person is seen by that person alone. A test finds calls that go around this.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import discord
from discord.utils import MISSING

from bots.discord.address import Interaction
from bots.discord.rendering import clip_text


async def answer(
    interaction: Interaction,
    text: str,
    view: discord.ui.View | None = None,
    files: Sequence[discord.File] = (),
) -> None:
    """Tell the person, and only them; a public “thinking…” that is already shown is removed."""
    text, shown = clip_text(text), view or MISSING
    if not interaction.response.is_done():
        await interaction.response.send_message(text, view=shown, files=list(files), ephemeral=True)
        return
    first = await interaction.original_response()
    if first.flags.loading and first.flags.ephemeral:
        await interaction.edit_original_response(content=text, view=view, attachments=list(files))
        return
    await interaction.followup.send(text, view=shown, files=list(files), ephemeral=True)
    if first.flags.loading:
        await interaction.delete_original_response()


async def think(interaction: Interaction, *, private: bool = True) -> int:
    """Show “thinking…”, which becomes the answer, within Discord's three seconds; return its id."""
    shown = await interaction.response.defer(thinking=True, ephemeral=private)
    message_id = shown.message_id if shown is not None else None
    return message_id or (await interaction.original_response()).id


async def acknowledge(interaction: Interaction) -> None:
    """Say that a button was pressed, and show nothing."""
    await interaction.response.defer()


async def show_form(interaction: Interaction, form: discord.ui.Modal) -> None:
    """Open a form."""
    await interaction.response.send_modal(form)


async def replace(interaction: Interaction, text: str, view: discord.ui.View | None) -> None:
    """Show something else in the message whose button was pressed."""
    if interaction.response.is_done():
        await interaction.edit_original_response(content=clip_text(text), view=view)
    else:
        await interaction.response.edit_message(content=clip_text(text), view=view)


@dataclass(frozen=True, slots=True)
class Layout:
    """A message of components with the files that they show."""

    view: discord.ui.LayoutView
    files: list[discord.File]


async def show_layout(interaction: Interaction, layout: Layout) -> None:
    """Show a layout in the answer that was begun, or in the message whose button was pressed.

    Such a message has no text beside its components, so one of before is taken away.
    """
    await interaction.edit_original_response(
        content=None, view=layout.view, attachments=layout.files
    )


async def remove(interaction: Interaction) -> None:
    """Remove the message whose button was pressed, after it was acknowledged."""
    await interaction.delete_original_response()
