"""What programs may send, as models that are made from the tables of modes and options."""

from difflib import get_close_matches
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model

from core.domain.limits import RequestLimits
from core.domain.modes import MODES, MediaSlot, Mode
from core.domain.options import Option, OptionKind, options_in
from core.domain.parsing import SHOWN
from core.errors import (
    ClapperError,
    MediaMissing,
    MediaUnexpected,
    NotAChoice,
    OptionMisspelt,
    PromptMissing,
)
from core.errors.programs import FieldMissing, FieldMistyped, FieldUnknown
from core.i18n.messages import say
from core.i18n.option_words import mode_example, mode_summary, option_hint

LONGEST_ADDRESS = 2000  # characters; source: what all common servers take
_TYPES: dict[OptionKind, Any] = {
    OptionKind.TEXT: str,
    OptionKind.NUMBER: float,
    OptionKind.COUNT: int,
    OptionKind.SEED: int | str,  # JSON of browsers rounds whole numbers above 2⁵³
}
_NAMED = {
    "string_type": "string",
    "float_type": "number",
    "float_parsing": "number",
    "finite_number": "number",
    "int_type": "integer",
    "int_parsing": "integer",
    "int_from_float": "integer",
}


class JobOrder(BaseModel):
    """What every mode has in common; each has a model of its own with its files and options."""

    model_config = ConfigDict(extra="forbid")

    mode: str
    webhook: Annotated[
        str | None, Field(max_length=LONGEST_ADDRESS, description="An https address to be told")
    ] = None


class ModeFile(BaseModel):
    """A file that a mode takes."""

    role: str
    kind: str
    required: bool


class ModeOption(BaseModel):
    """An option of a mode; what does not apply to its kind is left out."""

    name: str
    kind: str
    description: str
    required: bool
    default: Any
    choices: list[str] | None = None
    minimum: float | None = None
    maximum: float | None = None
    unit: str | None = None


class ModeAnswer(BaseModel):
    """A mode in the language that was asked for."""

    mode: str
    name: str
    description: str
    files: list[ModeFile]
    options: list[ModeOption]


class ModeList(BaseModel):
    """Every mode, as it is in force."""

    modes: list[ModeAnswer]


def order_models(limits: RequestLimits) -> dict[Mode, type[JobOrder]]:
    """Make the model of each mode; ranges are described here and checked where all fronts meet."""
    return {mode: _order_model(mode, limits) for mode in MODES}


def _order_model(mode: Mode, limits: RequestLimits) -> type[JobOrder]:
    spec = MODES[mode]
    fields: dict[str, Any] = {"mode": (Literal[mode.value], Field(description=mode_summary(mode)))}
    for slot in spec.every_slot:
        required = slot in spec.slots
        fields[slot.role] = (str if required else str | None, _file_field(slot, required=required))
    for option in options_in(mode):
        needed = option.name == "prompt" and spec.prompt_required
        kind = _type_of(option)
        info = _option_field(option, limits, needed=needed)
        fields[option.name] = (kind if needed else kind | None, info)
    example = _example(mode)
    config = ConfigDict(extra="forbid", json_schema_extra={"examples": [example]})
    # create_model takes a base or a configuration, and the base has the one to change
    base = type("JobOrder", (JobOrder,), {"model_config": config, "__module__": __name__})
    return create_model(f"JobOrder_{mode.value}", __base__=base, **fields)


def _type_of(option: Option) -> Any:  # noqa: ANN401  # a type, or a form of typing
    if option.kind is OptionKind.CHOICE:
        return Literal[tuple(str(choice) for choice in option.choices)]
    return _TYPES[option.kind]


def _file_field(slot: MediaSlot, *, required: bool) -> Any:  # noqa: ANN401  # pydantic's
    text = f"{slot.kind}: the id of a file from POST /api/v1/files, or the file in a form"
    return Field(... if required else None, description=text, json_schema_extra={"kind": slot.kind})


def _option_field(option: Option, limits: RequestLimits, *, needed: bool) -> Any:  # noqa: ANN401  # pydantic's
    extra: dict[str, Any] = {}
    if option.bounds is not None and option.kind is not OptionKind.SEED:
        extra["minimum"], extra["maximum"] = option.range_in(limits)
    if option.kind is OptionKind.TEXT:
        extra["maxLength"] = limits.prompt_characters
    return Field(
        ... if needed else None,
        description=option_hint(option, limits),
        json_schema_extra=extra,
    )


def _example(mode: Mode) -> dict[str, Any]:
    files = {slot.role: "0" * 32 for slot in MODES[mode].slots}
    return {"mode": mode.value, **files, "prompt": mode_example(mode), "preset": "fast"}


def read_order(
    models: dict[Mode, type[JobOrder]], sent: dict[str, Any], *, as_text: bool = False
) -> JobOrder:
    """Read what was sent.

    Args:
        models: by mode.
        sent: by field.
        as_text: it came in a form, where numbers are text.

    Raises:
        FieldMissing: there is no mode.
        NotAChoice: a mode or choice is none.
        FieldUnknown: a field that the mode does not have.
        ClapperError: as :func:`_error_of` says.
    """
    mode = sent.get("mode")
    if mode is None:
        raise FieldMissing("mode")
    if not isinstance(mode, str) or mode not in set(Mode):
        raise NotAChoice("mode", str(mode)[:SHOWN], ", ".join(Mode))
    model = models[Mode(mode)]
    try:
        return model.model_validate(sent, strict=not as_text)
    except ValidationError as error:
        wrong = _error_of(error, model, Mode(mode))
    raise wrong


def _error_of(error: ValidationError, model: type[BaseModel], mode: Mode) -> ClapperError:
    """Return the first of the errors as one of ours; unknown fields come before the others."""
    found = sorted(error.errors(), key=lambda one: one["type"] != "extra_forbidden")[0]
    field, given = str(found["loc"][0])[:SHOWN], str(found["input"])[:SHOWN]
    match found["type"]:
        case "extra_forbidden":
            return _unknown(field, [*model.model_fields], mode)
        case "missing" if field == "prompt":
            return PromptMissing(mode)
        case "missing" if any(slot.role == field for slot in MODES[mode].slots):
            return MediaMissing(mode, field)
        case "missing":
            return FieldMissing(field)
        case "literal_error":
            option = next(one for one in options_in(mode) if one.name == field)
            return NotAChoice(field, given, ", ".join(option.choices))
        case "string_too_long":
            return FieldMistyped(field, f"string (≤ {LONGEST_ADDRESS})")
        case kind:
            return FieldMistyped(field, _NAMED.get(kind, kind))


def _unknown(field: str, known: list[str], mode: Mode) -> ClapperError:
    if any(slot.role == field for spec in MODES.values() for slot in spec.every_slot):
        return MediaUnexpected(mode, field)
    near = get_close_matches(field, known, 1)
    return OptionMisspelt(field, near[0]) if near else FieldUnknown(field, ", ".join(known))


def describe_modes(limits: RequestLimits, language: str) -> list[dict[str, Any]]:
    """Describe every mode with its files and options, in ``language``."""
    return [
        {
            "mode": mode.value,
            "name": say(f"mode.{mode}.name", {}, language),
            "description": mode_summary(mode, language),
            "files": [
                {"role": slot.role, "kind": slot.kind.value, "required": slot in spec.slots}
                for slot in spec.every_slot
            ],
            "options": [
                _describe_option(option, limits, language, required=_needs(mode, option))
                for option in options_in(mode)
            ],
        }
        for mode, spec in MODES.items()
    ]


def _needs(mode: Mode, option: Option) -> bool:
    return option.name == "prompt" and MODES[mode].prompt_required


def _describe_option(
    option: Option, limits: RequestLimits, language: str, *, required: bool
) -> dict[str, Any]:
    described: dict[str, Any] = {
        "name": option.name,
        "kind": option.kind.value,
        "description": option_hint(option, limits, language),
        "required": required,
        "default": option.default,
    }
    if option.choices:
        described["choices"] = [str(choice) for choice in option.choices]
    if option.bounds is not None:
        low, high = option.range_in(limits)
        described |= {"minimum": low, "maximum": high, "unit": option.unit}
    return described
