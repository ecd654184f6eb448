"""The signature of a mode's endpoint, from the mode's slots and the table of options."""

from inspect import Parameter, Signature
from typing import Any, Literal

import gradio as gr

from core.domain.modes import MODES, Mode
from core.domain.options import Option, OptionKind, options_in
from webui.api.schemas import JobAnswer

File = dict[str, Any]  # what the client's handle_file() makes: an upload by path
# programs may give values by position: what came first stays first, newer options come behind
_POSITIONS = (
    "prompt",
    "preset",
    "aspect",
    "seconds",
    "seed",
    "camera",
    "width",
    "height",
    "fps",
    "negative_prompt",
    "sync",
    "enhance",
)
_TYPES: dict[OptionKind, Any] = {
    OptionKind.TEXT: str,
    OptionKind.CHOICE: str | None,
    OptionKind.NUMBER: float | None,
    OptionKind.COUNT: int | None,
    OptionKind.SEED: str | None,  # JSON of browsers rounds whole numbers above 2⁵³
}


def signature_of(mode: Mode) -> Signature:
    """Return the parameters of the endpoint of ``mode``: Gradio's request, files, options."""
    spec = MODES[mode]
    options = sorted(options_in(mode), key=_position)
    needed = [option for option in options if option.name == "prompt" and spec.prompt_required]
    given = [option for option in options if option not in needed]
    parameters = [
        _parameter("request", gr.Request),
        *(_parameter(slot.role, File) for slot in spec.slots),
        *(_parameter(option.name, type_of(option)) for option in needed),
        *(_parameter(option.name, type_of(option), _default(option)) for option in given),
        *(_parameter(slot.role, File | None, None) for slot in spec.more),
    ]
    return Signature(parameters, return_annotation=JobAnswer)


def type_of(option: Option) -> Any:  # noqa: ANN401  # a type, or a form of typing
    """Return the type of an argument; choices are listed where one of them is the default."""
    if option.default is None:
        return _TYPES[option.kind]
    return Literal[tuple(str(choice) for choice in option.choices)]


def _parameter(name: str, kind: Any, default: Any = Parameter.empty) -> Parameter:  # noqa: ANN401  # as Python has it
    return Parameter(name, Parameter.POSITIONAL_OR_KEYWORD, default=default, annotation=kind)


def _default(option: Option) -> str | None:
    return option.blank if option.default is None else str(option.default)


def _position(option: Option) -> int:
    name = option.name
    return _POSITIONS.index(name) if name in _POSITIONS else len(_POSITIONS)
