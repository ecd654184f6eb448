"""The words that a model is given for a clip that is being made, as soon as they are known."""

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeAlias

from core.domain.clip_preview import ClipPreview

MOST_BYTES = 6_000  # of UTF-8; with marks before quotes and what names it below PostgreSQL's 8 000

_NEVER = frozenset({"Cc", "Cs"})  # Unicode categories: control, half of a letter


@dataclass(frozen=True, slots=True)
class PromptPreview:
    """What the prompt enhancer made of a prompt; it differs from what was typed."""

    words: str = field(repr=False)  # a person's: no log shows them


JobPreview: TypeAlias = ClipPreview | PromptPreview
PreviewSink: TypeAlias = Callable[[str, JobPreview], None]  # job id; never blocks, on the loop


def prompt_preview(words: str) -> PromptPreview | None:
    """Return a preview of ``words``; None where there are none, or too many for a message.

    Words come from rented machines too: none with control characters or broken ones is shown.
    """
    if any(unicodedata.category(letter) in _NEVER for letter in words):
        return None
    return PromptPreview(words) if 0 < len(words.encode()) <= MOST_BYTES else None
