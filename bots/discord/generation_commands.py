"""The generation commands, built from the modes: an option for each file and value."""

import inspect
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Literal

import discord
from discord import app_commands

from bots.discord.address import Interaction
from bots.discord.localization import choices, text
from bots.discord.submission import DiscordContext, Visibility, submit_command
from core.domain.limits import RequestLimits
from core.domain.modes import MODES, ModeSpec
from core.domain.options import ASPECTS, Options
from core.domain.parsing import parse_seed
from core.domain.presets import Camera, Preset

RECENT_SEEDS = 15  # jobs looked at for the seeds on offer

Callback = Callable[..., Awaitable[None]]
Autocomplete = Callable[[Interaction, str], Coroutine[Any, Any, list[app_commands.Choice[str]]]]


def add_generation_commands(tree: app_commands.CommandTree[Any], context: DiscordContext) -> None:
    """Add ``/t2v`` to ``/style`` to ``tree``."""
    for spec in MODES.values():
        callback = _callback(spec, context)
        command = app_commands.Command[Any, ..., None](
            name=spec.mode.value,
            description=text(f"d_{spec.mode}"),
            callback=callback,  # pyright: ignore[reportArgumentType]  # its signature is made below
        )
        command.autocomplete("aspect")(_aspects)
        command.autocomplete("seed")(_seeds(context))
        command.guild_only = False
        command.allowed_contexts = everywhere()
        command.allowed_installs = app_commands.AppInstallationType(guild=True, user=True)
        tree.add_command(command)


def everywhere() -> app_commands.AppCommandContext:
    """Allow guilds, direct messages and group messages."""
    return app_commands.AppCommandContext(guild=True, dm_channel=True, private_channel=True)


def _callback(spec: ModeSpec, context: DiscordContext) -> Callback:
    roles = [slot.role for slot in spec.slots]

    async def run(interaction: Interaction, **given: Any) -> None:  # noqa: ANN401  # Discord's values
        files = {role: given[role] for role in roles}
        visibility = Visibility(
            private=bool(given.get("private")), spoiler=bool(given.get("spoiler"))
        )
        await submit_command(context, interaction, spec.mode, options_of(given), files, visibility)

    parameters = _parameters(spec, context.users.limits)
    run.__signature__ = inspect.Signature(parameters)  # pyright: ignore[reportFunctionMemberAccess]  # discord.py reads it
    run.__name__ = spec.mode.value
    descriptions = {p.name: text(f"o_{_word(p.name)}") for p in parameters[1:]}
    app_commands.choices(camera=choices(Camera))(run)
    return app_commands.describe(**descriptions)(run)


def options_of(given: dict[str, Any]) -> Options:
    """Read what was typed into a command's options.

    Raises:
        SeedNotANumber: the seed is not a number.
    """
    return Options(
        prompt=given.get("prompt") or "",
        preset=given.get("preset"),
        width=given.get("width"),
        height=given.get("height"),
        aspect=given.get("aspect"),
        seconds=given.get("seconds"),
        fps=given.get("fps"),
        seed=parse_seed(given.get("seed")),  # as text: Discord's own integers end at 2⁵³
        camera=given.get("camera"),
        negative_prompt=given.get("negative_prompt") or "",
    )


def _parameters(spec: ModeSpec, limits: RequestLimits) -> list[inspect.Parameter]:
    side = app_commands.Range[int, limits.min_side, limits.max_side]
    prompt = app_commands.Range[str, 1, min(limits.prompt_characters, 6000)]
    required: list[tuple[str, Any]] = [(slot.role, discord.Attachment) for slot in spec.slots]
    optional: list[tuple[str, Any]] = [
        ("preset", Literal[tuple(preset.value for preset in Preset)]),
        ("aspect", str),
        ("seconds", app_commands.Range[float, limits.min_seconds, limits.max_seconds]),
        ("width", side),
        ("height", side),
        ("fps", app_commands.Range[int, limits.min_fps, limits.max_fps]),
        ("seed", str),
        ("camera", str),
        ("negative_prompt", prompt),
        ("private", bool),
        ("spoiler", bool),
    ]
    (required if spec.prompt_required else optional).insert(
        0 if not spec.prompt_required else len(required), ("prompt", prompt)
    )
    kind = inspect.Parameter.KEYWORD_ONLY
    first = inspect.Parameter(
        "interaction", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=discord.Interaction
    )
    return [
        first,
        *(inspect.Parameter(name, kind, annotation=a) for name, a in required),
        *(inspect.Parameter(name, kind, annotation=a, default=None) for name, a in optional),
    ]


def _word(parameter: str) -> str:
    return "negative" if parameter == "negative_prompt" else parameter


async def _aspects(interaction: Interaction, current: str) -> list[app_commands.Choice[str]]:
    del interaction
    return [app_commands.Choice(name=name, value=name) for name in ASPECTS if current in name]


def _seeds(context: DiscordContext) -> Autocomplete:
    async def offer(interaction: Interaction, current: str) -> list[app_commands.Choice[str]]:
        jobs = await context.users.jobs(context.caller(interaction), RECENT_SEEDS)
        seeds = dict.fromkeys(str(job.request.sampling.seed) for job in jobs)
        return [app_commands.Choice(name=seed, value=seed) for seed in seeds if current in seed]

    return offer
