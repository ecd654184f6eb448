"""What agents are told of the tools: one for each mode, and what can be done with a job."""

from collections.abc import Mapping
from typing import Any

from mcp import types

from core.domain.limits import RequestLimits
from core.domain.modes import MODES, Mode
from core.domain.options import ASPECTS, Options
from core.domain.presets import Camera, Preset
from core.i18n.messages import name, say

JOB_TOOLS = ("status", "cancel", "result")


def tools(limits: RequestLimits) -> list[types.Tool]:
    """Describe every tool, with the type, range and meaning of each argument."""
    return [*(_maker(mode, limits) for mode in MODES), *map(_of_a_job, JOB_TOOLS)]


def options_from(arguments: Mapping[str, Any]) -> Options:
    """Read what an agent chose, from arguments that fit the schema."""
    given = {key: value for key, value in arguments.items() if value is not None}
    if "seed" in given:
        given["seed"] = int(given["seed"])
    return Options(**given)


def _maker(mode: Mode, limits: RequestLimits) -> types.Tool:
    spec = MODES[mode]
    media = {slot.role: _text(f"mcp_{slot.kind}") for slot in spec.slots}
    needed = [*media, *(["prompt"] if spec.prompt_required else [])]
    schema = {
        "type": "object",
        "properties": {**media, **_sampling(limits)},
        "required": needed,
        "additionalProperties": False,
    }
    return types.Tool(
        name=mode.value,
        title=name(mode),
        description=f"{say(f'studio_d_{mode}')} {say('mcp_returns_job')}",
        inputSchema=schema,
        annotations=types.ToolAnnotations(readOnlyHint=False, destructiveHint=False),
    )


def _of_a_job(tool: str) -> types.Tool:
    schema = {
        "type": "object",
        "properties": {"job": _text("mcp_job")},
        "required": ["job"],
        "additionalProperties": False,
    }
    hints = types.ToolAnnotations(readOnlyHint=tool != "cancel", destructiveHint=tool == "cancel")
    return types.Tool(
        name=tool, description=say(f"mcp_{tool}"), inputSchema=schema, annotations=hints
    )


def _sampling(limits: RequestLimits) -> dict[str, Any]:
    side = {"type": "integer", "minimum": limits.min_side, "maximum": limits.max_side}
    return {
        "prompt": {**_text("mcp_prompt"), "maxLength": limits.prompt_characters},
        "preset": {**_text("mcp_preset"), "enum": [preset.value for preset in Preset]},
        "aspect": {**_text("mcp_aspect"), "enum": list(ASPECTS)},
        "seconds": {
            "type": "number",
            "minimum": limits.min_seconds,
            "maximum": limits.max_seconds,
            "description": say("mcp_seconds"),
        },
        "seed": {**_text("mcp_seed"), "pattern": "^[0-9]{1,20}$"},
        "camera": {**_text("mcp_camera"), "enum": [camera.value for camera in Camera]},
        "width": {**side, "description": say("mcp_side")},
        "height": {**side, "description": say("mcp_side")},
        "fps": {
            "type": "integer",
            "minimum": limits.min_fps,
            "maximum": limits.max_fps,
            "description": say("mcp_fps"),
        },
        "negative_prompt": _text("mcp_negative"),
    }


def _text(code: str) -> dict[str, Any]:
    return {"type": "string", "description": say(code)}
