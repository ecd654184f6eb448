"""Every form that people send, found by its id, so that it works after a restart."""

import re
from collections.abc import Callable, Coroutine
from typing import Any, TypeAlias

from bots.discord.address import Interaction
from bots.discord.edit_modal import FORM_ID, receive_form, sent_form
from bots.discord.feed_buttons import REPORT_FORM, receive_report
from bots.discord.menu_form import MENU_FORM, receive_menu_form
from bots.discord.remix import REMIX_ID, receive_remix
from bots.discord.submission import DiscordContext

Receive: TypeAlias = Callable[
    [DiscordContext, Interaction, re.Match[str]], Coroutine[Any, Any, None]
]
FORMS: dict[re.Pattern[str], Receive] = {
    FORM_ID: lambda context, sent, found: receive_form(context, sent, found["job"]),
    MENU_FORM: lambda context, sent, found: receive_menu_form(
        context, sent, found["mode"], found["form"]
    ),
    REMIX_ID: lambda context, sent, found: receive_remix(context, sent, found["job"]),
    REPORT_FORM: lambda context, sent, found: receive_report(context, sent, found["job"]),
}


def receive(context: DiscordContext, interaction: Interaction) -> Coroutine[Any, Any, None] | None:
    """Return what handles the form that was sent; None where the interaction is something else."""
    for ids, handle in FORMS.items():
        if (found := sent_form(interaction, ids)) is not None:
            return handle(context, interaction, found)
    return None
