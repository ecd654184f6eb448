"""The Edit form: prompt, preset and length of a job, prefilled; sent forms outlive the process."""

import re
from typing import Any, cast

import discord

from bots.discord.counter import Counter, Manner, remake
from bots.discord.place import Interaction
from core.actions import new_seed, options_of
from core.compose import Options
from core.errors import OutOfRange
from core.jobs import Job
from core.limits import RequestLimits
from core.messages import say

FORM_ID = re.compile(r"form:edit:(?P<job>[0-9a-f]{32})")
MODAL_TEXT_LIMIT = 4000  # characters of a text input


def edit_form(job: Job, locale: str | None) -> discord.ui.Modal:
    """Return the form for another take of ``job`` with changes."""
    now = options_of(job.request)
    form = discord.ui.Modal(
        title=say("edit_label", {}, locale), custom_id=f"form:edit:{job.id}", timeout=None
    )
    fields: list[tuple[str, str, str, discord.TextStyle]] = [
        ("prompt", "form_prompt", now.prompt, discord.TextStyle.paragraph),
        ("preset", "form_preset", str(now.preset), discord.TextStyle.short),
        ("seconds", "form_seconds", f"{now.seconds:g}", discord.TextStyle.short),
    ]
    for name, label, value, style in fields:
        entry: discord.ui.TextInput[Any] = discord.ui.TextInput(
            label=say(label, {}, locale),
            custom_id=name,
            default=value,
            style=style,
            required=name != "prompt",
            max_length=MODAL_TEXT_LIMIT if name == "prompt" else 20,
        )
        form.add_item(entry)
    form.stop()  # answers are handled by `receive_form`, not by this object
    return form


def form_job(interaction: Interaction) -> str | None:
    """Return the job whose form was sent, None where the interaction is something else."""
    if interaction.type is not discord.InteractionType.modal_submit:
        return None
    found = FORM_ID.fullmatch(str((interaction.data or {}).get("custom_id", "")))
    return found["job"] if found else None


async def receive_form(counter: Counter, interaction: Interaction, job_id: str) -> None:
    """Accept another take of a job with what the form says.

    Raises:
        InvalidInput: a value cannot work.
        Refused: not theirs, quota, policy or a closed intake.
    """
    job = await counter.desk.job(job_id, counter.person(interaction))
    typed = _typed(interaction)
    old = options_of(job.request)
    same_preset = typed.get("preset", old.preset) == old.preset
    options = Options(
        prompt=typed.get("prompt", ""),
        preset=(typed.get("preset") or str(old.preset)).strip().lower(),
        width=old.width if same_preset else None,
        height=old.height if same_preset else None,
        seconds=_seconds(typed.get("seconds", ""), counter.desk.service.limits),
        fps=old.fps,
        seed=new_seed(),
        camera=old.camera,
        negative_prompt=old.negative_prompt,
    )
    media = job.request.media()
    composition = counter.desk.service.compose(job.request.mode, options, media)
    private = bool(interaction.message and interaction.message.flags.ephemeral)
    await remake(counter, interaction, composition, Manner(private=private))


def _seconds(typed: str, limits: RequestLimits) -> float | None:
    if not typed.strip():
        return None
    try:
        return float(typed.replace(",", "."))
    except ValueError:
        raise OutOfRange("seconds", 0.0, limits.min_seconds, limits.max_seconds, "s") from None


def _typed(interaction: Interaction) -> dict[str, str]:
    """Return the values of a sent form by field; labels wrap their field since 2025."""
    rows: list[dict[str, Any]] = cast("Any", interaction.data or {}).get("components", [])
    found: dict[str, str] = {}
    for row in rows:
        inner: list[dict[str, Any]] = row.get("components") or [row.get("component") or {}]
        found.update({str(i["custom_id"]): str(i.get("value", "")) for i in inner if i})
    return found
