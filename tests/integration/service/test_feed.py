"""Clips that are published: once, by the rules of the channel, and gone when somebody says so."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from sqlalchemy import text

from core.accounts.access import ASKED
from core.app.core import Core
from core.domain.access import AccessEntry
from core.domain.feed import (
    CaseState,
    ChannelKind,
    FeedPost,
    PostContent,
    PostState,
    ReportDecision,
)
from core.domain.jobs import Job, ReplyTo
from core.domain.people import Asker, Caller, Requester
from core.errors import (
    ClapperError,
    DeliveryImpossible,
    DeliveryRetry,
    FeedAway,
    FeedClosed,
    FeedTakenDown,
    FeedTooOften,
    JobUnknown,
    NotYours,
    PolicyForbids,
    PostUnknown,
    ReportNotTaken,
    RequesterBlocked,
)
from core.feed import posts, reports
from core.runtime.clock import now_ms
from core.settings import Settings
from core.storage.access import AccessRow, AccessState
from core.storage.access import save as save_access
from core.storage.accounts import add_notice
from core.testing.doubles import eventually, running, t2v
from core.testing.jobs import submit_request
from tests.support.feeds import (
    OPERATOR,
    PLACE,
    PLATFORM,
    TARGET,
    FeedRecording,
    FixedDirectory,
    open_feed,
)
from tests.support.jobs import until_ended
from tests.support.settings import changed

ANN = Caller(Requester(PLATFORM, "501"), PLACE, Asker("7"))
BEN = Caller(Requester(PLATFORM, "502"), PLACE, Asker("7"))


class Town:
    """One core with a platform that has a feed, and Ann's clip."""

    def __init__(self, core: Core, delivery: FeedRecording, directory: FixedDirectory) -> None:
        self.core = core
        self.delivery = delivery
        self.directory = directory
        self.feed = core.users.feed
        self.operator_feed = core.local_operator(OPERATOR).feed

    async def clip(self, key: str = "one", **address: str) -> Job:
        reply = ReplyTo(PLATFORM, {"channel": "7", "user": "501", "spoiler": "0", **address})
        ticket = await submit_request(self.core, t2v(), ANN.requester, reply, key)
        await until_ended(self.core, ticket.job_id)
        return await self.core.jobs.get(ticket.job_id)

    async def publish(self, job: Job, *, with_prompt: bool = True) -> FeedPost:
        return await self.feed.publish(ANN, job.id, "Ann", with_prompt=with_prompt)

    async def in_state(self, post: FeedPost, state: PostState) -> FeedPost:
        async def there() -> bool:
            return (await self.core.feed.posts.get(post.id)).state is state

        await eventually(there, 60)
        return await self.core.feed.posts.get(post.id)

    async def notices(self, code: str) -> list[dict[str, str]]:
        owed = await self.core.community.notices.owed(PLATFORM)
        return [notice.data for notice in owed if notice.code == code]

    async def rule(self, name: str, value: str) -> None:
        await self.core.local_operator(OPERATOR).set_rule(PLACE, name, value)


@asynccontextmanager
async def opened(core: Core) -> AsyncGenerator[Town]:
    delivery, directory = FeedRecording(), FixedDirectory()
    core.router.register(delivery)
    core.community.access.register(directory)
    await core.feed.channels.choose(OPERATOR, open_feed())
    async with running(core):
        yield Town(core, delivery, directory)


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return changed(settings, operators=OPERATOR.key)


@pytest.fixture
async def town(core: Core) -> AsyncGenerator[Town]:
    async with opened(core) as town:
        yield town


async def test_a_clip_is_published_once_however_often_its_maker_asks(town: Town) -> None:
    job = await town.clip()
    offer = await town.feed.offer(ANN, job.id)
    assert (offer.target, offer.tells_prompt, offer.post) == (TARGET, True, None)

    first = await town.publish(job)
    assert (await town.publish(job)).id == first.id
    shown = await town.in_state(first, PostState.SENT)

    assert (await town.publish(job)).id == first.id
    assert town.delivery.posted == [first.id]
    assert shown.sent_id == f"77/{first.id[:25]}"
    assert shown.content == replace(first.content, tells=True, spoiler=False, maker_name="Ann")
    assert (await town.feed.offer(ANN, job.id)).post == shown


async def test_only_the_maker_publishes_a_clip_not_even_an_operator(town: Town) -> None:
    job = await town.clip()

    for caller in (BEN, replace(BEN, requester=OPERATOR)):
        with pytest.raises(NotYours):
            await town.feed.offer(caller, job.id)
        with pytest.raises(NotYours):
            await town.feed.publish(caller, job.id, "x", with_prompt=True)

    assert town.delivery.posted == []


async def test_without_a_channel_or_its_platform_nothing_can_be_published(core: Core) -> None:
    async with opened(core) as town:
        job = await town.clip()
        core.community.access._directories.clear()
        with pytest.raises(FeedAway):
            await town.publish(job)
        assert await town.operator_feed.drop(PLACE, open_feed().kind)
        assert not await town.feed.is_open(PLACE, PLATFORM)
        with pytest.raises(FeedClosed):
            await town.publish(job)


async def test_the_channel_of_the_place_goes_before_that_of_all_places(town: Town) -> None:
    elsewhere = replace(TARGET, platform="telegram", address={"chat": "-5"}, title="T")
    ours = replace(TARGET, address={"channel": "78"})
    for target in (elsewhere, ours):
        await town.core.feed.channels.choose(OPERATOR, open_feed(target, "*"))
    find = town.core.feed.channels.find
    kind = open_feed().kind

    assert await find(PLACE, PLATFORM, kind) == TARGET
    assert await find(f"{PLATFORM}:2", PLATFORM, kind) == ours
    assert await find("telegram:2", "telegram", kind) == elsewhere
    assert await find("studio", "studio", kind) == ours


@pytest.mark.parametrize(
    ("rule", "value", "refusal"),
    [
        ("words", "kite", "rule_words"),
        ("nsfw_words", "kite", "rule_nsfw_words"),
        ("channels", "78", "rule_channel"),
        ("roles", "5", "rule_role"),
        ("modes", "i2v", "rule_mode"),
    ],
)
@pytest.mark.parametrize("when", ["asked", "posted"])
async def test_the_rules_of_the_channel_hold_when_it_is_asked_for_and_when_it_is_posted(
    town: Town, rule: str, value: str, refusal: str, when: str
) -> None:
    job = await town.clip()
    if when == "asked":
        await town.rule(rule, value)
        with pytest.raises(PolicyForbids) as caught:
            await town.publish(job)
        assert caught.value.rule == refusal
        return
    town.core.router.unregister(PLATFORM)
    post = await town.publish(job)
    await town.rule(rule, value)
    town.core.router.register(town.delivery)

    await town.in_state(post, PostState.DEAD)

    assert town.delivery.posted == []
    assert await town.notices("feed_not_posted") == [{"title": "#clips", "reason": refusal}]


async def test_roles_and_adult_channels_are_those_of_the_channel(town: Town) -> None:
    job = await town.clip()
    await town.rule("roles", "5")
    await town.rule("nsfw_words", "kite")
    town.directory.roles = {"501": frozenset({"5"})}
    town.directory.adult = frozenset({"77"})

    await town.in_state(await town.publish(job), PostState.SENT)


async def test_a_clip_from_a_channel_for_adults_is_published_in_no_other(town: Town) -> None:
    job = await town.clip()
    town.directory.adult = frozenset({"7"})
    with pytest.raises(PolicyForbids) as caught:
        await town.publish(job)
    assert caught.value.rule == "rule_age_gated"

    town.directory.adult = frozenset({"7", "77"})
    await town.in_state(await town.publish(job), PostState.SENT)


async def test_a_spoiler_stays_one_and_keeps_its_prompt(town: Town) -> None:
    job = await town.clip(spoiler="1")

    assert not (await town.feed.offer(ANN, job.id)).tells_prompt
    post = await town.publish(job)

    assert (post.content.spoiler, post.content.tells) == (True, False)


async def test_a_prompt_that_its_maker_keeps_or_the_place_hides_is_not_told(town: Town) -> None:
    kept = await town.publish(await town.clip("one"), with_prompt=False)
    await town.rule("captions", "hidden")
    hidden = await town.publish(await town.clip("two"))

    assert not kept.content.tells
    assert not hidden.content.tells


async def test_a_post_that_may_have_been_stored_is_not_posted_again(town: Town) -> None:
    town.delivery.faults.extend([DeliveryRetry("busy"), DeliveryRetry("lost", sent=True)])
    post = await town.publish(await town.clip())

    await town.in_state(post, PostState.SENT)

    assert town.delivery.posted == [post.id]


async def test_a_post_that_the_platform_refuses_is_told_its_maker_and_may_be_tried_again(
    town: Town,
) -> None:
    job = await town.clip()
    town.delivery.faults.append(DeliveryImpossible("403/50013"))
    post = await town.in_state(await town.publish(job), PostState.DEAD)
    told = {"title": "#clips", "reason": "feed_why_platform"}
    assert await town.notices("feed_not_posted") == [told]

    assert (await town.publish(job)).id == post.id
    await town.in_state(post, PostState.SENT)


async def test_its_maker_takes_a_post_down_also_after_the_job_is_pruned(town: Town) -> None:
    job = await town.clip()
    post = await town.in_state(await town.publish(job), PostState.SENT)
    await town.core.queue.prune(town.core.queue.clock() + 1, 10)
    with pytest.raises(JobUnknown):
        await town.core.jobs.get(job.id)

    for call in (town.feed.post, town.feed.take_down):
        with pytest.raises(NotYours):
            await call(BEN, post.id)
    await town.feed.take_down(ANN, post.id)

    await eventually(lambda: gone(town, post), 60)
    assert town.delivery.posts == {}
    assert town.delivery.removed == [post.id]
    assert await town.notices("feed_removed") == []


async def gone(town: Town, post: FeedPost) -> bool:
    try:
        await town.core.feed.posts.get(post.id)
    except PostUnknown:
        return True
    return False


async def test_a_post_that_is_taken_down_while_it_is_sent_goes_as_soon_as_it_came(
    town: Town,
) -> None:
    town.delivery.gate.clear()
    post = await town.publish(await town.clip())
    await town.in_state(post, PostState.SENDING)

    await town.feed.take_down(ANN, post.id)
    town.delivery.gate.set()
    await town.in_state(post, PostState.REMOVED)

    assert (town.delivery.posted, town.delivery.removed) == ([post.id], [post.id])
    assert town.delivery.posts == {}


async def test_a_post_that_no_platform_heard_of_is_just_not_posted(town: Town) -> None:
    town.core.router.unregister(PLATFORM)
    job = await town.clip()
    post = await town.publish(job)
    await town.feed.take_down(ANN, post.id)
    town.core.router.register(town.delivery)

    again = await town.in_state(await town.publish(job), PostState.SENT)

    assert again.id != post.id
    assert (town.delivery.posted, town.delivery.removed) == ([again.id], [])


@pytest.mark.parametrize("how", ["delete", "forget"])
async def test_deleting_or_forgetting_takes_down_and_leaves_no_row(town: Town, how: str) -> None:
    job = await town.clip()
    post = await town.in_state(await town.publish(job), PostState.SENT)
    await town.feed.report(BEN, post.id, "mine")
    if how == "forget":  # also what is in a feed of a clip that is long gone
        await town.core.queue.prune(town.core.queue.clock() + 1, 10)
        await town.core.users.forget(ANN)
    else:
        await town.core.users.delete(ANN, job.id)

    await eventually(lambda: gone(town, post), 60)

    assert town.delivery.posts == {}
    async with town.core.database.snapshot() as connection:
        for table in ("feed_post", "feed_report"):
            assert await connection.scalar(text(f"SELECT count(*) FROM {table}")) == 0


@pytest.mark.parametrize("how", ["delete", "forget"])
async def test_who_delivers_looks_once_what_is_owed_is_written(core: Core, how: str) -> None:
    """Before, nothing would be due, and the message would stay until the next look by the clock."""
    told: list[int] = []
    notices, version = core.community.notices, lambda: core.database.version
    own = posts.FeedPosts(core.database, now_ms, notices, lambda: told.append(version()))
    content = PostContent(TARGET, "Ann")
    order = posts.PostOrder("a" * 32, ANN.requester, (ANN.requester,), PLACE, content)
    post = await own.publish(order)

    if how == "delete":
        assert [one.id for one in await own.withdraw_job(order.job_id)] == [post.id]
    else:
        assert [one.id for one in await own.withdraw_all(ANN.requester)] == [post.id]

    assert told[-1] == version()
    assert len(told) == 2


async def test_nobody_is_told_of_who_is_forgotten_and_nothing_keeps_their_words(
    town: Town, settings: Settings
) -> None:
    theirs = await town.in_state(await town.publish(await town.clip("shown")), PostState.SENT)
    reported = await town.feed.publish(BEN, (await ben_clip(town)).id, "Ben", with_prompt=True)
    await town.core.feed.reports.report(reported.id, ANN.requester, "because a narwhal does")
    entry = AccessEntry.of_person(ANN.requester)
    asked = AccessRow(entry.key, AccessState.ASKED, "Ann the narwhal", f"{PLATFORM}:9")
    async with town.core.database.transaction() as connection:
        await save_access(connection, asked)
        data = {"entry": entry.key, "who": "Ann the narwhal", "place": asked.place}
        await add_notice(connection, BEN.requester.key, ASKED, data, 0)
        body = {"who": "Ann the narwhal", "key": ANN.requester.key}
        await add_notice(connection, BEN.requester.key, "joined_notice", body, 0)

    town.delivery.faults.extend(DeliveryRetry("away", 3600) for _ in range(9))  # it stays there
    await town.core.users.forget(ANN)

    told = await town.core.community.notices.owed(PLATFORM)
    assert [(one.code, one.data["why"]) for one in told] == [("feed_reported", "")]
    async with town.core.database.snapshot() as connection:
        left = [str(row) for name in ("notice", "feed_post", "feed_report", "access")
                for row in await connection.execute(text(f"SELECT * FROM {name}"))]  # fmt: skip
    assert any(theirs.id in row for row in left), "what was sent already has to be removed yet"
    assert [row for row in left if "narwhal" in row or "Ann" in row] == []


async def ben_clip(town: Town) -> Job:
    reply = ReplyTo(PLATFORM, {"channel": "7", "user": "502", "spoiler": "0"})
    ticket = await submit_request(town.core, t2v(), BEN.requester, reply, "ben")
    await until_ended(town.core, ticket.job_id)
    return await town.core.jobs.get(ticket.job_id)


async def test_an_operator_takes_down_what_stays_down_and_its_maker_is_told(town: Town) -> None:
    job = await town.clip()
    post = await town.in_state(await town.publish(job), PostState.SENT)

    await town.operator_feed.take_down(post.sent_id or "")
    await town.in_state(post, PostState.REMOVED)

    assert await town.notices("feed_removed") == [{"title": "#clips"}]
    with pytest.raises(FeedTakenDown):
        await town.publish(job)
    verbs = [entry.verb for entry in await town.core.community.audit.entries()]
    assert verbs == ["feed_take_down", "feed_feed"]


async def test_what_cannot_be_removed_is_told_operators(town: Town) -> None:
    post = await town.in_state(await town.publish(await town.clip()), PostState.SENT)
    town.delivery.faults.append(DeliveryImpossible("403"))
    await town.feed.take_down(ANN, post.id)

    await town.in_state(post, PostState.DEAD)
    told = {"title": "#clips", "link": post.sent_id or ""}
    assert await town.notices("feed_not_removed") == [told]

    await town.feed.take_down(ANN, post.id)
    await town.in_state(post, PostState.REMOVED)


async def test_nobody_floods_a_feed(town: Town) -> None:
    for number in range(posts.MOST_AN_HOUR):
        await town.publish(await town.clip(f"{number}"))

    with pytest.raises(FeedTooOften):
        await town.publish(await town.clip("more"))


async def test_the_first_report_is_told_operators_and_each_person_reports_once(
    town: Town,
) -> None:
    post = await town.in_state(await town.publish(await town.clip()), PostState.SENT)
    with pytest.raises(ReportNotTaken) as own:
        await town.feed.report(ANN, post.id)
    await town.feed.report(BEN, post.id, "  rude \n words ")
    with pytest.raises(ReportNotTaken) as twice:
        await town.feed.report(BEN, post.id)
    await town.feed.report(replace(BEN, requester=Requester(PLATFORM, "503")), post.id)

    assert (own.value.why, twice.value.why) == ("report_own_why", "report_known_why")
    told = {"post": post.id, "who": ANN.requester.key, "title": "#clips", "why": "rude words"}
    assert await town.notices("feed_reported") == [told]
    assert await town.operator_feed.report_counts([post]) == {post.id: 2}


async def test_nobody_reports_without_end(town: Town) -> None:
    for number in range(reports.MOST_AN_HOUR + 1):
        post = await town.publish(await town.clip(f"{number}"))
        if number < reports.MOST_AN_HOUR:
            await town.feed.report(BEN, post.id)
    with pytest.raises(ReportNotTaken) as caught:
        await town.feed.report(BEN, post.id)

    assert caught.value.why == "report_often_why"


async def test_a_log_channel_gets_the_reports_and_operators_where_it_is_lost(town: Town) -> None:
    log = replace(open_feed(replace(TARGET, address={"channel": "88"})), kind=ChannelKind.LOG)
    await town.core.feed.channels.choose(OPERATOR, log)
    post = await town.in_state(await town.publish(await town.clip()), PostState.SENT)
    await town.feed.report(BEN, post.id)

    [told] = await town.notices("feed_reported")
    assert told["log"] == '{"channel": "88"}'
    await town.feed.log_lost(told)
    assert [one.get("log") for one in await town.notices("feed_reported")][1:] == [None]


@pytest.mark.parametrize("decision", list(ReportDecision))
async def test_an_operator_answers_reports_once(town: Town, decision: ReportDecision) -> None:
    post = await town.in_state(await town.publish(await town.clip()), PostState.SENT)
    assert await town.operator_feed.decide(post.id, decision) is None  # nobody reported it
    await town.feed.report(BEN, post.id)

    done = await town.operator_feed.decide(post.id, decision)
    assert done is not None
    assert done.reports == 1
    assert await town.operator_feed.decide(post.id, decision) is None

    if decision is ReportDecision.DISMISS:
        kept = await town.core.feed.posts.get(post.id)
        assert (kept.state, kept.case) == (PostState.SENT, CaseState.DISMISSED)
        return
    await town.in_state(post, PostState.REMOVED)
    if decision is ReportDecision.BLOCK:
        with pytest.raises(RequesterBlocked):
            await town.publish(await town.clip("two"))


async def test_a_stranger_learns_nothing_by_the_id_of_a_post(town: Town) -> None:
    post = await town.in_state(await town.publish(await town.clip()), PostState.SENT)
    for call in (town.feed.post(BEN, post.id), town.feed.take_down(BEN, post.id)):
        with pytest.raises(ClapperError) as caught:
            await call
        assert isinstance(caught.value, NotYours)
    with pytest.raises(PostUnknown):
        await town.feed.report(BEN, "0" * 32)


async def test_a_group_that_moves_takes_its_feed_along(town: Town) -> None:
    group = replace(TARGET, platform="telegram", place="telegram:-5", address={"chat": "-5"})
    await town.core.feed.channels.choose(OPERATOR, open_feed(group, "telegram:-5"))

    await town.core.move_place("telegram:-5", "telegram:-1005")

    found = await town.core.feed.channels.find("telegram:-1005", "telegram", open_feed().kind)
    assert found == replace(group, place="telegram:-1005", address={"chat": "-1005"})
