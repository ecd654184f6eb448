"""What agents are told of the tools: one for each mode, and what can be done with a job."""

from typing import Any

from mcp import types

from core.domain.limits import RequestLimits
from core.domain.modes import MODES, Mode
from core.domain.options import Option, OptionKind, options_in
from core.i18n.messages import say
from core.i18n.option_words import mode_title, option_hint
from core.service.follow_ups import MAKING
from webui.api.schemas import describe_mode
from webui.auth.guard import JOB_ENDPOINTS

KEY = "idempotency_key"  # the argument that makes a repeated call the same job
LONGEST_KEY = 200  # characters, as of the Idempotency-Key of HTTP


def tools(limits: RequestLimits) -> list[types.Tool]:
    """Describe every tool, with the type, range and meaning of each argument."""
    return [*(_maker(mode, limits) for mode in MODES), *map(_of_a_job, JOB_ENDPOINTS)]


def _maker(mode: Mode, limits: RequestLimits) -> types.Tool:
    spec = MODES[mode]
    media = {slot.role: _text(f"mcp_{slot.kind}") for slot in spec.every_slot}
    needed = [*(slot.role for slot in spec.slots), *(["prompt"] if spec.prompt_required else [])]
    schema = {
        "type": "object",
        "properties": {
            **media,
            **{option.name: _argument(option, limits) for option in options_in(mode)},
            KEY: _key(),
        },
        "required": needed,
        "additionalProperties": False,
    }
    return types.Tool(
        name=mode.value,
        title=mode_title(mode),
        description=describe_mode(mode),
        inputSchema=schema,
        annotations=types.ToolAnnotations(readOnlyHint=False, destructiveHint=False),
    )


def _of_a_job(tool: str) -> types.Tool:
    properties: dict[str, Any] = {"job": _text("mcp_job")}
    needed = [*properties]
    if tool == "follow_up":
        actions = [action.value for action in MAKING]
        properties["action"] = {**_text("mcp_action"), "enum": actions}
        needed = [*properties]
        properties[KEY] = _key()
    schema = {
        "type": "object",
        "properties": properties,
        "required": needed,
        "additionalProperties": False,
    }
    reads = tool in {"status", "result"}
    hints = types.ToolAnnotations(readOnlyHint=reads, destructiveHint=tool == "cancel")
    return types.Tool(
        name=tool, description=say(f"mcp_{tool}"), inputSchema=schema, annotations=hints
    )


def _argument(option: Option, limits: RequestLimits) -> dict[str, Any]:
    """Describe ``option`` with its type and range."""
    description = {"description": option_hint(option, limits)}
    match option.kind:
        case OptionKind.TEXT:
            return {"type": "string", "maxLength": limits.prompt_characters, **description}
        case OptionKind.CHOICE:
            choices = [str(choice) for choice in option.choices]
            return {"type": "string", "enum": choices, **description}
        case OptionKind.SEED:  # text keeps all digits
            return {"type": "string", "pattern": "^[0-9]{1,20}$", **description}
        case OptionKind.NUMBER | OptionKind.COUNT:
            low, high = option.range_in(limits)
            kind = "integer" if option.kind is OptionKind.COUNT else "number"
            return {"type": kind, "minimum": low, "maximum": high, **description}


def _key() -> dict[str, Any]:
    return {**_text("mcp_key"), "minLength": 1, "maxLength": LONGEST_KEY}


def _text(code: str) -> dict[str, Any]:
    return {"type": "string", "description": say(code)}
