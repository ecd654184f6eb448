"""What stands in a mode's form, and what that means as a request's options."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from core.domain.limits import RequestLimits
from core.domain.modes import MODES, Mode
from core.domain.options import Option, OptionKind, Options, options_in
from core.domain.parsing import parse_seed

AUTO = "auto"  # the choice that leaves it to the service, where a row has no default


@dataclass(frozen=True, slots=True)
class Tick:
    """A box beside an option's field that says whether what stands there counts."""

    name: str
    counts: bool  # the field counts where the box has this state


FOLLOW = Tick("follow", counts=False)  # as long as the file
LOCK = Tick("lock", counts=True)  # this seed, not a random one


def tick_of(option: Option, mode: Mode) -> Tick | None:
    """Return the box beside ``option`` in the form of ``mode``, None where it has none."""
    if option.kind is OptionKind.SEED:
        return LOCK
    return FOLLOW if option.name == "seconds" and follows(mode) else None


def follows(mode: Mode) -> bool:
    """Return whether a file gives the length of ``mode``'s clips."""
    return any(slot.role == MODES[mode].length_from for slot in MODES[mode].slots)


def options_on_page(mode: Mode, *, guided: bool) -> tuple[Option, ...]:
    """List the options that the form of ``mode`` has, in the order of the table.

    Args:
        mode: of the form.
        guided: a preset runs with guidance here; else options that need it are left out.
    """
    return tuple(option for option in options_in(mode) if guided or not option.guided_only)


def fields_of(option: Option, mode: Mode) -> tuple[str, ...]:
    """Return the names of the fields that say what ``option`` is: its own, and its box."""
    tick = tick_of(option, mode)
    return (option.name, tick.name) if tick else (option.name,)


def has_auto(option: Option) -> bool:
    """Return whether a choice may be left to the service."""
    return option.kind is OptionKind.CHOICE and option.default is None


def start_of(option: Option, limits: RequestLimits) -> float | None:
    """Return where the slider of a number starts; None: there is no slider, the field is empty.

    A number that always has a value says it among the limits, as ``default_`` and its name.
    """
    return getattr(limits, f"default_{option.name}", None)


def options_from_form(mode: Mode, values: Mapping[str, Any]) -> Options:
    """Return what the fields of ``mode``'s form mean.

    Args:
        mode: of the form.
        values: by name of the field, of the right types; what is empty is left out.

    Raises:
        SeedNotANumber: something else is typed there.
    """
    chosen: dict[str, Any] = {}
    for option in options_in(mode):
        value, tick = values.get(option.name), tick_of(option, mode)
        if tick is not None and values.get(tick.name, False) is not tick.counts:
            continue
        if value is None or (has_auto(option) and value == AUTO):
            continue
        chosen[option.name] = parse_seed(value) if option.kind is OptionKind.SEED else value
    return Options.of(chosen)


def form_of(option: Option, mode: Mode, value: Any) -> dict[str, Any]:  # noqa: ANN401  # of the option's kind
    """Return what fields hold where ``option`` was given as ``value``; the way back."""
    tick = tick_of(option, mode)
    shown = value
    if value is None:
        shown = AUTO if has_auto(option) else ""
    elif option.kind is OptionKind.SEED:
        shown = str(value)  # browsers round numbers above 2⁵³
    elif option.kind in (OptionKind.CHOICE, OptionKind.TEXT):
        shown = str(value)
    return {option.name: shown, **({tick.name: tick.counts} if tick else {})}
