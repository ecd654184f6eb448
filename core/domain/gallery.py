"""What somebody looks for among their own jobs: words of prompts, and properties of clips."""

import unicodedata
from dataclasses import dataclass
from enum import StrEnum

from core.domain.dimensions import Size
from core.domain.jobs import Job
from core.domain.modes import Mode
from core.domain.presets import Preset

MOST_CHARACTERS = 200  # of what is looked for


class Shape(StrEnum):
    """How a clip lies."""

    WIDE = "wide"
    TALL = "tall"
    SQUARE = "square"

    @classmethod
    def of(cls, size: Size) -> "Shape":
        """Return the shape of ``size``; a few pixels more or less leave it square."""
        if abs(size.width - size.height) * 20 <= max(size.width, size.height):
            return cls.SQUARE
        return cls.WIDE if size.width > size.height else cls.TALL


@dataclass(frozen=True, slots=True)
class GalleryFilter:
    """Which jobs are wanted; what is not said lets all through."""

    words: str = ""  # each of them is somewhere in the prompt
    mode: Mode | None = None
    shape: Shape | None = None
    preset: Preset | None = None
    starred: bool = False
    clips: bool = False  # only jobs that made one

    @property
    def in_rows(self) -> bool:
        """Tell whether the rows say who fits, so that no request has to be read."""
        return not (self.words.strip() or self.mode or self.shape or self.preset)

    def fits(self, job: Job) -> bool:
        """Tell whether the request of ``job`` is one that is wanted."""
        if self.in_rows:
            return True
        asked = job.asked
        if asked is None:  # nobody knows what it was
            return False
        return (
            (self.mode is None or asked.mode is self.mode)
            and (self.preset is None or asked.sampling.preset is self.preset)
            and (self.shape is None or Shape.of(asked.sampling.size) is self.shape)
            and contains(asked.prompt, self.words)
        )


def contains(text: str, words: str) -> bool:
    """Tell whether each of ``words`` is somewhere in ``text``, in any case and any spelling of it.

    Every character stands for itself. Scripts without spaces are looked for as they are written.
    """
    found = _plain(text)
    return all(word in found for word in _plain(words).split())


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
