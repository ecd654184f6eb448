"""Make the options of a slash command from the table of options, and read what comes back.

:func:`check_limits` proves at the start of the front that every mode fits what Discord takes.
"""

import inspect
import re
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any, Literal

import discord
from discord import app_commands

from bots.discord.localization import COMMANDS, OPTION_NAMES, Text, choices, localised_name, spoken
from bots.discord.typed_words import words_typed
from core.domain.file_types import ACCEPTED
from core.domain.limits import RequestLimits
from core.domain.modes import MODES, MediaSlot, Mode, ModeSpec
from core.domain.options import Option, OptionKind, Options, options_in
from core.domain.parsing import parse_option
from core.i18n.messages import languages, say
from core.i18n.option_words import mode_summary, option_hint, option_label, role_label

OWN = ("private", "spoiler")  # of Discord alone: who may see the answer

# Source of all numbers: Discord's documentation of each object.
MOST_PARAMETERS = 25  # of a command
MOST_CHOICES = 25  # of a parameter
DESCRIPTION_LIMIT = 100  # characters
TEXT_LIMIT = 6000  # characters of a parameter
NAME = re.compile(r"[-_'\w]{1,32}")
MOST_FIELDS = 5  # of a form
LABEL_LIMIT = 45  # characters of the label of a field


def parameters_of(spec: ModeSpec, limits: RequestLimits) -> list[inspect.Parameter]:
    """List the options of a mode's command: what it needs first, then what may be left out."""
    needed: list[tuple[str, Any]] = [(slot.role, discord.Attachment) for slot in spec.slots]
    free: list[tuple[str, Any]] = [(slot.role, discord.Attachment) for slot in spec.more]
    for option in options_in(spec.mode):
        where = needed if is_required(spec, option) else free
        where.append((option.name, annotation_of(option, limits)))
    free += [(own, bool) for own in OWN]
    kind = inspect.Parameter.KEYWORD_ONLY
    return [
        *(inspect.Parameter(name, kind, annotation=a) for name, a in needed),
        *(inspect.Parameter(name, kind, annotation=a, default=None) for name, a in free),
    ]


def is_required(spec: ModeSpec, option: Option) -> bool:
    """Tell whether a request of the mode needs ``option``."""
    return spec.prompt_required and option.name == "prompt"


def descriptions_of(spec: ModeSpec, limits: RequestLimits) -> dict[str, Text]:
    """Describe each option of a mode's command, in every language."""
    return {
        **{slot.role: spoken(partial(_describe_slot, slot)) for slot in spec.every_slot},
        **{o.name: spoken(partial(option_hint, o, limits)) for o in options_in(spec.mode)},
        **{own: spoken(partial(say, f"o_{own}", {})) for own in OWN},
    }


def choices_of(spec: ModeSpec) -> dict[str, list[app_commands.Choice[str]]]:
    """List the choices that people read as words, by option."""
    return {
        option.name: choices(option.choices)
        for option in options_in(spec.mode)
        if is_closed(option) and not option.verbatim
    }


def is_closed(option: Option) -> bool:
    """Tell whether Discord shows all choices of ``option`` and takes nothing else."""
    return option.choice is not None and len(option.choices) <= MOST_CHOICES


def options_of(given: Mapping[str, Any], mode: Mode, limits: RequestLimits) -> Options:
    """Read the options of ``mode`` out of what Discord or a form sent.

    Seeds come as text, as Discord's own whole numbers end at 2⁵³.

    Raises:
        NotANumber: a number that is none.
        SeedNotANumber: the seed is not a number.
    """
    return Options.of(values_of(given, mode, limits))


def values_of(given: Mapping[str, Any], mode: Mode, limits: RequestLimits) -> dict[str, Any]:
    """Read what was given for options of ``mode``, by name; what was not given is left out.

    Raises:
        NotANumber: a number that is none.
        SeedNotANumber: the seed is not a number.
    """
    return {
        option.name: parse_option(option, _typed(option, given[option.name]), limits)
        for option in options_in(mode)
        if given.get(option.name) is not None
    }


def _typed(option: Option, value: Any) -> Any:  # noqa: ANN401  # of the option's kind
    return words_typed(str(value)) if option.kind is OptionKind.TEXT else value


def fields_of(mode: Mode) -> tuple[Option, ...]:
    """List the options that the form of Edit asks for."""
    return tuple(option for option in options_in(mode) if option.in_edit)


def check_limits(limits: RequestLimits) -> None:
    """Refuse a table of modes and options that does not fit into Discord's commands and forms.

    Raises:
        ValueError: naming the mode, the option and the limit.
    """
    wrong = [
        f"/{mode}: {found}" for mode, spec in MODES.items() for found in _misfits(spec, limits)
    ]
    if wrong:
        raise ValueError("; ".join(wrong))


def _misfits(spec: ModeSpec, limits: RequestLimits) -> Iterator[str]:
    names = [parameter.name for parameter in parameters_of(spec, limits)]
    if len(names) > MOST_PARAMETERS:
        yield f"{len(names)} options, Discord takes {MOST_PARAMETERS}: {', '.join(names)}"
    fields = fields_of(spec.mode)
    if len(fields) > MOST_FIELDS:
        asked = ", ".join(option.name for option in fields)
        yield f"the form of Edit has {len(fields)} fields, Discord takes {MOST_FIELDS}: {asked}"
    for language in languages():
        called = [localised_name(OPTION_NAMES, own, language) for own in names]
        yield from _misnamed([localised_name(COMMANDS, spec.mode, language)])
        yield from _misnamed(called)
        yield from _too_long(spec, limits, language)


def _too_long(spec: ModeSpec, limits: RequestLimits, language: str) -> Iterator[str]:
    described = {spec.mode.value: mode_summary(spec.mode, language)}
    for own, words in descriptions_of(spec, limits).items():
        described[own] = words.extras["words"](language)
    for own, sentence in described.items():
        if not 0 < len(sentence) <= DESCRIPTION_LIMIT:
            yield f"{own} is described in {len(sentence)} characters of {DESCRIPTION_LIMIT}"
    for option in fields_of(spec.mode):
        if len(label := option_label(option, language)) > LABEL_LIMIT:
            yield f"{option.name} is called {label!r}, a field takes {LABEL_LIMIT} characters"


def _misnamed(names: list[str]) -> Iterator[str]:
    for own in names:
        if NAME.fullmatch(own) is None or own != own.lower():
            yield f"{own!r} is no name that Discord takes"
        if names.count(own) > 1:
            yield f"two options are called {own!r}"


def annotation_of(option: Option, limits: RequestLimits) -> Any:  # noqa: ANN401  # what discord.py reads
    """Return what Discord takes as a value of ``option``."""
    match option.kind:
        case OptionKind.TEXT:
            return app_commands.Range[str, 1, min(limits.prompt_characters, TEXT_LIMIT)]
        case OptionKind.NUMBER:
            low, high = option.range_in(limits)
            return app_commands.Range[float, float(low), float(high)]
        case OptionKind.COUNT:
            low, high = option.range_in(limits)
            return app_commands.Range[int, int(low), int(high)]
        case OptionKind.CHOICE if is_closed(option) and option.verbatim:
            return Literal[tuple(str(choice) for choice in option.choices)]
        case _:
            return str


def _describe_slot(slot: MediaSlot, locale: str | None) -> str:
    return f"{role_label(slot.role, locale)}: {ACCEPTED[slot.kind]}"
