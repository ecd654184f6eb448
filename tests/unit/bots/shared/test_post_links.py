"""Links to posts lead where they are, and what an operator pastes is understood."""

from dataclasses import replace

import pytest

from bots.shared.post_links import link_of, typed_post
from core.domain.feed import FeedPost, FeedTarget, PostContent, PostState
from core.domain.people import Requester

TARGET = FeedTarget("discord", "discord:1", {"guild": "1", "channel": "2"})
POST = FeedPost(
    "a" * 32,
    "b" * 32,
    Requester("discord", "501"),
    "discord:1",
    PostContent(TARGET),
    PostState.SENT,
    0,
    "2/3",
)


def on_telegram(**address: str) -> FeedPost:
    target = FeedTarget("telegram", "telegram:-1005", {"chat": "-1005", **address})
    return replace(POST, content=PostContent(target), sent_id="-1005/3")


def test_each_platform_has_its_links() -> None:
    assert link_of(POST) == "https://discord.com/channels/1/2/3"
    assert link_of(on_telegram()) == "https://t.me/c/5/3"
    assert link_of(on_telegram(username="clips")) == "https://t.me/clips/3"


@pytest.mark.parametrize("state", [PostState.PENDING, PostState.SENDING, PostState.REMOVED])
def test_what_is_not_shown_has_no_link(state: PostState) -> None:
    assert link_of(replace(POST, state=state)) == ""


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("https://discord.com/channels/1/22/33", "22/33"),
        ("https://t.me/c/5/3", "-1005/3"),
        ("https://t.me/c/5/9/3", "-1005/3"),
        (" 30c2931a ", "30c2931a"),
    ],
)
def test_a_link_or_an_id_names_a_post(typed: str, meant: str) -> None:
    assert typed_post(typed) == meant
