"""Clips that people publish in a channel: asked in private, shown once, gone when they say so."""

import pytest

from core.domain.feed import PostState
from core.domain.followups import Action
from core.domain.people import Caller, Requester
from core.testing.doubles import eventually
from tests.support.platforms.faults import Fault
from tests.support.platforms.telegram.world import Chat

ANN, BEN, OP = 501, 502, 900
OPERATOR = Requester("telegram", str(OP))
ANNA = Requester("telegram", str(ANN))
SECRET = "a purple walrus"
GROUP, CHANNEL, LOG = -1001234567890, -1002222222222, -1003333333333


class Feed:
    """A group whose clips are published in a channel."""

    def __init__(self, town, small: str) -> None:
        self.town = town
        self.small = small
        self.group: Chat = town.world.group(GROUP, "supergroup")
        self.channel: Chat = town.world.group(CHANNEL, "channel")
        self.log: Chat = town.world.group(LOG, "supergroup")

    async def admin(self, words: str, user: int = OP, chat: Chat | None = None) -> str:
        said = self.town.say(f"/admin {words}", user, chat or self.group)
        return (await self.town.answer(said)).text

    async def clip(self, more: str = "", prompt: str = SECRET):
        words = f"/t2v {prompt} {self.small} {more}"
        return await self.town.clip(self.town.say(words, ANN, self.group))

    async def tapped(self, message, fragment: str, user: int = ANN) -> dict:
        query = self.town.tap(message, fragment, user)
        await self.town.world.until(lambda: query in self.town.world.answers)
        return self.town.world.answers[query]

    async def led(self, message, fragment: str, user: int = ANN):
        """What the private chat says after a press here opened it."""
        answer = await self.tapped(message, fragment, user)
        link = answer["url"].partition("?start=")[2]
        assert len(link) <= 64
        return await self.town.answer(self.town.say(f"/start {link}", user))

    async def publish(self, clip, how: str = "publish=with"):
        offer = await self.led(clip, ":publish")
        await self.tapped(offer, how)
        post = await self.town.world.until(self.newest)
        await self.settled()
        return offer, post

    def newest(self):
        shown = self.town.world.with_video(CHANNEL)
        return shown[-1] if shown else None

    async def settled(self, state: PostState = PostState.SENT) -> None:
        async def there() -> bool:
            posts = await self.town.core.feed.posts.newest(1)
            return bool(posts) and posts[0].state is state

        await eventually(there, 60)


@pytest.fixture
async def feed(town, small: str) -> Feed:
    feed = Feed(town, small)
    assert "People can publish" in await feed.admin(f"feed {CHANNEL}")
    return feed


async def test_an_operator_chooses_channels_and_closes_them(feed: Feed) -> None:
    assert "operators" in await feed.admin("feed here", BEN)
    assert "published clips: group" in await feed.admin("feed")
    assert "Reports of published" in await feed.admin(f"feed log {LOG}")
    assert "People can publish" in await feed.admin("feed everywhere here")
    assert "for all places" in await feed.admin("feed")
    assert "No channel" not in await feed.admin("feed off")
    assert "I do not know it" in await feed.admin("feed nonsense")
    feed.channel.may_send_media = False
    assert "I need the rights" in await feed.admin(f"feed {CHANNEL}")


async def test_without_a_feed_nobody_is_offered_to_publish(town, small: str) -> None:
    feed = Feed(town, small)

    assert "publish" not in str((await feed.clip()).payload["reply_markup"])


async def test_a_clip_is_published_once_with_the_name_of_its_maker(feed: Feed) -> None:
    clip = await feed.clip()
    offer = await feed.led(clip, ":publish")
    assert "group -1002222222222" in offer.text
    for _ in range(2):  # a double press is one post
        feed.town.server.press(
            ANN, feed.town.world.private(ANN), offer.id, offer.button("publish=with")
        )
    post = await feed.town.world.until(feed.newest)
    await feed.settled()

    assert post.text.startswith(f"<code>{SECRET}</code>\nby user501\n")
    assert [data.split(":")[1] for data in post.callback_data()] == ["details", "remix", "report"]
    assert len(feed.town.world.shown(CHANNEL)) == 1
    again = await feed.led(clip, ":publish")
    assert f"https://t.me/c/2222222222/{post.id}" in again.text


async def test_readers_of_a_channel_see_details_and_remix_in_private(feed: Feed) -> None:
    _, post = await feed.publish(await feed.clip())

    assert SECRET in (await feed.led(post, "details", BEN)).text
    question = await feed.led(post, "remix", BEN)
    assert SECRET in question.text
    to = feed.town.server.api.payload(question)
    made = await feed.town.clip(feed.town.say("a blue kite", BEN, reply_to_message=to))
    job = await feed.town.job(made)
    assert (job.requester.user_id, job.origin.action) == (str(BEN), Action.REMIX)
    feed.channel.strangers.add(503)
    assert "belongs to" in (await feed.led(post, "remix", 503)).text


@pytest.mark.parametrize("how", ["--spoiler", ""])
async def test_what_its_maker_keeps_or_hides_is_not_told(feed: Feed, how: str) -> None:
    _, post = await feed.publish(await feed.clip(how), "publish=plain")

    assert SECRET not in str(post.payload)
    assert [data.split(":")[1] for data in post.callback_data()] == ["report"]
    assert bool(post.payload.get("has_spoiler")) == bool(how)
    job = await feed.town.job(post)
    data = f"v1:details:{job.id}"
    query = feed.town.server.press(BEN, feed.channel, post.id, data)
    await feed.town.world.until(lambda: query in feed.town.world.answers)
    assert "belongs to" in feed.town.world.answers[query]["text"]


async def test_others_are_told_by_a_toast_that_a_clip_is_not_theirs(feed: Feed) -> None:
    clip = await feed.clip()
    before = len(feed.town.world.shown(GROUP))
    for user in (BEN, OP):
        assert "belongs to" in (await feed.tapped(clip, ":publish", user))["text"]
        link = f"publish_{(await feed.town.job(clip)).id}_{-GROUP}"
        said = await feed.town.answer(feed.town.say(f"/start {link}", user))
        assert "belongs to" in said.text
        assert not said.callback_data()
    feed.group.strangers.add(ANN)  # who left publishes nothing there any more
    offer = await feed.led(clip, ":publish", ANN)
    assert "belongs to" in offer.text

    assert len(feed.town.world.shown(GROUP)) == before
    assert feed.newest() is None


async def test_its_maker_takes_a_post_down_in_private(feed: Feed) -> None:
    offer, post = await feed.publish(await feed.clip())
    data = offer.button("takedown")
    feed.town.server.press(BEN, feed.town.world.private(ANN), offer.id, data)
    await feed.town.says("belongs to somebody", ANN)
    assert not post.deleted

    await feed.tapped(offer, "takedown")

    await feed.town.world.until(lambda: post.deleted)
    assert "nobody sees the clip" in offer.text


@pytest.mark.parametrize("how", ["delete", "forget", "takedown"])
async def test_deleting_forgetting_and_an_operators_command_take_down(feed: Feed, how: str) -> None:
    clip = await feed.clip()
    _, post = await feed.publish(clip)
    match how:
        case "delete":
            await feed.tapped(clip, "delete")
        case "forget":
            await feed.town.core.users.forget(Caller(ANNA, f"telegram:{ANN}"))
        case _:
            link = f"https://t.me/c/2222222222/{post.id}"
            assert "was taken down" in await feed.admin(f"takedown {link}")
            await feed.town.says("An operator took your clip out", ANN)

    await feed.town.world.until(lambda: post.deleted)


async def test_a_lost_answer_shows_no_second_clip(feed: Feed) -> None:
    clip = await feed.clip()
    feed.town.server.faults.add(Fault("editMessageMedia", drop=True, after_storing=True))

    await feed.publish(clip)

    assert len(feed.town.world.shown(CHANNEL)) == 1


async def test_a_channel_where_the_bot_may_not_post_is_told_its_maker(feed: Feed) -> None:
    clip = await feed.clip()
    feed.channel.may_send_media = False
    offer = await feed.led(clip, ":publish")
    await feed.tapped(offer, "publish=with")

    await feed.town.says("could not be shown", ANN)

    await feed.town.world.until(lambda: not feed.town.world.shown(CHANNEL))


async def test_a_feed_follows_its_group_to_another_id(feed: Feed) -> None:
    clip = await feed.clip()
    channel, new = feed.channel, feed.town.world.group(-1004444444444)
    channel.moved_to = new.id
    offer = await feed.led(clip, ":publish")
    await feed.tapped(offer, "publish=with")

    await feed.town.world.until(lambda: feed.town.world.with_video(new.id))
    await feed.settled()
    (post,) = feed.town.world.with_video(new.id)
    assert f"https://t.me/c/4444444444/{post.id}" in (await feed.led(clip, ":publish")).text


async def reported(feed: Feed, value: str = "report=hurtful"):
    _, post = await feed.publish(await feed.clip())
    asked = await feed.led(post, "report", BEN)
    assert SECRET not in asked.text
    await feed.tapped(asked, value, BEN)
    await feed.town.world.until(lambda: "Operators were told" in asked.text)
    return post


@pytest.mark.parametrize("where", ["log", "private"])
@pytest.mark.parametrize("decision", ["takedown", "dismiss", "block"])
async def test_a_report_is_answered_by_an_operator(feed: Feed, where: str, decision: str) -> None:
    feed.town.world.private(OP)
    if where == "log":
        await feed.admin(f"feed log {LOG}")
    post = await reported(feed)
    told = await feed.town.says("Somebody reported", LOG if where == "log" else OP)
    assert "It hurts somebody" in told.text
    assert f"https://t.me/c/2222222222/{post.id}" in told.text
    assert str(BEN) not in told.text

    if where == "log":
        toast = await feed.tapped(told, f"answer={decision}", BEN)
        assert "operators" in toast["text"]
    await feed.tapped(told, f"answer={decision}", OP)

    await feed.town.world.until(lambda: not told.callback_data())
    if decision == "dismiss":
        assert "stays in" in told.text
        assert not post.deleted
    else:
        await feed.town.world.until(lambda: post.deleted)
    lifted = await feed.town.core.local_operator(OPERATOR).unblock(ANNA)
    assert bool(lifted) == (decision == "block")


async def test_a_post_is_reported_once_by_each_person_and_not_by_its_maker(feed: Feed) -> None:
    post = await reported(feed, "report=send")
    asked = await feed.led(post, "report", BEN)
    await feed.tapped(asked, "report=send", BEN)
    await feed.town.says("reported this post before", BEN)

    for user, text in ((ANN, "your own clip"), (OP, "You are an operator")):
        told = await feed.led(post, "report", user)
        assert text in told.text
        assert told.button("takedown")
