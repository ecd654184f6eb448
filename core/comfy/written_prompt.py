"""What the prompt enhancer makes of the prompt of one run."""

from dataclasses import dataclass

from core.comfy.engine import Engine
from core.comfy.previews.run_previews import RunPreviews
from core.domain.presets import Enhance
from core.domain.requests import Request
from core.workflow.prompt_phrases import typed_text


@dataclass(slots=True)
class WrittenPrompt:
    """Shows the enhancer's words once they are there, and says at the end which were used."""

    engine: Engine
    request: Request
    previews: RunPreviews | None = None  # None: nobody looks
    key: str = ""  # under which the words are found; empty: nobody asked for any
    _told: bool = False

    @property
    def _typed(self) -> str:
        return typed_text(self.request.prompt, self.request.mode)

    def tell(self) -> None:
        """Show the words, if they are there and were not shown yet."""
        if self._told or self.previews is None or not self.key:
            return
        found = self.engine.enhanced(self.key, self._typed)
        if found is not None:
            self._told = True
            self.previews.told("" if found == self._typed else found)

    def used(self) -> str:
        """Return what the enhancer made of the prompt, "" where it was not asked.

        The prompt as it was typed stands for an answer that was of no use.
        """
        if not self.key:
            return self.request.prompt if self.request.sampling.enhance is Enhance.ON else ""
        found = self.engine.enhanced(self.key, self._typed)
        return self.request.prompt if found in {None, self._typed} else found or ""
