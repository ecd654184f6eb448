"""Translate command names and descriptions, from the same word files as everything else.

What Discord sends back always carries the default name, so nothing that handles a command knows
about languages. Most names follow from what a mode or an option is called; the tables ``commands``
and ``options`` of the word files hold those that differ.
"""

import re
from collections.abc import Callable, Iterable
from functools import partial

import discord
from discord import app_commands

from core.domain.options import Option
from core.i18n.messages import DEFAULT_LANGUAGE, language_of, name, say, sentences

Text = app_commands.locale_str
Location = app_commands.TranslationContextLocation

COMMANDS, OPTION_NAMES = "commands", "options"
_TABLES = {
    Location.command_name: COMMANDS,
    Location.group_name: COMMANDS,
    Location.parameter_name: OPTION_NAMES,
}  # names without words of their own are looked up by what they are
_SPACES = {COMMANDS: "-", OPTION_NAMES: "_"}  # what stands for a space in a name


def spoken(words: Callable[[str | None], str]) -> Text:
    """Mark what ``words`` says, here in English, for Discord to show in the reader's language."""
    return Text(words(None), words=words)


def text(code: str) -> Text:
    """Mark a sentence, here in English, for Discord to show in the reader's language."""
    return spoken(partial(say, code, {}))


def choices(values: Iterable[str]) -> list[app_commands.Choice[str]]:
    """Turn identifiers into choices that people read as words."""
    return [app_commands.Choice(name=spoken(partial(name, value)), value=value) for value in values]


def choice_label(option: Option, choice: str, locale: str | None) -> str:
    """Return what a reader sees of one of the choices of ``option``."""
    return choice if option.verbatim else name(choice, locale)


def command_name(command: str, locale: str | None) -> str:
    """Name a command as the reader sees and types it: ``/history``, ``/verlauf``."""
    return "/" + localised_name(COMMANDS, command, locale)


def option_name(option: str, locale: str | None) -> str:
    """Name an option of a command as the reader sees it."""
    return localised_name(OPTION_NAMES, option, locale)


def localised_name(table: str, identifier: str, locale: str | None) -> str:
    """Return the name of a command or an option in the language of ``locale``.

    Args:
        table: ``commands`` or ``options``; an entry there goes before what the thing is called.
        identifier: the default name, of a mode, an option, a file's role or a command.
        locale: the reader's.

    Returns:
        Lowercase, without spaces.
    """
    language = language_of(locale)
    if language == DEFAULT_LANGUAGE:
        return identifier
    own = sentences(language).get(f"{table}.{identifier}")
    return own or re.sub(r"[^\w-]+", _SPACES[table], name(identifier, language).lower())


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
        words: Callable[[str | None], str] | None = string.extras.get("words")
        if words is not None:
            return words(language)
        table = _TABLES.get(context.location)
        return localised_name(table, string.message, language) if table else None
