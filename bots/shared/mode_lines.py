"""Tell what each mode makes and how it is called, from its slots and its words."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from core.domain.modes import ModeSpec
from core.i18n.messages import name, say
from core.i18n.option_words import mode_example, mode_hint, mode_summary

Name: TypeAlias = Callable[[str, str | None], str]  # our name and a locale → the reader's name


@dataclass(frozen=True, slots=True)
class ModeLines:
    """Writes about modes for one reader of a platform."""

    command: Name
    option: Name
    escape: Callable[[str], str]
    locale: str | None = None
    files_apart: bool = False  # they are no arguments of the command

    def summary(self, spec: ModeSpec) -> str:
        """Write the command of the mode with its files and prompt, and what it makes of them.

        A mode that needs words only has an example: it can be typed as it stands.
        """
        command = self.command(spec.mode, self.locale)
        if self.files_apart and spec.slots:
            files = ", ".join(name(slot.role, self.locale) for slot in spec.slots)
            call = f"{command} {say('t_words', {}, self.locale)}"
            what = mode_summary(spec.mode, self.locale)
            return self._say("mode_line_files", call=call, files=files, what=what)
        typed = [*(slot.role for slot in spec.slots), "prompt"]
        call = " ".join([command, *(self.option(one, self.locale) for one in typed)])
        line = self._say("mode_line", call=call, what=mode_summary(spec.mode, self.locale))
        if spec.slots:
            return line
        example = f"{command} {mode_example(spec.mode, self.locale)}"
        return f"{line} {self._say('mode_line_example', example=example)}"

    def hint(self, spec: ModeSpec) -> str:
        """Write how a prompt for the mode is best written."""
        return self._say("mode_line_hint", hint=mode_hint(spec.mode, self.locale))

    def _say(self, code: str, **data: str) -> str:
        return say(code, {key: self.escape(value) for key, value in data.items()}, self.locale)
