"""List the options of a request, a line each, as their rows say."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from core.domain.followups import options_of
from core.domain.options import OPTIONS, Option, OptionKind, options_in
from core.domain.requests import Request
from core.i18n.messages import name, say
from core.i18n.option_words import option_label


@dataclass(frozen=True, slots=True)
class OptionLines:
    """The lines about what was chosen, and about what the person wrote."""

    chosen: tuple[str, ...]
    written: tuple[str, ...]


def option_lines(request: Request, escape: Callable[[str], str], locale: str | None) -> OptionLines:
    """List every option of ``request`` that has a value.

    Size, length and frame rate are left out: they are one measure of the clip, which is said in
    one line.

    Args:
        request: whose options.
        escape: of the platform, for what the person wrote.
        locale: the reader's.

    Returns:
        Lines in the order of the table, ready to show.
    """
    values = options_of(request).values()
    shown = [
        (option, values[option.name])
        for option in options_in(request.mode)
        if values[option.name] != option.blank and not _is_measure(option)
    ]
    chosen_by = dict(request.chosen_by)
    lines = [
        (
            option.kind is OptionKind.TEXT,
            _line(option, value, escape, locale) + _source(chosen_by.pop(option.name, ""), locale),
        )
        for option, value in shown
    ]
    for name_of, source in chosen_by.items():  # of the measures
        data: dict[str, object] = {"option": option_label(OPTIONS[name_of], locale)}
        lines.append((False, say("chosen_by", data | {"source": f"chosen_{source}"}, locale)))
    return OptionLines(
        tuple(line for written, line in lines if not written),
        tuple(line for written, line in lines if written),
    )


def _source(source: str, locale: str | None) -> str:
    """Say who chose what nobody typed."""
    return say("chosen_end", {"source": f"chosen_{source}"}, locale) if source else ""


def _is_measure(option: Option) -> bool:
    return bool(option.unit) and not option.kept


def _line(option: Option, value: Any, escape: Callable[[str], str], locale: str | None) -> str:  # noqa: ANN401  # of the option's kind
    data: dict[str, object] = {"label": option_label(option, locale), "unit": option.unit}
    match option.kind:
        case OptionKind.TEXT:
            return say("option_line", {**data, "value": escape(value)}, locale)
        case OptionKind.CHOICE:
            return say("option_line", {**data, "value": name(value, locale)}, locale)
        case _:
            return say("option_line_number", {**data, "value": value}, locale)
