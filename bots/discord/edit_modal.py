"""The Edit form of a job: prompt, preset and length, prefilled; it survives a restart."""

import re
from typing import Any, cast

import discord

from bots.discord.address import Interaction
from bots.discord.submission import DiscordContext, submit_edit
from core.domain.followups import new_seed, options_of
from core.domain.jobs import Job
from core.domain.limits import RequestLimits
from core.domain.options import Options
from core.domain.parsing import parse_number
from core.domain.presets import Preset
from core.i18n.messages import say

FORM_ID = re.compile(r"form:edit:(?P<job>[0-9a-f]{32})")
MODAL_TEXT_LIMIT = 4000  # characters of a text input
SECONDS_TEXT_LIMIT = 20


def edit_form(job: Job, locale: str | None) -> discord.ui.Modal:
    """Build the form that asks for a changed version of ``job``."""
    now = options_of(job.request)
    form = discord.ui.Modal(
        title=say("edit_label", {}, locale), custom_id=f"form:edit:{job.id}", timeout=None
    )
    prompt: discord.ui.TextInput[Any] = discord.ui.TextInput(
        custom_id="prompt",
        default=now.prompt,
        style=discord.TextStyle.paragraph,
        required=False,
        max_length=MODAL_TEXT_LIMIT,
    )
    preset: discord.ui.Select[Any] = discord.ui.Select(
        custom_id="preset",
        options=[
            discord.SelectOption(label=preset.value, default=preset == now.preset)
            for preset in Preset
        ],
    )
    seconds: discord.ui.TextInput[Any] = discord.ui.TextInput(
        custom_id="seconds", default=f"{now.seconds:g}", max_length=SECONDS_TEXT_LIMIT
    )
    for field in (prompt, preset, seconds):
        label = say(f"form_{field.custom_id}", {}, locale)
        form.add_item(discord.ui.Label(text=label, component=field))
    form.stop()  # answers are handled by `receive_form`, not by this object
    return form


def form_job(interaction: Interaction) -> str | None:
    """Find the id of the job whose form was sent; None if the interaction is something else."""
    if interaction.type is not discord.InteractionType.modal_submit:
        return None
    found = FORM_ID.fullmatch(str((interaction.data or {}).get("custom_id", "")))
    return found["job"] if found else None


async def receive_form(context: DiscordContext, interaction: Interaction, job_id: str) -> None:
    """Submit a changed version of a job with the values of the form.

    Raises:
        InvalidInput: a value cannot work.
        Refused: not theirs, quota, policy or a closed intake.
    """
    job = await context.users.job(context.caller(interaction), job_id)
    typed = _typed(interaction)
    old = options_of(job.request)
    same_preset = typed.get("preset", old.preset) == old.preset
    options = Options(
        prompt=typed.get("prompt", ""),
        preset=typed.get("preset", old.preset),
        width=old.width if same_preset else None,
        height=old.height if same_preset else None,
        seconds=_seconds(typed.get("seconds", ""), context.users.limits),
        fps=old.fps,
        seed=new_seed(),
        camera=old.camera,
        negative_prompt=old.negative_prompt,
    )
    await submit_edit(context, interaction, job, options)


def _seconds(typed: str, limits: RequestLimits) -> float | None:
    if not typed.strip():
        return None
    return parse_number("seconds", typed, limits)


def _typed(interaction: Interaction) -> dict[str, str]:
    """Read the values of a sent form by field; each field is wrapped in its label."""
    labels: list[dict[str, Any]] = cast("Any", interaction.data or {}).get("components", [])
    fields: list[dict[str, Any]] = [label.get("component") or {} for label in labels]
    return {
        str(field["custom_id"]): str(
            chosen[0] if (chosen := field.get("values")) else field["value"]
        )
        for field in fields
        if field.get("values") or "value" in field
    }
