"""The Edit form of a job: the options that its rows mark for it, prefilled; it survives a restart.

An option that the form does not ask for stays as it was in the job.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any, cast

import discord

from bots.discord.address import Interaction
from bots.discord.localization import choice_label
from bots.discord.option_parameters import MOST_CHOICES, fields_of, values_of
from bots.discord.submission import DiscordContext, submit_edit
from core.domain.followups import Action, options_of, typed_over
from core.domain.jobs import Job
from core.domain.limits import RequestLimits
from core.domain.lineage import JobOrigin
from core.domain.options import Option, OptionKind, Options
from core.domain.requests import Request
from core.domain.seeds import new_seed
from core.i18n.messages import say
from core.i18n.option_words import option_hint, option_label

FORM_ID = re.compile(r"form:edit:(?P<job>[0-9a-f]{32})")
MODAL_TEXT_LIMIT = 4000  # characters of a text input
NUMBER_TEXT_LIMIT = 20  # a seed has 19 digits
DESCRIPTION_LIMIT = 100  # characters under the label of a field


def edit_form(job: Job, limits: RequestLimits, locale: str | None) -> discord.ui.Modal:
    """Build the form that asks for a changed version of ``job``."""
    form = discord.ui.Modal(
        title=say("edit_label", {}, locale), custom_id=f"form:edit:{job.id}", timeout=None
    )
    add_fields(form, job.request, fields_of(job.request.mode), limits, locale)
    form.stop()  # answers are handled by `receive_form`, not by this object
    return form


def add_fields(
    form: discord.ui.Modal,
    request: Request,
    options: Iterable[Option],
    limits: RequestLimits,
    locale: str | None,
) -> None:
    """Add a field for each of ``options`` to ``form``, filled with what ``request`` has."""
    for label in option_labels(options, options_of(request, limits), limits, locale):
        form.add_item(label)


def option_labels(
    options: Iterable[Option], values: Options, limits: RequestLimits, locale: str | None
) -> Iterator[discord.ui.Label[Any]]:
    """Build a field of a form for each of ``options``, filled with ``values``."""
    for option in options:
        value = getattr(values, option.name)
        if len(str(value)) <= MODAL_TEXT_LIMIT:  # a longer text cannot be shown, and stays
            yield discord.ui.Label(
                text=option_label(option, locale),
                description=option_hint(option, limits, locale)[:DESCRIPTION_LIMIT],
                component=_field(option, value, locale),
            )


def _field(option: Option, value: Any, locale: str | None) -> discord.ui.Item[Any]:  # noqa: ANN401  # of the option's kind
    if option.kind is OptionKind.CHOICE and len(option.choices) <= MOST_CHOICES:
        return discord.ui.Select(
            custom_id=option.name,
            options=[
                discord.SelectOption(
                    label=choice_label(option, choice, locale),
                    value=choice,
                    default=choice == value,
                )
                for choice in option.choices
            ],
        )
    text = option.kind is OptionKind.TEXT
    return discord.ui.TextInput(
        custom_id=option.name,
        default=f"{value:g}" if isinstance(value, float) else str("" if value is None else value),
        style=discord.TextStyle.paragraph if text else discord.TextStyle.short,
        required=not text and not option.kept and value is not None,
        max_length=MODAL_TEXT_LIMIT if text else NUMBER_TEXT_LIMIT,
    )


def sent_form(interaction: Interaction, ids: re.Pattern[str]) -> re.Match[str] | None:
    """Return what ``ids`` finds in the id of a form that was sent; None if none such was."""
    if interaction.type is not discord.InteractionType.modal_submit:
        return None
    return ids.fullmatch(str((interaction.data or {}).get("custom_id", "")))


async def receive_form(context: DiscordContext, interaction: Interaction, job_id: str) -> None:
    """Submit a changed version of a job with the values of the form.

    Raises:
        InvalidInput: a value cannot work.
        Refused: not theirs, quota, policy or a closed intake.
    """
    job = await context.users.job(context.caller(interaction), job_id)
    options = edited(job.request, typed_in(interaction), context.users.limits)
    origin = JobOrigin(Action.EDIT, job.id)
    await submit_edit(context, interaction, job, options, job.request.media(), origin)


def edited(request: Request, typed: dict[str, str], limits: RequestLimits) -> Options:
    """Return the options of ``request`` with what was ``typed`` into the form, and a new seed.

    Raises:
        NotANumber: a number that is none.
        SeedNotANumber: the seed is not a number.
    """
    options = options_of(request, limits)
    values = values_of(typed, request.mode, limits)
    return Options.of(typed_over(options.values(), {"seed": new_seed(), **values}))


def typed_in(interaction: Interaction) -> dict[str, str]:
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
