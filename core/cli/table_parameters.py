"""Make parameters of the command line from the tables of options and modes.

A ``typer`` command lists its parameters in its signature. :func:`takes` puts those of the tables
there, so a row or a mode that is added has its ``--option`` without a change here.
"""

import inspect
from collections.abc import Callable, Iterable, Mapping
from inspect import Parameter
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, TypeVar

import typer

from core.cli.picture_arguments import IMAGE
from core.domain.limits import RequestLimits
from core.domain.modes import MODES, Mode
from core.domain.options import Option, OptionKind
from core.i18n.messages import say
from core.i18n.option_words import mode_summary, option_hint

Command = TypeVar("Command", bound=Callable[..., None])

_NO_FLAGS: Mapping[str, str] = MappingProxyType({})
_TYPES: dict[OptionKind, object] = {
    OptionKind.TEXT: str,
    OptionKind.CHOICE: str | None,
    OptionKind.NUMBER: float | None,
    OptionKind.COUNT: int | None,
    OptionKind.SEED: int | None,
}


def takes(*parameters: Parameter) -> Callable[[Command], Command]:
    """Let a command take ``parameters`` in place of its ``**given``.

    Raises:
        ValueError: two parameters have one name.
    """

    def change(command: Command) -> Command:
        own = inspect.signature(command)
        places = {Parameter.POSITIONAL_OR_KEYWORD: 0, Parameter.KEYWORD_ONLY: 2}
        listed = [
            (places[item.kind], item) for item in own.parameters.values() if item.kind in places
        ]
        listed += [(1, item) for item in parameters]
        ordered = [
            item.replace(kind=Parameter.KEYWORD_ONLY)
            for _, item in sorted(listed, key=lambda pair: pair[0])
        ]
        command.__signature__ = own.replace(parameters=ordered)  # pyright: ignore[reportFunctionMemberAccess]  # what inspect reads
        return command

    return change


def option_parameters(
    options: Iterable[Option], short: Mapping[str, str] = _NO_FLAGS
) -> list[Parameter]:
    """Return a parameter of the same name for each option; left out, it is blank.

    Args:
        options: rows of the table.
        short: the short flags of some of them, by name.
    """
    return [
        Parameter(
            option.name,
            Parameter.KEYWORD_ONLY,
            default=option.blank,
            annotation=_annotated(
                _TYPES[option.kind], _help(option), _flag(option.name), short.get(option.name)
            ),
        )
        for option in options
    ]


def file_parameters() -> list[Parameter]:
    """Return a parameter for the file of each role that a mode has."""
    found: list[Parameter] = []
    for role, modes in roles().items():
        text = say("help_file", {"role": role, "modes": ", ".join(modes)})
        several = role == IMAGE
        if several:
            text = f"{text} {say('help_images', {})}"
        kind = _annotated(list[str] | None if several else Path | None, text, _flag(role))
        found.append(Parameter(role, Parameter.KEYWORD_ONLY, default=None, annotation=kind))
    return found


def roles() -> dict[str, list[Mode]]:
    """Return every role of a file, with the modes that use it."""
    found: dict[str, list[Mode]] = {}
    for spec in MODES.values():
        for slot in spec.every_slot:
            found.setdefault(slot.role, []).append(spec.mode)
    return found


def help_modes() -> str:
    """Say what each mode makes."""
    return " ".join(f"{mode}: {mode_summary(mode)}." for mode in MODES)


def _help(option: Option) -> str:
    """Say what ``option`` is, its choices and modes; ranges are those of unchanged settings."""
    said = [say("help_option", {"hint": option_hint(option, RequestLimits())})]
    if option.choices:
        said.append(say("help_choices", {"choices": ", ".join(option.choices)}))
    if option.modes is not None:
        said.append(say("help_modes", {"modes": ", ".join(m for m in MODES if m in option.modes)}))
    return " ".join(said)


def _flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def _annotated(kind: object, text: str, *flags: str | None) -> Any:  # noqa: ANN401  # an annotation
    given = [flag for flag in flags if flag is not None]
    return Annotated[kind, typer.Option(*given, help=text)]  # pyright: ignore[reportInvalidTypeForm]  # made at run time
