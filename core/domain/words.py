"""The words that the model is given: the prompt with those of a style, its wildcards drawn.

What a person typed is kept and shown as they typed it; this is made of it whenever it is needed.
"""

from dataclasses import dataclass

from core.domain.wildcards import drawn

_ENDS, _BEGINS = ".,;:!?…-–—", ".,;:!?…"


@dataclass(frozen=True, slots=True)
class StyleWords:
    """The name of a style and its words, as they were when the request was made."""

    name: str
    before: str = ""
    after: str = ""
    negative: str = ""


@dataclass(frozen=True, slots=True)
class Wording:
    """What the model is given."""

    prompt: str
    negative: str


def worded(prompt: str, negative: str, style: StyleWords | None, seed: int) -> Wording:
    """Return the words of a clip; the same seed always draws the same ones."""
    if style is not None:
        prompt = joined(style.before, prompt, style.after)
        negative = joined(negative, style.negative)
    return Wording(drawn(prompt, seed), drawn(negative, seed))


def joined(*parts: str) -> str:
    """Join parts of a sentence: by a comma, where none of them says how they go on."""
    whole = ""
    for part in (one.strip() for one in parts):
        if whole and part:
            whole += " " if whole[-1] in _ENDS else "" if part[0] in _BEGINS else ", "
            whole += " " if whole[-1] != " " and part[0] not in _BEGINS else ""
        whole += part
    return whole
