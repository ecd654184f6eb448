"""The sentences that are added to the requester's own words: ``workflows/phrases.toml``."""

import re
import tomllib
from collections.abc import Mapping
from functools import cache

from core.domain.modes import MODES, Mode
from core.domain.presets import Camera
from core.workflow.library import WORKFLOWS

# What ComfyUI's tokenizer takes as a command: a file to load, and marks of turns and pictures.
_COMMANDS = re.compile(r"(embedding)(:)|(<)((?:start_of_turn|end_of_turn|image_soft_token)>)")


def literal(text: str) -> str:
    """Escape ``text`` so that the tokenizer reads all of it as words; most texts do not change."""
    return _COMMANDS.sub(lambda found: " ".join(part for part in found.groups() if part), text)


@cache
def phrases() -> Mapping[str, Mapping[str, str]]:
    """Return the sentences by table: ``camera`` by move, ``empty`` by mode, else ``any``."""
    return tomllib.loads((WORKFLOWS / "phrases.toml").read_text("utf-8"))


def prompt_text(prompt: str, camera: Camera, mode: Mode) -> str:
    """Build the text that the text encoder reads.

    Args:
        prompt: the requester's words, taken literally.
        camera: a move; it becomes a sentence at the end, as prompts for LTX-2 end with the camera.
        mode: an empty prompt becomes the neutral sentence of the mode.
    """
    words = literal(prompt).strip() or _neutral(mode)
    move = phrases()["camera"].get(camera, "")
    return " ".join(part for part in (words, move) if part)


def _neutral(mode: Mode) -> str:
    if MODES[mode].prompt_required:
        return ""
    empty = phrases()["empty"]
    return empty.get(mode) or empty["any"]
