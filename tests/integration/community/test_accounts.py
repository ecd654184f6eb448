"""A person is all keys that were joined: blocks, budgets, codes and notices on real SQLite."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from core.accounts.community import Community
from core.accounts.linked_accounts import TRIES, TRIES_OF_ALL
from core.app.core import Core
from core.domain.jobs import ReplyTo
from core.domain.media import Clip
from core.domain.modes import Mode
from core.domain.options import Options
from core.domain.people import Caller, Requester
from core.domain.request_builder import compose
from core.errors import (
    LinkCodeUnknown,
    LinkTriesUsed,
    PolicyForbids,
    QuotaExceeded,
    RequesterBlocked,
)
from core.testing.jobs import submit_request
from tests.support.jobs import ask as ask_as

OPTIONS = Options(prompt="a red kite", preset="fast", width=256, height=256, seconds=1)
OPERATOR = Requester("discord", "9")
KEYS = [
    Requester("discord", "1"),
    Requester("telegram", "11"),
    Requester("studio", "guest-0123456789abcdef"),
    Requester("hf", "77"),
]
PAIRS = [(one, other) for one in KEYS for other in KEYS if one != other]
# guests of the Studio pay from one account together, so they bring no budget of their own
PAYERS = [Requester("studio", "user-ann") if "guest-" in key.user_id else key for key in KEYS]
PAYING_PAIRS = [(one, other) for one in PAYERS for other in PAYERS if one != other]


@pytest.fixture
def community(core: Core) -> Community:
    return core.community


async def ask(core: Core, who: Requester, key: str = "one") -> str:
    person = Caller(who, f"{who.platform}:here")
    ticket = await ask_as(core, person, key, OPTIONS)
    return ticket.job_id


async def refused(core: Core, who: Requester) -> None:
    with pytest.raises(RequesterBlocked):
        await ask(core, who, f"{who.key} refused")


async def spent(core: Core, who: Requester) -> int:
    view = await core.users.quota(Caller(who, "here"))
    return view.used_ms + view.reserved_ms


async def limit(core: Core, who: Requester) -> int:
    return (await core.users.quota(Caller(who, "here"))).limit_ms


async def join(community: Community, owner: Requester, other: Requester) -> None:
    await community.accounts.link(other, await community.accounts.link_code(owner))


@pytest.mark.parametrize(("one", "other"), PAIRS)
async def test_a_block_reaches_whoever_joins_in_either_direction(
    core: Core, community: Community, one: Requester, other: Requester
) -> None:
    await community.moderation.block(OPERATOR, one, "spam")
    await join(community, other, one)

    await refused(core, one)
    await refused(core, other)


@pytest.mark.parametrize(("one", "other"), PAIRS)
@pytest.mark.parametrize("way", ["forget", "unlink", "removed"])
async def test_a_block_stays_with_both_who_part(
    core: Core, community: Community, one: Requester, other: Requester, way: str
) -> None:
    await join(community, one, other)
    await community.moderation.block(OPERATOR, one, "spam")
    match way:
        case "forget":
            await core.users.forget(Caller(other, "here"))
        case "unlink":
            assert await community.accounts.unlink(other, other)
        case _:
            assert await community.accounts.unlink(one, other)

    await refused(core, one)
    await refused(core, other)


async def test_lifting_a_block_lifts_it_for_all_whom_it_reached_and_says_whom(
    core: Core, community: Community
) -> None:
    one, other, third, fourth = KEYS
    await community.moderation.block(OPERATOR, fourth, "else")
    await join(community, one, other)
    await community.moderation.block(OPERATOR, other, "spam")
    await community.accounts.leave(one)
    await join(community, third, other)

    assert set(await community.moderation.unblock(OPERATOR, one)) == {one, other, third}

    for who in (one, other, third):
        await ask(core, who)
    await refused(core, fourth)
    assert await community.moderation.unblock(OPERATOR, one) == []


async def test_a_block_between_the_question_and_the_queue_counts(
    core: Core, community: Community
) -> None:
    one, other, *_ = KEYS
    await join(community, one, other)
    composition = compose(Mode.T2V, OPTIONS, {}, core.users.limits)
    await community.moderation.admit(
        composition.request, other, "here", Caller(other, "here").asker
    )
    await community.moderation.block(OPERATOR, other, "spam")

    with pytest.raises(RequesterBlocked):
        await submit_request(core, composition, one, ReplyTo("test", {}), "late")

    assert await spent(core, one) == 0


async def test_a_guest_who_was_blocked_stays_so_after_signing_in(
    core: Core, community: Community
) -> None:
    guest, account = KEYS[2:]
    await community.moderation.block(OPERATOR, guest, "spam")
    person = Caller(account, "studio", earlier=(guest,))

    with pytest.raises(RequesterBlocked):
        await ask_as(core, person, "one", OPTIONS)


@pytest.mark.parametrize(("one", "other"), PAYING_PAIRS)
async def test_what_was_spent_before_a_join_counts_for_both_and_after_parting(
    core: Core, community: Community, one: Requester, other: Requester
) -> None:
    await ask(core, one)
    once = await spent(core, one)
    await ask(core, other)
    for _ in range(3):
        await join(community, one, other)
        assert await spent(core, one) == await spent(core, other) == 2 * once
        await community.accounts.leave(other)
        assert await spent(core, one) == await spent(core, other) == 2 * once
        await join(community, other, one)
        assert await spent(core, one) == await spent(core, other) == 2 * once
        assert await community.accounts.unlink(one, other)
        assert await spent(core, one) == await spent(core, other) == 2 * once


async def test_an_empty_budget_is_not_filled_by_joining_or_leaving(
    core: Core, community: Community
) -> None:
    one, other, *_ = KEYS
    await ask(core, one)
    left = (await core.users.quota(Caller(one, "here"))).left_ms
    await core.quotas.grant(one, 1 - left)
    for step in ("alone", "joined", "parted"):
        if step == "joined":
            await join(community, other, one)
        elif step == "parted":
            await community.accounts.leave(other)
        with pytest.raises(QuotaExceeded):
            await ask(core, one, step)


async def test_a_grant_counts_once_however_often_people_join_and_part(
    core: Core, community: Community
) -> None:
    one, other, *_ = KEYS
    usual = await limit(core, one)
    await core.quotas.grant(one, 60_000)
    for _ in range(3):
        await join(community, one, other)
        assert await limit(core, one) == await limit(core, other) == usual + 60_000
        await community.accounts.leave(one)
        assert await limit(core, one) == usual + 60_000
        assert await limit(core, other) == usual


async def test_two_who_use_one_code_at_once_do_not_both_get_in(community: Community) -> None:
    one, *others = KEYS
    code = await community.accounts.link_code(one)

    results = await asyncio.gather(
        *(community.accounts.link(other, code) for other in others), return_exceptions=True
    )

    assert sum(isinstance(result, Requester) for result in results) == 1
    assert sum(isinstance(result, LinkCodeUnknown) for result in results) == len(others) - 1


async def test_guessing_ends_for_one_person_and_for_everybody(
    community: Community, core: Core
) -> None:
    one, other, third, _ = KEYS
    for _ in range(TRIES):
        with pytest.raises(LinkCodeUnknown):
            await community.accounts.link(other, "ABCDEFGH")
    code = await community.accounts.link_code(one)
    with pytest.raises(LinkTriesUsed):
        await community.accounts.link(other, code)
    assert (
        await community.accounts.link(third, code) == one
    )  # a right one is not spent by a refusal

    for number in range(TRIES_OF_ALL - TRIES):
        with pytest.raises(LinkCodeUnknown):
            await community.accounts.link(Requester("telegram", f"5{number}"), "ABCDEFGH")
    with pytest.raises(LinkTriesUsed):
        await community.accounts.link(
            Requester("telegram", "4"), await community.accounts.link_code(one)
        )


async def test_any_new_code_of_the_same_person_ends_the_older_one(community: Community) -> None:
    one, other, third, _ = KEYS
    await join(community, one, other)
    first = await community.accounts.link_code(one)
    await community.accounts.link_code(other)

    with pytest.raises(LinkCodeUnknown):
        await community.accounts.link(third, first)


async def test_the_owner_of_a_code_is_owed_a_word_until_told(community: Community) -> None:
    one, other, *_ = KEYS
    await community.accounts.link(other, await community.accounts.link_code(one), "@ben")

    (notice,) = await community.notices.owed("discord")
    assert (notice.to, notice.data) == (one, {"who": "@ben", "key": other.key})
    assert await community.notices.owed("telegram") == []
    await community.notices.told(notice)
    assert await community.notices.owed("discord") == []


async def test_only_members_take_members_out_and_the_rest_stays_together(
    community: Community,
) -> None:
    one, other, third, fourth = KEYS
    await join(community, one, other)
    await join(community, one, third)

    assert not await community.accounts.unlink(fourth, other)
    assert not await community.accounts.unlink(one, fourth)
    assert await community.accounts.unlink(other, one)

    assert await community.accounts.keys(one) == [one]
    assert set(await community.accounts.keys(other)) == {other, third}


async def test_the_rules_of_a_place_count_where_a_clip_is_shown(
    core: Core, community: Community
) -> None:
    job = await core.jobs.get(await ask(core, KEYS[0]))
    await community.moderation.set_rule(OPERATOR, "discord:100", "words", "kite")

    with pytest.raises(PolicyForbids):
        await core.users.check_showing(Caller(KEYS[0], "discord:100"), job.id)
    await core.users.check_showing(Caller(KEYS[0], "discord:200"), job.id)
    await community.moderation.block(OPERATOR, KEYS[0], "spam")
    with pytest.raises(RequesterBlocked):
        await core.users.check_showing(Caller(KEYS[0], "discord:200"), job.id)


async def test_what_a_model_made_of_a_prompt_counts_where_a_clip_is_shown(
    core: Core, community: Community
) -> None:
    job = await core.jobs.get(await ask(core, KEYS[0]))
    made = Path("a.mp4"), Path("a.png"), "5" * 64, 10, 64, 64, 9, 24.0
    clip = Clip(*made, has_sound=True, prompt_used="A sloop sails into the harbour.")
    shown = replace(job, clip=clip)
    await community.moderation.set_rule(OPERATOR, "discord:100", "words", "sloop")

    with pytest.raises(PolicyForbids):
        await core.users.access.check_shown(Caller(KEYS[0], "discord:100"), shown)
    await core.users.access.check_shown(Caller(KEYS[0], "discord:200"), shown)
