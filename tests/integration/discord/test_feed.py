"""Clips that people publish in a channel: by their makers alone, once, until they say so."""

from collections.abc import AsyncGenerator

import pytest

from core.domain.feed import PostState
from core.domain.followups import Action
from core.domain.people import Requester
from core.errors import NotYours
from core.testing.doubles import eventually
from tests.support.platforms.discord.world import ALL_RIGHTS, ATTACH, Channel, snowflake
from tests.support.platforms.faults import Fault

ANN, BEN, OP = 501, 502, 900
OPERATOR = Requester("discord", str(OP))
SECRET = "a purple walrus"


class Feed:
    """A guild with a second channel, which is its feed."""

    def __init__(self, guild, channel: Channel, log: Channel) -> None:
        self.guild = guild
        self.channel = channel
        self.log = log

    async def choose(self, **more):
        channels = {"channel": self.channel} | more.pop("channels", {})
        asked = await self.guild.server.command(
            "admin feed", OP, self.guild.channel, channels=channels, **more
        )
        return await self.said(asked)

    async def said(self, interaction) -> str:
        answer = await self.guild.answered(interaction)
        await self.guild.world.until(lambda: answer.content)
        assert answer.ephemeral
        return answer.content

    async def press(self, message, fragment: str, user: int = ANN):
        return await self.guild.server.press(message.id, message.button(fragment), user)

    async def offer(self, clip, user: int = ANN):
        """What a person reads who presses Publish."""
        pressed = await self.press(clip, ":publish:", user)
        answer = await self.guild.answered(pressed)
        await self.guild.world.until(lambda: answer.content)
        assert answer.ephemeral
        return answer

    async def publish(self, clip, how: str = "feed:publish:"):
        """Publish a clip, and return what its maker reads, and the post."""
        offer = await self.offer(clip)
        await self.press(offer, how)
        await self.guild.world.until(lambda: "feed:remove:" in str(offer.payload))
        return offer, await self.guild.world.until(self.newest)

    def newest(self):
        shown = self.guild.world.with_video(self.channel.id)
        return shown[-1] if shown else None

    async def settled(self, state: PostState = PostState.SENT) -> None:
        async def there() -> bool:
            posts = await self.guild.core.feed.posts.newest(1)
            return bool(posts) and posts[0].state is state

        await eventually(there, 60)


@pytest.fixture
async def feed(guild_with) -> AsyncGenerator[Feed]:
    guild = guild_with()
    added = [Channel(snowflake(), guild.channel.guild_id) for _ in range(2)]
    for channel in added:
        guild.world.channels[channel.id] = channel
        guild.world.guilds[channel.guild_id].append(channel.id)
    async with guild:
        yield Feed(guild, *added)


async def test_without_a_feed_nobody_is_offered_to_publish(feed: Feed) -> None:
    clip = await feed.guild.clip(await feed.guild.t2v())

    assert not any(":publish:" in one for one in clip.custom_ids())


async def test_an_operator_chooses_a_channel_and_closes_it_again(feed: Feed) -> None:
    stranger = await feed.guild.server.command(
        "admin feed", BEN, feed.guild.channel, channels={"channel": feed.channel}
    )
    assert "operators" in await feed.said(stranger)
    said = await feed.choose()
    assert "People can publish" in said, said
    shown = await feed.guild.server.command("admin feed", OP, feed.guild.channel)
    assert "published clips" in await feed.said(shown)

    closed = await feed.guild.server.command("admin feed", OP, feed.guild.channel, off=True)
    assert "No channel is chosen" in await feed.said(closed)


async def test_a_clip_is_published_once_with_its_maker_and_without_a_ping(feed: Feed) -> None:
    await feed.choose()
    clip = await feed.guild.clip(await feed.guild.t2v(prompt=SECRET))
    offer = await feed.offer(clip)
    assert f"#channel-{feed.channel.id}" in offer.content
    for _ in range(2):  # a double press is one post
        await feed.press(offer, "feed:publish:")
    post = await feed.guild.world.until(feed.newest)
    await feed.settled()

    assert post.content.startswith(f"`{SECRET}`\nby <@501>")
    assert post.payload["allowed_mentions"]["parse"] == []
    assert not post.payload["allowed_mentions"].get("users")
    assert [one.split(":")[1] for one in post.custom_ids()] == ["details", "remix", "report"]
    again = await feed.offer(clip)
    assert "Your clip is in" in again.content
    assert f"/{feed.channel.id}/{post.id}" in again.content
    assert len(feed.guild.world.with_video(feed.channel.id)) == 1


async def test_everybody_reads_the_details_of_a_post_and_remixes_it(feed: Feed) -> None:
    await feed.choose()
    clip = await feed.guild.clip(await feed.guild.t2v(prompt=SECRET))
    _, post = await feed.publish(clip)
    await feed.settled()

    details = await feed.press(post, ":details:", BEN)
    assert SECRET in await feed.said(details)
    form = await feed.press(post, ":remix:", BEN)
    await feed.guild.world.until(lambda: form.responses)
    assert form.modal is not None
    made = await feed.guild.clip(await feed.guild.server.submit(form, BEN, {"prompt": "a kite"}))
    assert made.ephemeral  # a feed is no place to make clips in
    job = await feed.guild.job(made)
    assert (job.requester.user_id, job.origin.action) == (str(BEN), Action.REMIX)


@pytest.mark.parametrize("how", ["private", "spoiler", "plain"])
async def test_what_its_maker_keeps_or_hides_is_not_told_in_the_feed(feed: Feed, how: str) -> None:
    await feed.choose()
    asked = {} if how == "plain" else {how: True}
    clip = await feed.guild.clip(await feed.guild.t2v(prompt=SECRET, **asked))
    _, post = await feed.publish(clip, "feed:plain:")
    await feed.settled()

    assert SECRET not in str(post.payload)
    assert [one.split(":")[1] for one in post.custom_ids()] == ["report"]
    (name,) = post.files
    assert name.startswith("SPOILER_") == (how == "spoiler")
    job = await feed.guild.job(clip)
    for action in ("details", "remix"):
        button = {"type": 2, "style": 2, "label": "x", "custom_id": f"job:{action}:{job.id}"}
        post.payload["components"] = [{"type": 1, "components": [button]}]
        pressed = await feed.press(post, f":{action}:", BEN)
        assert "belongs to somebody else" in await feed.said(pressed)


@pytest.mark.parametrize("private", [True, False])
async def test_only_its_maker_is_offered_to_publish_a_clip(feed: Feed, private: bool) -> None:
    await feed.choose()
    clip = await feed.guild.clip(await feed.guild.t2v(prompt=SECRET, private=private))
    for who in (BEN, OP):
        assert "belongs to somebody else" in (await feed.offer(clip, who)).content
    job = await feed.guild.job(clip)
    with pytest.raises(NotYours):
        await feed.guild.core.users.feed.offer(feed.guild.person(BEN), job.id)

    assert feed.newest() is None


async def test_its_maker_takes_a_post_down_and_others_cannot(feed: Feed) -> None:
    await feed.choose()
    clip = await feed.guild.clip(await feed.guild.t2v())
    offer, post = await feed.publish(clip)
    await feed.settled()
    stranger = await feed.press(offer, "feed:remove:", BEN)
    assert "belongs to somebody else" in await feed.said(stranger)
    assert not post.deleted

    await feed.press(offer, "feed:remove:")

    await feed.guild.world.until(lambda: post.deleted)
    assert "nobody sees the clip" in offer.content
    assert not clip.deleted


@pytest.mark.parametrize("how", ["delete", "forget", "takedown"])
async def test_deleting_forgetting_and_an_operators_command_take_down(feed: Feed, how: str) -> None:
    await feed.choose()
    clip = await feed.guild.clip(await feed.guild.t2v())
    _, post = await feed.publish(clip)
    await feed.settled()
    match how:
        case "delete":
            await feed.press(clip, ":delete:")
        case "forget":
            await feed.guild.core.users.forget(feed.guild.person(ANN))
        case _:
            link = f"https://discord.com/channels/1/{feed.channel.id}/{post.id}"
            asked = await feed.guild.server.command(
                "admin takedown", OP, feed.guild.channel, post=link
            )
            assert "was taken down" in await feed.said(asked)
            direct = feed.guild.world.direct(ANN)
            await feed.guild.world.until(lambda: feed.guild.world.shown(direct.id))

    await feed.guild.world.until(lambda: post.deleted)


async def test_a_channel_where_the_bot_may_not_post_is_told_its_maker(feed: Feed) -> None:
    await feed.choose()
    clip = await feed.guild.clip(await feed.guild.t2v())
    feed.channel.rights = ALL_RIGHTS & ~ATTACH
    offer = await feed.offer(clip)
    await feed.press(offer, "feed:publish:")
    direct = feed.guild.world.direct(ANN)

    (told,) = await feed.guild.world.until(lambda: feed.guild.world.shown(direct.id))

    assert "could not be shown" in told.content
    assert feed.newest() is None


async def test_a_lost_answer_posts_no_second_clip(feed: Feed) -> None:
    await feed.choose()
    clip = await feed.guild.clip(await feed.guild.t2v())
    path = f"/channels/{feed.channel.id}/messages"
    feed.guild.server.faults.add(Fault("POST", path, drop=True, after_storing=True))

    await feed.publish(clip)
    await feed.settled()

    assert len(feed.guild.world.with_video(feed.channel.id)) == 1


async def reported(feed: Feed, user: int = BEN, reason: str = "rude"):
    clip = await feed.guild.clip(await feed.guild.t2v(prompt=SECRET))
    _, post = await feed.publish(clip)
    await feed.settled()
    opened = await feed.press(post, "feed:report:", user)
    await feed.guild.world.until(lambda: opened.responses)
    sent = await feed.guild.server.submit(opened, user, {"reason": reason})
    assert "Operators were told" in await feed.said(sent)
    return post


@pytest.mark.parametrize("where", ["log", "private"])
@pytest.mark.parametrize("decision", ["takedown", "dismiss", "block"])
async def test_a_report_is_answered_by_an_operator(feed: Feed, where: str, decision: str) -> None:
    await feed.choose()
    world = feed.guild.world
    if where == "log":
        await feed.choose(channels={"channel": feed.log}, reports=True)
    place = feed.log if where == "log" else world.direct(OP)
    post = await reported(feed)
    (told,) = await world.until(lambda: world.shown(place.id))
    assert "rude" in told.content
    assert f"/{feed.channel.id}/{post.id}" in told.content
    assert str(BEN) not in told.content

    stranger = await feed.press(told, f"report:{decision}:", BEN)
    assert "operators" in await feed.said(stranger)
    await feed.press(told, f"report:{decision}:", OP)

    await world.until(lambda: not told.custom_ids())
    if decision == "dismiss":
        assert "stays in" in told.content
        assert not post.deleted
    else:
        await world.until(lambda: post.deleted)
    blocked = await feed.guild.core.local_operator(OPERATOR).unblock(Requester("discord", str(ANN)))
    assert bool(blocked) == (decision == "block")


async def test_a_log_channel_that_is_closed_lets_operators_know_in_private(feed: Feed) -> None:
    await feed.choose()
    await feed.choose(channels={"channel": feed.log}, reports=True)
    feed.log.rights = 0
    await reported(feed)
    direct = feed.guild.world.direct(OP)

    (told,) = await feed.guild.world.until(lambda: feed.guild.world.shown(direct.id))

    assert told.button("report:takedown:")


async def test_makers_and_operators_get_what_they_may_do_instead_of_a_report(feed: Feed) -> None:
    await feed.choose()
    clip = await feed.guild.clip(await feed.guild.t2v())
    _, post = await feed.publish(clip)
    await feed.settled()
    for user, text in ((ANN, "your own clip"), (OP, "You are an operator")):
        pressed = await feed.press(post, "feed:report:", user)
        assert text in await feed.said(pressed)
        answer = feed.guild.world.messages[pressed.original]
        assert answer.button("feed:remove:")


async def test_a_post_is_reported_once_by_each_person(feed: Feed) -> None:
    await feed.choose()
    post = await reported(feed)
    opened = await feed.press(post, "feed:report:", BEN)
    await feed.guild.world.until(lambda: opened.responses)
    sent = await feed.guild.server.submit(opened, BEN, {})

    assert "reported this post before" in await feed.said(sent)
