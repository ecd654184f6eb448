"""Render jobs for Discord: markup, and the rows of buttons under a status or a clip."""

import re
from typing import Any

import discord

from bots.discord.localization import command_name, option_name
from bots.shared.offers import NO_OFFERS, Offers
from bots.shared.texts import Markup, Texts
from core.domain.followups import Action, actions_for
from core.domain.jobs import Job
from core.i18n.messages import say

CUSTOM_ID = r"job:(?P<action>[a-z_]+):(?P<job>[0-9a-f]{32})"
ASK_ACCESS = "access:ask"
MESSAGE_LIMIT = 2000  # characters of a message

_CODE = re.compile(r"<(?=[@#/:]|a:\w|t:|id:)")  # begins a mention, a command, an emoji or a time


def _literal(text: str) -> str:
    """Let what Discord would replace by a name, a time or a picture be read as it was written."""
    return _CODE.sub(r"\<", text)


MARKUP = Markup(
    moment=lambda at: f"<t:{round(at)}:R>",
    escape=lambda text: _literal(
        discord.utils.escape_mentions(discord.utils.escape_markdown(text))
    ),
    command=command_name,
    option=option_name,
    quote=lambda text: f"`{text.replace('`', 'ˋ')}`",  # in code nothing is markup or a mention
)

_STYLES = {
    Action.CANCEL: discord.ButtonStyle.danger,
    Action.DELETE: discord.ButtonStyle.danger,
    Action.AGAIN: discord.ButtonStyle.primary,
    Action.FETCH: discord.ButtonStyle.primary,
}


def texts_for(locale: str | None) -> Texts:
    """Choose the texts for a reader's language."""
    return Texts(MARKUP, locale)


def custom_id(action: Action, job_id: str) -> str:
    """Build the id of a button; it is all that a button needs to work after a restart."""
    return f"job:{action.value}:{job_id}"


def clip_text(text: str) -> str:
    """Cut ``text`` to Discord's limit of a message."""
    return text if len(text) <= MESSAGE_LIMIT else text[: MESSAGE_LIMIT - 1] + "…"


def buttons(
    actions: list[Action], job: Job, locale: str | None, offers: Offers = NO_OFFERS
) -> discord.ui.View:
    """Build a view with one button per action, four per row."""
    view = discord.ui.View(timeout=None)
    for index, action in enumerate(actions):
        view.add_item(
            discord.ui.Button(
                style=_STYLES.get(action, discord.ButtonStyle.secondary),
                label=offers.label(job, action, locale),
                custom_id=custom_id(action, job.id),
                row=index // 4,
            )
        )
    view.stop()  # presses are handled by JobButton, not by this object
    return view


def report_button(post_id: str, locale: str | None) -> discord.ui.Button[Any]:
    """Build the button with which anybody reports a post of a feed."""
    return discord.ui.Button(
        label=say("report_label", {}, locale), custom_id=f"feed:report:{post_id}", row=1
    )


def ask_button(locale: str | None) -> discord.ui.Button[Any]:
    """Build the button that asks operators for access."""
    label = say("access_ask_label", {}, locale)
    style = discord.ButtonStyle.primary
    return discord.ui.Button(label=label, custom_id=ASK_ACCESS, style=style)


def ask_view(locale: str | None) -> discord.ui.View:
    """Build a view with the button that asks operators for access."""
    view = discord.ui.View(timeout=None)
    view.add_item(ask_button(locale))
    view.stop()
    return view


def job_view(
    job: Job,
    locale: str | None,
    offers: Offers = NO_OFFERS,
    *,
    hidden: bool = False,
    remixable: bool = False,
    publishable: bool = False,
) -> discord.ui.View:
    """Build the buttons under a job's message, which needs none to fetch the clip it shows.

    Those that the limits in force would refuse are left out. A clip that one person alone sees in
    a server (``hidden``) has one to show it to all; one that others may remix has one for that,
    and one that its maker may show in a feed.
    """
    shown = [action for action in actions_for(job, offers.limits) if action is not Action.FETCH]
    shown += [Action.REMIX] if remixable else []
    shown += [Action.PUBLISH] if publishable and job.clip is not None else []
    view = buttons(shown, job, locale, offers)
    if hidden and job.clip is not None:
        label = say("share_label", {}, locale)
        view.add_item(discord.ui.Button(label=label, custom_id=f"share:{job.id}", row=2))
    return view
