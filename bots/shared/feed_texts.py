"""What both platforms say of feeds: to makers, to who reports, and to operators."""

from collections.abc import Sequence

from bots.shared.post_links import link_of
from bots.shared.texts import Texts
from core.domain.feed import NAME_LENGTH, FeedPost, FeedTarget, ReportReason
from core.domain.policy import EVERYWHERE
from core.i18n.messages import name
from core.service.operator_feed import ChannelKind, FeedChannel
from core.service.user_feed import DecidedCase, FeedOffer, ReportDecision


def offer_text(texts: Texts, offer: FeedOffer) -> str:
    """Say where a clip would be published and what all would read, or that it is there."""
    if offer.post is not None and offer.post.shown:
        return post_text(texts, offer.post)
    code = "publish_ask_prompt" if offer.tells_prompt else "publish_ask"
    return texts.say(code, title=offer.target.title)


def post_text(texts: Texts, post: FeedPost) -> str:
    """Say to its maker where a post is, or that it is on its way or gone."""
    title = post.target.title
    if not post.shown:
        return texts.say("publish_gone", title=title)
    link = link_of(post)
    if not link:
        return texts.say("publish_coming", title=title)
    shown = texts.markup.link(link, texts.say("publish_link"))
    return f"{texts.say('publish_there', title=title)} {shown}"


def reported_text(texts: Texts, told: dict[str, str]) -> str:
    """Say to operators what was reported; ``told`` are the facts of the notice."""
    lines = [texts.say("feed_reported", title=told.get("title", ""), who=told.get("who", ""))]
    if why := told.get("why", ""):
        reason = name(f"report_{why}", texts.locale) if why in set(ReportReason) else why
        lines.append(texts.say("report_why", why=reason))
    return "\n".join(lines)


def decided_text(texts: Texts, done: DecidedCase | None, decision: ReportDecision) -> str:
    """Say to an operator what they decided, or that somebody did before."""
    if done is None:
        return texts.say("report_over")
    facts = {"title": done.post.target.title, "who": done.post.maker.key}
    return texts.say(f"report_did_{decision}", count=done.reports, **facts)


def channels_text(texts: Texts, channels: Sequence[FeedChannel]) -> str:
    """List the channels of feeds and of reports."""
    if not channels:
        return texts.say("feed_unset")
    lines = [
        texts.say(
            "feed_line",
            kind=name(f"feed_kind_{one.kind}", texts.locale),
            title=one.target.title,
            place=texts.say("feed_everywhere" if one.place == EVERYWHERE else "feed_here"),
        )
        for one in channels
    ]
    return "\n".join(lines)


def chosen_text(texts: Texts, kind: ChannelKind, target: FeedTarget) -> str:
    """Confirm which channel was chosen for what."""
    return texts.say(f"feed_chose_{kind}", title=target.title)


def channel_title(title: str) -> str:
    """Return how people call a channel, on one line."""
    return " ".join(title.split())[:NAME_LENGTH]
