"""Translate command names and descriptions, from the same word files as everything else.

What Discord sends back always carries the default name, so nothing that handles a command knows
about languages.
"""

from collections.abc import Iterable

import discord
from discord import app_commands

from core.i18n.messages import DEFAULT_LANGUAGE, language_of, name, say, sentences

Text = app_commands.locale_str
Location = app_commands.TranslationContextLocation

_TABLES = {
    Location.command_name: "commands",
    Location.group_name: "commands",
    Location.parameter_name: "options",
}  # names without a code of their own are looked up by what they are


def text(code: str) -> Text:
    """Mark a sentence, here in English, for Discord to show in the reader's language."""
    return Text(say(code), code=code)


def choices(values: Iterable[str]) -> list[app_commands.Choice[str]]:
    """Turn identifiers into choices that people read as words."""
    return [
        app_commands.Choice(name=Text(name(value), code=f"names.{value}"), value=value)
        for value in values
    ]


def command_name(command: str, locale: str | None) -> str:
    """Name a command as the reader sees and types it: ``/history``, ``/verlauf``."""
    return "/" + say(f"commands.{command}", {}, locale)


def option_name(option: str, locale: str | None) -> str:
    """Name an option of a command as the reader sees it."""
    return say(f"options.{option}", {}, locale)


class CommandTranslator(app_commands.Translator):
    """Translates names, descriptions and choices; Discord gets every locale at every sync."""

    async def translate(
        self,
        string: app_commands.locale_str,
        locale: discord.Locale,
        context: app_commands.TranslationContextTypes,
    ) -> str | None:
        """Translate one string to ``locale``; None where there is no translation."""
        language = language_of(locale.value)
        if language == DEFAULT_LANGUAGE:
            return None
        code = string.extras.get("code") or f"{_TABLES.get(context.location)}.{string.message}"
        return sentences(language).get(str(code))
