"""Rules, blocks, joins and memories on real SQLite."""

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from core.accounts.linked_accounts import CODE_LIFE_MS
from core.accounts.moderation import Community
from core.domain.people import Asker, Requester
from core.domain.policy import Policy
from core.errors import LinkCodeUnknown, PolicyForbids, RequesterBlocked
from core.storage.database import open_database
from core.testing.doubles import ManualClock, t2v

ANN = Requester("discord", "1")
TELEGRAM_ANN = Requester("telegram", "11")
BEN = Requester("discord", "2")
OPERATOR = Requester("discord", "9")
HERE = "discord:100"


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def community(tmp_path: Path, clock: ManualClock) -> AsyncGenerator[Community]:
    url = f"sqlite+aiosqlite:///{tmp_path / 'c.sqlite'}"
    async with open_database(url, tmp_path, clock) as database:
        yield Community(database, clock, frozenset({OPERATOR.key}))


async def test_rules_hold_in_their_place_only(community: Community) -> None:
    await community.set_rule(OPERATOR, HERE, "words", "kite")

    with pytest.raises(PolicyForbids):
        await community.admit(t2v("a red kite"), ANN, HERE, Asker())
    await community.admit(t2v("a red kite"), ANN, "discord:200", Asker())


async def test_clearing_the_last_rule_leaves_none(community: Community) -> None:
    await community.set_rule(OPERATOR, HERE, "max_seconds", "3")
    await community.set_rule(OPERATOR, HERE, "max_seconds", "")

    assert await community.policy(HERE) == Policy()


async def test_a_block_reaches_every_account_of_the_person(community: Community) -> None:
    code = await community.link_code(ANN)
    await community.link(TELEGRAM_ANN, code)

    await community.block(OPERATOR, TELEGRAM_ANN, "spam")

    with pytest.raises(RequesterBlocked) as caught:
        await community.admit(t2v(), ANN, HERE, Asker())
    assert caught.value.reason == "spam"
    assert await community.unblock(OPERATOR, ANN)
    await community.admit(t2v(), TELEGRAM_ANN, HERE, Asker())


async def test_what_operators_do_is_in_the_log_newest_first(community: Community) -> None:
    await community.block(OPERATOR, BEN, "spam")
    await community.set_rule(OPERATOR, HERE, "modes", "t2v")

    verbs = [(entry.actor, entry.verb, entry.target) for entry in await community.audit()]
    assert verbs == [(OPERATOR.key, "policy", HERE), (OPERATOR.key, "block", BEN.key)]


async def test_a_code_joins_two_accounts_once(community: Community) -> None:
    code = await community.link_code(ANN)

    assert await community.link(TELEGRAM_ANN, code.lower()) == ANN
    assert await community.account(TELEGRAM_ANN) == ANN
    assert set(await community.keys(TELEGRAM_ANN)) == {ANN, TELEGRAM_ANN}
    with pytest.raises(LinkCodeUnknown):
        await community.link(BEN, code)


async def test_a_code_ends_after_ten_minutes_and_with_the_next_one(
    community: Community, clock: ManualClock
) -> None:
    first = await community.link_code(ANN)
    second = await community.link_code(ANN)
    with pytest.raises(LinkCodeUnknown):
        await community.link(TELEGRAM_ANN, first)

    clock.forward(CODE_LIFE_MS / 1000)

    with pytest.raises(LinkCodeUnknown):
        await community.link(TELEGRAM_ANN, second)


async def test_joining_both_ways_makes_no_circle(community: Community) -> None:
    await community.link(TELEGRAM_ANN, await community.link_code(ANN))
    await community.link(ANN, await community.link_code(TELEGRAM_ANN))

    assert await community.account(TELEGRAM_ANN) == await community.account(ANN) == ANN


async def test_a_third_account_joins_the_same_group(community: Community) -> None:
    await community.link(TELEGRAM_ANN, await community.link_code(ANN))
    await community.link(BEN, await community.link_code(TELEGRAM_ANN))

    assert set(await community.keys(BEN)) == {ANN, BEN, TELEGRAM_ANN}


async def test_leaving_dissolves_the_group(community: Community) -> None:
    await community.link(TELEGRAM_ANN, await community.link_code(ANN))

    await community.leave(TELEGRAM_ANN)

    assert await community.account(TELEGRAM_ANN) == TELEGRAM_ANN


async def test_memories_are_kept_per_front_and_forgotten_by_age(
    community: Community, clock: ManualClock
) -> None:
    await community.remember("telegram", "draft", {"mode": "i2v"})
    await community.remember("discord", "commands", "abc")
    clock.forward(100)
    await community.remember("telegram", "fresh", [1, 2])

    await community.forget_older("telegram", 50_000)

    assert await community.recall("telegram", "draft") is None
    assert await community.recall("telegram", "fresh") == [1, 2]
    assert await community.recall("discord", "commands") == "abc"
    await community.remember("discord", "commands", None)
    assert await community.recall("discord", "commands") is None


async def test_operators_are_known_by_platform_and_id_only(community: Community) -> None:
    assert community.is_operator(OPERATOR)
    assert not community.is_operator(Requester("telegram", OPERATOR.user_id))
