"""The generation commands, built from the modes: an option for each file and each row."""

import inspect
from collections.abc import Awaitable, Callable, Coroutine
from functools import partial
from typing import Any

import discord
from discord import app_commands

from bots.discord.address import Interaction
from bots.discord.localization import choice_label, spoken
from bots.discord.option_parameters import (
    MOST_CHOICES,
    check_limits,
    choices_of,
    descriptions_of,
    is_closed,
    options_of,
    parameters_of,
)
from bots.discord.served_files import ServedFile
from bots.discord.submission import DiscordContext, Visibility, submit_command
from core.domain import followups
from core.domain.modes import MODES, ModeSpec
from core.domain.options import Option, OptionKind, options_in
from core.domain.styles import STYLE
from core.i18n.option_words import mode_summary

RECENT_SEEDS = 15  # jobs looked at for the seeds on offer

Callback = Callable[..., Awaitable[None]]
Autocomplete = Callable[[Interaction, str], Coroutine[Any, Any, list[app_commands.Choice[str]]]]


def add_generation_commands(tree: app_commands.CommandTree[Any], context: DiscordContext) -> None:
    """Add a command for each mode to ``tree``.

    Raises:
        ValueError: the table of options has more than Discord takes.
    """
    check_limits(context.users.limits)
    for spec in MODES.values():
        callback = _callback(spec, context)
        command = app_commands.Command[Any, ..., None](
            name=spec.mode.value,
            description=spoken(partial(mode_summary, spec.mode)),
            callback=callback,  # pyright: ignore[reportArgumentType]  # its signature is made below
        )
        for option in options_in(spec.mode):
            offer = _offer(option, context)
            if offer is not None:
                command.autocomplete(option.name)(offer)
        command.guild_only = False
        command.allowed_contexts = everywhere()
        command.allowed_installs = app_commands.AppInstallationType(guild=True, user=True)
        tree.add_command(command)


def everywhere() -> app_commands.AppCommandContext:
    """Allow guilds, direct messages and group messages."""
    return app_commands.AppCommandContext(guild=True, dm_channel=True, private_channel=True)


def _callback(spec: ModeSpec, context: DiscordContext) -> Callback:
    roles = [slot.role for slot in spec.every_slot]

    limits = context.users.limits

    async def run(interaction: Interaction, **given: Any) -> None:  # noqa: ANN401  # Discord's values
        files = {role: ServedFile.of(given[role]) for role in roles if given.get(role)}
        visibility = Visibility(
            private=bool(given.get("private")), spoiler=bool(given.get("spoiler"))
        )
        options = options_of(given, spec.mode, limits)
        await submit_command(context, interaction, spec.mode, options, files, visibility)

    first = inspect.Parameter(
        "interaction", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=discord.Interaction
    )
    parameters = [first, *parameters_of(spec, limits)]
    run.__signature__ = inspect.Signature(parameters)  # pyright: ignore[reportFunctionMemberAccess]  # discord.py reads it
    run.__name__ = spec.mode.value
    app_commands.choices(**choices_of(spec))(run)
    return app_commands.describe(**descriptions_of(spec, limits))(run)


def _offer(option: Option, context: DiscordContext) -> Autocomplete | None:
    """Return what offers values of ``option`` while people type, if there is something to offer."""
    if option.kind is OptionKind.SEED:
        return _seeds(option, context)
    if option.name == STYLE:
        return offer_styles(context)
    if option.kind is OptionKind.CHOICE and not is_closed(option):
        return _choices(option)
    return None


def _choices(option: Option) -> Autocomplete:
    async def offer(interaction: Interaction, current: str) -> list[app_commands.Choice[str]]:
        locale, typed = str(interaction.locale), current.casefold()
        labels = {choice: choice_label(option, choice, locale) for choice in option.choices}
        return [
            app_commands.Choice(name=label, value=choice)
            for choice, label in labels.items()
            if typed in choice or typed in label.casefold()
        ][:MOST_CHOICES]

    return offer


def offer_styles(context: DiscordContext) -> Autocomplete:
    """Return what offers the names of the styles of a place while people type."""

    async def offer(interaction: Interaction, current: str) -> list[app_commands.Choice[str]]:
        caller = context.caller(interaction)
        names = await context.users.styles.names(caller, current, MOST_CHOICES)
        return [app_commands.Choice(name=one, value=one) for one in names]

    return offer


def _seeds(option: Option, context: DiscordContext) -> Autocomplete:
    async def offer(interaction: Interaction, current: str) -> list[app_commands.Choice[str]]:
        jobs = await context.users.jobs(context.caller(interaction), RECENT_SEEDS)
        used = [getattr(followups.options_of(job.asked), option.name) for job in jobs if job.asked]
        seeds = dict.fromkeys(str(seed) for seed in used if seed is not None)
        return [app_commands.Choice(name=seed, value=seed) for seed in seeds if current in seed]

    return offer
