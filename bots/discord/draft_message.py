"""One message with the drafts of a request, and the buttons to finish one or make others."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import discord

from bots.discord.address import DiscordAddress
from bots.discord.rendering import CAPTION_LIMIT, buttons, custom_id, texts_for
from bots.discord.sender import OutgoingMessage
from bots.shared.captions import Telling
from bots.shared.drafts import drafts_caption, finishable
from bots.shared.offers import Offers
from core.domain.followups import Action
from core.domain.jobs import Job


def drafts_message(
    jobs: Sequence[Job],
    paths: Mapping[str, Path],
    at: DiscordAddress,
    telling: Telling,
    offers: Offers,
) -> OutgoingMessage:
    """Build the message; ``paths`` are the files to post, by job."""

    def files() -> list[discord.File]:
        return [
            discord.File(paths[job.id], f"clapper-draft-{number}-{job.id[:8]}.mp4",
                         spoiler=at.spoiler)
            for number, job in enumerate(jobs, 1)
            if job.id in paths
        ]  # fmt: skip

    view = drafts_view(jobs, at.locale, offers)
    return OutgoingMessage(
        drafts_caption(texts_for(at.locale), jobs, telling, CAPTION_LIMIT), view, files
    )


def drafts_view(jobs: Sequence[Job], locale: str | None, offers: Offers) -> discord.ui.View:
    """Build a button to finish each draft, and those for all of them."""
    view = discord.ui.View(timeout=None)
    for number, job in finishable(jobs, offers):
        label = offers.label(job, Action.QUALITY, locale, number)
        style = discord.ButtonStyle.primary
        name = custom_id(Action.QUALITY, job.id)
        view.add_item(discord.ui.Button(style=style, label=label, custom_id=name, row=0))
    of_all = [Action.AGAIN, Action.DETAILS, Action.DELETE]
    for button in buttons(of_all, jobs[0], locale, offers).children:
        if isinstance(button, discord.ui.Button):
            button.row = 1
            view.add_item(button)
    view.stop()  # presses are handled by JobButton, not by this object
    return view
