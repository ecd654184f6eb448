"""How jobs look on Discord: markup, and the rows of buttons under a status or a clip."""

import discord

from bots.discord.localization import command_name, option_name
from bots.shared.texts import Markup, Texts
from core.domain.followups import Action, can_improve
from core.domain.jobs import Job, JobState
from core.i18n.messages import say

CUSTOM_ID = r"job:(?P<action>[a-z_]+):(?P<job>[0-9a-f]{32})"
MESSAGE_LIMIT = 2000  # characters of a message

MARKUP = Markup(
    moment=lambda at: f"<t:{round(at)}:R>",
    escape=lambda text: discord.utils.escape_mentions(discord.utils.escape_markdown(text)),
    command=command_name,
    option=option_name,
)

_STYLES = {
    Action.CANCEL: discord.ButtonStyle.danger,
    Action.DELETE: discord.ButtonStyle.danger,
    Action.AGAIN: discord.ButtonStyle.primary,
    Action.FETCH: discord.ButtonStyle.primary,
}


def texts_for(locale: str | None) -> Texts:
    """Return the sentences for a reader."""
    return Texts(MARKUP, locale)


def custom_id(action: Action, job_id: str) -> str:
    """Return the id of a button; it is all that a button needs to work after a restart."""
    return f"job:{action.value}:{job_id}"


def clip_text(text: str) -> str:
    """Return ``text`` within Discord's limit of a message."""
    return text if len(text) <= MESSAGE_LIMIT else text[: MESSAGE_LIMIT - 1] + "…"


def buttons(actions: list[Action], job: Job, locale: str | None) -> discord.ui.View:
    """Return a view with one button an action, four a row."""
    view = discord.ui.View(timeout=None)
    for index, action in enumerate(actions):
        view.add_item(
            discord.ui.Button(
                style=_STYLES.get(action, discord.ButtonStyle.secondary),
                label=say(f"{action}_label", {}, locale),
                custom_id=custom_id(action, job.id),
                row=index // 4,
            )
        )
    view.stop()  # presses are handled by JobButton, not by this object
    return view


def actions_for(job: Job) -> list[Action]:
    """Return what can be done with ``job`` in its state."""
    if not job.state.terminal:
        return [Action.CANCEL, Action.DETAILS]
    if job.state is not JobState.SUCCEEDED:
        return [Action.AGAIN, Action.EDIT, Action.DETAILS, Action.DELETE]
    actions = [Action.AGAIN, Action.EDIT, Action.LONGER, Action.LAST_FRAME]
    if can_improve(job.request):
        actions.append(Action.QUALITY)
    return [*actions, Action.DETAILS, Action.DELETE]


def job_view(job: Job, locale: str | None) -> discord.ui.View:
    """Return the buttons under a job's message."""
    return buttons(actions_for(job), job, locale)
