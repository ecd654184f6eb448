"""The sentences that are added to the requester's own words: ``workflows/phrases.toml``."""

import re
import tomllib
from collections.abc import Mapping
from functools import cache

from core.domain.modes import MODES, Mode
from core.workflow.library import WORKFLOWS

# What ComfyUI's tokenizer takes as a command: a file to load, and marks of turns and pictures.
_COMMANDS = re.compile(r"(embedding)(:)|(<)((?:start_of_turn|end_of_turn|image_soft_token)>)")


def literal(text: str) -> str:
    """Escape ``text`` so that the tokenizer reads all of it as words; most texts do not change."""
    return _COMMANDS.sub(lambda found: " ".join(part for part in found.groups() if part), text)


@cache
def phrases() -> Mapping[str, Mapping[str, str]]:
    """Return the sentences by table.

    A table named after an option has one for each choice, ``option`` has one with a ``{value}``
    for each option that is typed, ``empty`` has one by mode, and ``any`` for the other modes;
    ``added`` has one by mode that follows every prompt.
    """
    return tomllib.loads((WORKFLOWS / "phrases.toml").read_text("utf-8"))


def prompt_text(prompt: str, mode: Mode, kept: Mapping[str, str]) -> str:
    """Build the text that the text encoder reads.

    Args:
        prompt: the requester's words, taken literally.
        mode: an empty prompt becomes the neutral sentence of the mode.
        kept: values of options by name; those with a phrase become a sentence each, in the order
            of the table of options: prompts for the model end with the camera.
    """
    spoken = phrases()["added"].get(mode, "") if prompt.strip() else ""
    return _joined(typed_text(prompt, mode), spoken, *map(_sentence, kept, kept.values()))


def typed_text(prompt: str, mode: Mode) -> str:
    """Return the requester's own words, taken literally; of none, the sentence of the mode."""
    return literal(prompt).strip() or _neutral(mode)


def added_text(mode: Mode, kept: Mapping[str, str]) -> str:
    """Return the sentences that follow a prompt: that of the mode and those of the options."""
    spoken = phrases()["added"].get(mode, "")
    return _joined(spoken, *map(_sentence, kept, kept.values()))


def _joined(*parts: str) -> str:
    return " ".join(part for part in parts if part)


def has_phrase(option: str) -> bool:
    """Tell whether the values of ``option`` become sentences of the prompt."""
    return option in phrases() or option in phrases()["option"]


def _sentence(option: str, value: str) -> str:
    """Return the sentence for a choice, or the one that holds what a person typed."""
    if option in phrases():
        return phrases()[option].get(value, "")
    template = phrases()["option"].get(option, "")
    if not template:
        return ""
    return template.replace("{value}", literal(value).strip()) if value.strip() else ""


def _neutral(mode: Mode) -> str:
    if MODES[mode].prompt_required:
        return ""
    empty = phrases()["empty"]
    return empty.get(mode) or empty["any"]
