"""A clip is published from the page by its maker alone, and only where the rules let them."""

from collections.abc import AsyncGenerator
from dataclasses import replace

import pytest

from core.app.core import Core
from core.app.serve import front_services
from core.domain.jobs import ReplyTo
from core.domain.people import Requester
from core.domain.policy import EVERYWHERE
from core.errors import FeedTakenDown, JobUnknown, NotYours, PolicyForbids
from core.settings import Settings
from core.testing.doubles import running, t2v
from core.testing.jobs import submit_request
from tests.support.feeds import OPERATOR, TARGET, FeedRecording, FixedDirectory, open_feed
from tests.support.jobs import until_ended
from tests.support.settings import changed
from webui.auth.visitors import Visitor
from webui.studio.delivery import StudioDelivery, reply_to_page
from webui.studio.publishing import Publishing
from webui.views.publication import publication_view

ANNA, BEN = (Visitor(Requester("studio", name), account=name) for name in ("anna", "ben"))
GUEST = Visitor(Requester("studio", "guest-1"))


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return changed(settings, operators=OPERATOR.key)


@pytest.fixture
async def feed(core: Core) -> AsyncGenerator[FeedRecording]:
    feed = FeedRecording()
    core.router.register(feed)
    core.router.register(StudioDelivery())
    core.community.access.register(FixedDirectory())
    await core.feed.channels.choose(OPERATOR, open_feed(place=EVERYWHERE))
    async with running(core):
        yield feed


async def clip(core: Core, visitor: Visitor, reply: ReplyTo | None = None) -> str:
    key = f"{visitor.requester.key}:{reply}"
    made = await submit_request(core, t2v(), visitor.requester, reply or reply_to_page(), key)
    await until_ended(core, made.job_id)
    return made.job_id


async def test_its_maker_publishes_a_clip_once_and_takes_it_down(
    core: Core, feed: FeedRecording
) -> None:
    job, page = await clip(core, ANNA), Publishing(front_services(core))

    offered = publication_view(await page.look(job, ANNA))
    assert offered.title == "Publish in #clips"
    assert [(one.action, one.price) for one in offered.buttons] == [
        ("publish", "free"),
        ("plain", "free"),
    ]
    first = await page.publish(job, ANNA, with_prompt=True)
    again = await page.publish(job, ANNA, with_prompt=False)
    assert first.post is not None
    assert again.post is not None
    assert (again.post.id, again.post.content.maker_name) == (first.post.id, "anna")
    await feed.news.wait()
    await core.feed.channels.drop(OPERATOR, EVERYWHERE, open_feed().kind)
    shown = publication_view(await page.look(job, ANNA))
    assert [one.action for one in shown.buttons] == ["take_down"]

    assert await page.take_down(job, ANNA) is None  # and the feed is closed now
    assert await page.take_down(job, ANNA) is None
    assert (await core.feed.posts.get(first.post.id)).withdrawn


async def test_nobody_else_learns_of_a_clip_or_publishes_it(
    core: Core, feed: FeedRecording
) -> None:
    job, page = await clip(core, ANNA), Publishing(front_services(core))
    await page.publish(job, ANNA, with_prompt=True)

    for stranger in (BEN, GUEST, Visitor(OPERATOR, account="ops")):
        for asked in (page.look(job, stranger), page.take_down(job, stranger)):
            with pytest.raises(NotYours):
                await asked
        with pytest.raises(NotYours):
            await page.publish(job, stranger, with_prompt=False)
    with pytest.raises(JobUnknown):
        await page.look("0" * 32, ANNA)


@pytest.mark.parametrize("kept", [{"private": "1", "spoiler": "0"}, {"spoiler": "1"}])
async def test_what_is_private_or_veiled_is_never_offered(
    core: Core, feed: FeedRecording, kept: dict[str, str]
) -> None:
    job = await clip(core, ANNA, ReplyTo("studio", kept))
    page = Publishing(front_services(core))

    assert await page.look(job, ANNA) is None
    with pytest.raises(PolicyForbids):
        await page.publish(job, ANNA, with_prompt=False)
    assert feed.posted == []


async def test_a_guest_whom_nobody_can_name_publishes_nothing_and_one_here_does(
    core: Core, feed: FeedRecording
) -> None:
    job, page = await clip(core, GUEST), Publishing(front_services(core))

    assert await page.look(job, GUEST) is None
    with pytest.raises(PolicyForbids):
        await page.publish(job, GUEST, with_prompt=False)
    found = await page.publish(job, replace(GUEST, here=True), with_prompt=False)
    assert found.title == TARGET.title


async def test_what_the_rules_or_an_operator_forbid_is_not_offered(
    core: Core, feed: FeedRecording
) -> None:
    job, page = await clip(core, ANNA), Publishing(front_services(core))
    operator = core.local_operator(OPERATOR)

    await operator.set_rule(TARGET.place, "words", t2v().prompt.split()[1])
    assert await page.look(job, ANNA) is None
    await operator.set_rule(TARGET.place, "words", "none")
    found = await page.publish(job, ANNA, with_prompt=True)
    assert found.post is not None
    await operator.feed.take_down(found.post.id)
    told = publication_view(await page.look(job, ANNA))
    assert (told.shown, told.buttons) == (True, ())
    with pytest.raises(FeedTakenDown):
        await page.publish(job, ANNA, with_prompt=True)
