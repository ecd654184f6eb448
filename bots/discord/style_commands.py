"""``/styles``: the named styles of a place, what it chooses for people, and both as a file."""

import inspect
import io
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import discord
from discord import app_commands

from bots.discord.address import Interaction
from bots.discord.answers import answer, think
from bots.discord.generation_commands import everywhere as any_context
from bots.discord.generation_commands import offer_styles
from bots.discord.localization import Text, spoken, text
from bots.discord.option_parameters import annotation_of
from bots.discord.rendering import texts_for
from bots.discord.submission import DiscordContext
from bots.shared.style_texts import FILE_NAME, defaults_text, styles_text, taken_back
from bots.shared.texts import Texts
from core.domain.style_file import MOST_BYTES, text_of
from core.domain.styles import NAME_LENGTH, STYLE, WORDS, WORDS_LENGTH, settable
from core.errors import StylesUnreadable
from core.i18n.option_words import option_hint
from core.service.user_styles import PlaceStyles

Run = Callable[..., Awaitable[None]]
_Parameter = tuple[Any, Text, Any]  # what Discord takes, what it is, and its default
_NAME = app_commands.Range[str, 1, NAME_LENGTH]
_WORDS = app_commands.Range[str, 1, WORDS_LENGTH]
_EVERYWHERE: dict[str, _Parameter] = {"everywhere": (bool, text("o_style_everywhere"), False)}


def add_style_commands(tree: app_commands.CommandTree[Any], context: DiscordContext) -> None:
    """Add the group to ``tree``; everybody may list, the rest asks who runs the place."""
    group = StyleGroup(context)
    words = {one: (_WORDS, text(f"o_style_{one}"), None) for one in WORDS}
    name = {STYLE: (_NAME, text("o_style_name"), inspect.Parameter.empty)}
    back = {"clear": (str, text("o_style_clear"), "")}
    where = {"channel_only": (bool, text("o_style_channel"), False)}
    rows = _options(context, with_style=False)
    group.add_command(_command("save", group.save, name | words | rows | _EVERYWHERE))
    rows = _options(context, with_style=True)
    defaults = _command("defaults", group.defaults, rows | back | where | _EVERYWHERE)
    defaults.autocomplete(STYLE)(offer_styles(context))
    group.add_command(defaults)
    tree.add_command(group)


def _options(context: DiscordContext, *, with_style: bool) -> dict[str, _Parameter]:
    limits = context.users.limits
    return {
        option.name: (
            annotation_of(option, limits),
            spoken(partial(option_hint, option, limits)),
            None,
        )
        for option in settable()
        if with_style or option.name != STYLE
    }


def _command(
    name: str, run: Run, taken: dict[str, _Parameter]
) -> app_commands.Command[Any, ..., None]:
    """Make a command whose options are those of the table."""

    async def callback(interaction: Interaction, **given: Any) -> None:  # noqa: ANN401  # Discord's values
        await run(interaction, **given)

    kind = inspect.Parameter.KEYWORD_ONLY
    first = inspect.Parameter(
        "interaction", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=discord.Interaction
    )
    ordered = [
        inspect.Parameter(one, kind, annotation=annotation, default=default)
        for one, (annotation, _, default) in taken.items()
    ]
    callback.__signature__ = inspect.Signature([first, *ordered])  # pyright: ignore[reportFunctionMemberAccess]  # discord.py reads it
    described = app_commands.describe(**{one: words for one, (_, words, _) in taken.items()})
    return app_commands.Command[Any, ..., None](
        name=name,
        description=text(f"d_styles_{name}"),
        callback=described(callback),
    )


class StyleGroup(app_commands.Group):
    """List, save, remove, defaults, export and import."""

    def __init__(self, context: DiscordContext) -> None:
        super().__init__(
            name="styles",
            description=text("d_styles"),
            allowed_contexts=any_context(),
            allowed_installs=app_commands.AppInstallationType(guild=True, user=True),
        )
        self.context = context
        self.remove.autocomplete(STYLE)(offer_styles(context))

    @app_commands.command(name="list", description=text("d_styles_list"))
    async def list_them(self, interaction: Interaction) -> None:
        """List the styles that people may choose here."""
        styles = await self.context.users.styles.listed(self.context.caller(interaction))
        await answer(interaction, styles_text(_texts(interaction), styles, "style:"))

    async def save(
        self,
        interaction: Interaction,
        style: str,
        *,
        everywhere: bool = False,
        **given: Any,  # noqa: ANN401  # Discord's values
    ) -> None:
        """Keep a style under a name."""
        place = self._place(interaction, everywhere=everywhere)
        kept = await place.save(style, {key: one for key, one in given.items() if one is not None})
        told = _texts(interaction).say("style_saved", name=kept.name, option="style:")
        await answer(interaction, told)

    @app_commands.command(name="remove", description=text("d_styles_remove"))
    @app_commands.describe(style=text("o_style_name"), everywhere=text("o_style_everywhere"))
    async def remove(
        self,
        interaction: Interaction,
        style: str,
        everywhere: bool = False,  # noqa: FBT001, FBT002  # an option of a command
    ) -> None:
        """Drop a style."""
        await self._place(interaction, everywhere=everywhere).remove(style)
        await answer(interaction, _texts(interaction).say("style_removed", name=style))

    async def defaults(
        self,
        interaction: Interaction,
        *,
        channel_only: bool = False,
        everywhere: bool = False,
        clear: str = "",
        **given: Any,  # noqa: ANN401  # Discord's values
    ) -> None:
        """Choose options for who chooses none, and show what is chosen."""
        place = self._place(interaction, everywhere=everywhere)
        chosen = {key: one for key, one in given.items() if one is not None} | taken_back(clear)
        if chosen:
            channel = str(interaction.channel_id or "") if channel_only and not everywhere else ""
            await place.set_defaults(channel, chosen)
        kept = await place.read()
        await answer(interaction, defaults_text(_texts(interaction), kept, "<#{}>".format))

    @app_commands.command(name="export", description=text("d_styles_export"))
    @app_commands.describe(everywhere=text("o_style_everywhere"))
    async def export(
        self,
        interaction: Interaction,
        everywhere: bool = False,  # noqa: FBT001, FBT002  # an option of a command
    ) -> None:
        """Send the styles and defaults as a file."""
        written = await self._place(interaction, everywhere=everywhere).export()
        file = discord.File(io.BytesIO(written.encode()), FILE_NAME)
        await answer(interaction, FILE_NAME, files=[file])

    @app_commands.command(name="import", description=text("d_styles_import"))
    @app_commands.describe(file=text("o_style_file"), everywhere=text("o_style_everywhere"))
    async def read_in(
        self,
        interaction: Interaction,
        file: discord.Attachment,
        everywhere: bool = False,  # noqa: FBT001, FBT002  # an option of a command
    ) -> None:
        """Keep the styles and defaults of a file.

        Raises:
            StylesUnreadable: it is too large, or none of styles.
        """
        place = self._place(interaction, everywhere=everywhere)
        if file.size > MOST_BYTES:
            raise StylesUnreadable(f"> {MOST_BYTES // 1024} kB")
        await think(interaction)
        await place.read_in(text_of(await file.read()))
        names = [one.name for one in (await place.read()).styles]
        told = _texts(interaction).say("styles_kept", count=len(names), names=", ".join(names))
        await answer(interaction, told)

    def _place(self, interaction: Interaction, *, everywhere: bool) -> PlaceStyles:
        """Return what changes this place, or what holds in all places.

        Raises:
            ManagersOnly: the person neither runs the place nor operates the bot.
        """
        caller = self.context.caller(interaction)
        return self.context.users.styles.of_place(caller, everywhere=everywhere)


def _texts(interaction: Interaction) -> Texts:
    return texts_for(str(interaction.locale))
