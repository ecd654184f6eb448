"""Publish, take down, report, and what operators answer; all of it answered to one person alone."""

import re
from collections.abc import Sequence
from enum import StrEnum
from typing import Any, Self

import discord

from bots.discord.address import Interaction
from bots.discord.answers import answer, replace, show_form
from bots.discord.edit_modal import typed_in
from bots.discord.error_replies import run_with_error_reply
from bots.discord.rendering import texts_for
from bots.discord.submission import DiscordContext
from bots.shared.feed_texts import decided_text, offer_text, post_text
from core.domain.feed import REASON_LENGTH
from core.i18n.messages import say
from core.service.user_feed import FeedPost, ReportDecision

REPORT_FORM = re.compile(r"form:report:(?P<job>[0-9a-f]{32})")
REASON = "reason"  # the field of that form
_STYLES = {
    ReportDecision.TAKE_DOWN: discord.ButtonStyle.danger,
    ReportDecision.DISMISS: discord.ButtonStyle.secondary,
    ReportDecision.BLOCK: discord.ButtonStyle.danger,
}


class FeedVerb(StrEnum):
    """What a button of a feed does, with a job or a post."""

    PUBLISH = "publish"  # a job, with its prompt
    PLAIN = "plain"  # a job, without
    REMOVE = "remove"  # a post
    REPORT = "report"  # a post


class FeedButton(
    discord.ui.DynamicItem[discord.ui.Button[Any]],
    template=r"feed:(?P<verb>publish|plain|remove|report):(?P<job>[0-9a-f]{32})",
):
    """A button about a clip in a feed."""

    def __init__(
        self, verb: FeedVerb, subject: str, label: str = "", locale: str | None = None
    ) -> None:
        danger = verb is FeedVerb.REMOVE
        button: discord.ui.Button[Any] = discord.ui.Button(
            label=say(label, {}, locale) if label else None,
            custom_id=f"feed:{verb}:{subject}",
            style=discord.ButtonStyle.danger if danger else discord.ButtonStyle.primary,
        )
        super().__init__(button)
        self.verb = verb
        self.subject = subject

    @classmethod
    async def from_custom_id(
        cls, interaction: Interaction, item: discord.ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        """Rebuild the button that was pressed from its id."""
        del interaction, item
        return cls(FeedVerb(match["verb"]), match["job"])

    async def callback(self, interaction: Interaction) -> None:
        """Do what the button says, for a person who may."""
        run = {
            FeedVerb.PUBLISH: _publish,
            FeedVerb.PLAIN: _publish_plain,
            FeedVerb.REMOVE: _remove,
            FeedVerb.REPORT: _open_report,
        }[self.verb]
        context: DiscordContext = interaction.client.context
        await run_with_error_reply(interaction, run(context, interaction, self.subject))


class DecideReportButton(
    discord.ui.DynamicItem[discord.ui.Button[Any]],
    template=r"report:(?P<decision>takedown|dismiss|block):(?P<job>[0-9a-f]{32})",
):
    """An operator's answer to the reports of a post."""

    def __init__(self, decision: ReportDecision, post_id: str, locale: str | None = None) -> None:
        button: discord.ui.Button[Any] = discord.ui.Button(
            label=say(f"report_{decision}_label", {}, locale),
            custom_id=f"report:{decision}:{post_id}",
            style=_STYLES[decision],
        )
        super().__init__(button)
        self.decision = decision
        self.post_id = post_id

    @classmethod
    async def from_custom_id(
        cls, interaction: Interaction, item: discord.ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        """Rebuild the button that was pressed from its id."""
        del interaction, item
        return cls(ReportDecision(match["decision"]), match["job"])

    async def callback(self, interaction: Interaction) -> None:
        """Do what the person decides, if they are an operator."""
        await run_with_error_reply(interaction, self._decide(interaction))

    async def _decide(self, interaction: Interaction) -> None:
        feed = interaction.client.context.operator(interaction).feed
        done = await feed.decide(self.post_id, self.decision)
        told = decided_text(texts_for(str(interaction.locale)), done, self.decision)
        await replace(interaction, told, None)


def decide_report_view(post_id: str, locale: str | None) -> discord.ui.View:
    """Build the buttons that answer the reports of a post."""
    return _view([DecideReportButton(one, post_id, locale) for one in ReportDecision])


async def show_offer(context: DiscordContext, interaction: Interaction, job_id: str) -> None:
    """Say to its maker alone where a clip would be published, with a button that does it.

    Raises:
        JobUnknown, NotYours: there is no such job, or it is somebody else's.
        FeedClosed, Refused: it cannot be published from here, or not by them.
    """
    locale = str(interaction.locale)
    offer = await context.users.feed.offer(context.caller(interaction), job_id)
    if offer.post is not None and offer.post.shown:
        view = remove_view(offer.post, locale)
    elif offer.tells_prompt:
        view = _view(
            [
                FeedButton(FeedVerb.PUBLISH, job_id, "publish_prompt_label", locale),
                FeedButton(FeedVerb.PLAIN, job_id, "publish_plain_label", locale),
            ]
        )
    else:
        view = _view([FeedButton(FeedVerb.PLAIN, job_id, "publish_label", locale)])
    await answer(interaction, offer_text(texts_for(locale), offer), view)


def remove_view(post: FeedPost, locale: str | None) -> discord.ui.View:
    """Build the button with which its maker takes a post down."""
    return _view([FeedButton(FeedVerb.REMOVE, post.id, "take_down_label", locale)])


def _view(items: Sequence[discord.ui.Item[Any]]) -> discord.ui.View:
    view = discord.ui.View(timeout=None)
    for item in items:
        view.add_item(item)
    view.stop()
    return view


async def _publish(
    context: DiscordContext, interaction: Interaction, job_id: str, *, with_prompt: bool = True
) -> None:
    caller, locale = context.caller(interaction), str(interaction.locale)
    name = interaction.user.display_name
    post = await context.users.feed.publish(caller, job_id, name, with_prompt=with_prompt)
    await replace(interaction, post_text(texts_for(locale), post), remove_view(post, locale))


async def _publish_plain(context: DiscordContext, interaction: Interaction, job_id: str) -> None:
    await _publish(context, interaction, job_id, with_prompt=False)


async def _remove(context: DiscordContext, interaction: Interaction, post_id: str) -> None:
    post = await context.users.feed.take_down(context.caller(interaction), post_id)
    told = texts_for(str(interaction.locale)).say("publish_gone", title=post.target.title)
    await replace(interaction, told, None)


async def _open_report(context: DiscordContext, interaction: Interaction, post_id: str) -> None:
    """Ask why, if somebody wants to say it; makers and operators get what they may do instead."""
    caller, locale = context.caller(interaction), str(interaction.locale)
    texts, post = texts_for(locale), await context.users.feed.seen(post_id)
    own = await context.users.feed.is_own(caller, post)
    if own or context.users.is_operator(caller):
        code = "report_own" if own else "report_operator"
        await answer(interaction, texts.say(code), remove_view(post, locale))
        return
    form = discord.ui.Modal(
        title=say("report_label", {}, locale), custom_id=f"form:report:{post_id}", timeout=None
    )
    field: discord.ui.TextInput[Any] = discord.ui.TextInput(
        custom_id=REASON,
        style=discord.TextStyle.paragraph,
        required=False,
        max_length=REASON_LENGTH,
    )
    form.add_item(
        discord.ui.Label(
            text=say("report_reason", {}, locale),
            description=say("report_reason_hint", {}, locale),
            component=field,
        )
    )
    form.stop()  # answers are handled by `receive_report`, not by this object
    await show_form(interaction, form)


async def receive_report(context: DiscordContext, interaction: Interaction, post_id: str) -> None:
    """Pass a report on, and say so to the person alone.

    Raises:
        PostUnknown, ReportNotTaken, RequesterBlocked: it is not passed on.
    """
    reason = typed_in(interaction).get(REASON, "")
    await context.users.feed.report(context.caller(interaction), post_id, reason)
    await answer(interaction, texts_for(str(interaction.locale)).say("report_sent"))
