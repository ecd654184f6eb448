# gradio's own types are incomplete
# pyright: reportUnknownMemberType=false
"""The page in every language: built once in each, and given to who reads it.

The parts of all of them have the same numbers, so one set of events serves them all. Programs go by
the names of the default language, which `/config` and the description of the API keep.
"""

from collections.abc import Callable, Mapping
from typing import Any

import gradio as gr
from gradio.context import Context

from core.i18n.messages import DEFAULT_LANGUAGE, language_of, languages, speaking

Parts = list[dict[str, Any]]


class SpokenConfig(dict[str, Any]):
    """The configuration of the page, whose parts speak the language of who asks."""

    def __init__(self, config: Mapping[str, Any], parts: Mapping[str, Parts]) -> None:
        super().__init__(config)
        self._parts = parts

    def __getitem__(self, key: str) -> Any:  # noqa: ANN401  # as of any dictionary
        """Return a value; the parts in the language of who asks."""
        if key == "components":
            return self._parts.get(language_of(None)) or super().__getitem__(key)
        return super().__getitem__(key)


def in_every_language(build: Callable[[], gr.Blocks]) -> tuple[gr.Blocks, dict[str, Parts]]:
    """Build the page in the default language, and its parts in all others."""
    first = Context.id
    page = build()
    last = Context.id
    parts: dict[str, Parts] = {}
    for language in languages():
        if language != DEFAULT_LANGUAGE:
            Context.id = first  # the same parts get the same numbers
            with speaking(language):
                parts[language] = build().get_config_file()["components"]
    Context.id = last
    return page, parts


def let_speak(app: Any, parts: Mapping[str, Parts]) -> None:  # noqa: ANN401  # Gradio's
    """Give the page of ``app`` to everybody in their language from now on; before it serves."""
    app.blocks.config = SpokenConfig(app.blocks.config, parts)
