"""The buttons with which somebody asks for access, and with which an operator answers."""

import re
from typing import Any, Self

import discord

from bots.discord.address import Interaction
from bots.discord.answers import answer, replace
from bots.discord.error_replies import run_with_error_reply
from bots.discord.fixed_button import FixedButton
from bots.discord.rendering import ASK_ACCESS, ask_button, texts_for
from core.domain.access import read_entry
from core.i18n.messages import say
from core.service.operator_api import AccessDecision

STYLES = {
    AccessDecision.ALLOW: discord.ButtonStyle.success,
    AccessDecision.DENY: discord.ButtonStyle.secondary,
    AccessDecision.BLOCK: discord.ButtonStyle.danger,
}


class AskAccessButton(
    FixedButton, discord.ui.DynamicItem[discord.ui.Button[Any]], template=ASK_ACCESS
):
    """Asks the operators to let the person in who presses it."""

    def __init__(self, locale: str | None = None) -> None:
        super().__init__(ask_button(locale))

    async def pressed(self, interaction: Interaction) -> None:
        """Pass the request on, and say so."""
        context = interaction.client.context
        await context.users.access.ask(context.caller(interaction), interaction.user.name)
        await answer(interaction, texts_for(str(interaction.locale)).say("access_sent"))


class DecideAccessButton(
    discord.ui.DynamicItem[discord.ui.Button[Any]],
    template=r"access:(?P<decision>allow|deny|block):(?P<entry>[a-z0-9:-]{1,60})",
):
    """An operator's answer to somebody who asks for access."""

    def __init__(self, decision: AccessDecision, entry: str, locale: str | None = None) -> None:
        button: discord.ui.Button[Any] = discord.ui.Button(
            label=say(f"access_{decision}_label", {}, locale),
            custom_id=f"access:{decision}:{entry}",
            style=STYLES[decision],
        )
        super().__init__(button)
        self.decision = decision
        self.entry = entry

    @classmethod
    async def from_custom_id(
        cls, interaction: Interaction, item: discord.ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        """Rebuild the button that was pressed from its id."""
        del interaction, item
        return cls(AccessDecision(match["decision"]), match["entry"])

    async def callback(self, interaction: Interaction) -> None:
        """Note the answer, if the person is an operator."""
        await run_with_error_reply(interaction, self._decide(interaction))

    async def _decide(self, interaction: Interaction) -> None:
        operator = interaction.client.context.operator(interaction)
        (entry,) = read_entry(self.entry)
        done = await operator.decide(entry, self.decision)
        code = f"access_did_{self.decision}" if done else "access_over"
        text = texts_for(str(interaction.locale)).say(code, entry=self.entry)
        await replace(interaction, text, None)


def decide_view(entry: str, locale: str | None) -> discord.ui.View:
    """Build the buttons that answer a request for access."""
    view = discord.ui.View(timeout=None)
    for decision in AccessDecision:
        view.add_item(DecideAccessButton(decision, entry, locale))
    view.stop()
    return view
