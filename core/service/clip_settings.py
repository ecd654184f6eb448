"""Read what a clip says of itself, for a form that makes it again."""

from dataclasses import dataclass, replace
from pathlib import Path

from core.domain.followups import options_from
from core.domain.modes import Mode
from core.domain.options import Options
from core.domain.requests import Sampling
from core.domain.words import joined
from core.media.output.provenance import read_provenance

_MOST_FRAMES = 10**9  # of any film; numbers beyond have no length in seconds


@dataclass(frozen=True, slots=True)
class ClipSettings:
    """The settings in a file: its own claim, no proof."""

    mode: Mode
    sampling: Sampling
    prompt: str  # empty unless the operator allows it in files

    @property
    def options(self) -> Options:
        """Return what a person would type to get such a clip, as far as the file says it."""
        return options_from(self.mode, self.prompt, self.sampling)


def read_clip_settings(path: Path) -> ClipSettings | None:
    """Read the settings of a clip; None where the file is none of ours.

    Args:
        path: any file, trusted or not; it is never decoded, and at most 64 kB of text are read.
    """
    found = read_provenance(path)
    if found is None or found.sampling.frames > _MOST_FRAMES:
        return None
    style = found.style
    if style is None:
        return ClipSettings(found.mode, found.sampling, found.prompt)
    # in words: who reads this may have no style of that name, or another one
    negative = joined(found.sampling.negative_prompt, style.negative)
    prompt = joined(style.before, found.prompt, style.after)
    return ClipSettings(found.mode, replace(found.sampling, negative_prompt=negative), prompt)
