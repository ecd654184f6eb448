"""What buttons have in common whose id has nothing to tell but which button it is."""

import re
from typing import Any, Self

import discord

from bots.discord.address import Interaction
from bots.discord.error_replies import run_with_error_reply


class FixedButton:
    """Comes first among the bases of a dynamic item, which then says what a press does."""

    @classmethod
    async def from_custom_id(
        cls, interaction: Interaction, item: discord.ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        """Rebuild the button that was pressed from its id."""
        del interaction, item, match
        return cls()

    async def callback(self, interaction: Interaction) -> None:
        """Do what the button says, and tell the person what goes wrong."""
        await run_with_error_reply(interaction, self.pressed(interaction))

    async def pressed(self, interaction: Interaction) -> None:
        """Do what the button says."""
        raise NotImplementedError
