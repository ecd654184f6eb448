"""Command names and descriptions in the reader's language, from the same words as everything."""

import discord
from discord import app_commands

from core.messages import DEFAULT_LANGUAGE, language_of, sentences


class Words(app_commands.Translator):
    """Translates what carries a word's code; Discord asks once per locale at every sync."""

    async def translate(
        self,
        string: app_commands.locale_str,
        locale: discord.Locale,
        context: app_commands.TranslationContextTypes,
    ) -> str | None:
        """Return the word in the language of ``locale``, None where we have none of our own."""
        del context
        code = string.extras.get("code")
        language = language_of(locale.value)
        if code is None or language == DEFAULT_LANGUAGE:
            return None
        return sentences(language).get(str(code))
