"""What the page says of a clip in a feed, or on its way there."""

from dataclasses import dataclass

from core.i18n.messages import say
from webui.studio.publishing import Publication
from webui.views.job_status import ButtonView


@dataclass(frozen=True, slots=True)
class PublicationView:
    """What stands under one clip."""

    title: str = ""
    text: str = ""  # empty: nothing can be done with it
    link: str = ""
    link_label: str = ""
    coming: bool = False  # soon there is a link
    shown: bool = False  # the text is in sight; else it is behind the title
    buttons: tuple[ButtonView, ...] = ()


def publication_view(found: Publication | None) -> PublicationView:
    """Choose the words for ``found``."""
    if found is None:
        return PublicationView()
    data, post = {"title": found.title}, found.post
    if post is not None:
        down = ButtonView("take_down", say("take_down_label"))
        code = "publish_there" if found.link else "publish_coming"
        text, opens = say(code, data), say("publish_link")
        return PublicationView(
            found.title, text, found.link, opens, not found.link, shown=True, buttons=(down,)
        )
    if found.taken_down:
        return PublicationView(found.title, say("feed_taken_down"), shown=True)
    free = say("studio_price_none")
    plain = ButtonView("plain", say("publish_plain_label"), price=free)
    buttons = (ButtonView("publish", say("publish_prompt_label"), price=free), plain)
    if not found.tells_prompt:
        buttons = (ButtonView("plain", say("publish_label"), price=free),)
    code = "publish_ask_prompt" if found.tells_prompt else "publish_ask"
    return PublicationView(say("studio_publish_in", data), say(code, data), buttons=buttons)
