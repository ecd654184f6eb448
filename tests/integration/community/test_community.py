"""Rules, blocks, joins and memories on real SQLite."""

from collections.abc import AsyncGenerator, Callable
from pathlib import Path

import pytest

from core.accounts.community import Community
from core.accounts.linked_accounts import CODE_LIFE_MS
from core.domain.people import Asker, Requester
from core.domain.policy import Policy
from core.errors import LinkCodeOwn, LinkCodeUnknown, PolicyForbids, RequesterBlocked
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
async def community(
    tmp_path: Path, clock: ManualClock, new_database: Callable[[Path], str]
) -> AsyncGenerator[Community]:
    async with open_database(new_database(tmp_path), tmp_path, clock) as database:
        yield Community.on(database, clock, frozenset({OPERATOR.key}))


async def test_rules_hold_in_their_place_only(community: Community) -> None:
    await community.moderation.set_rule(OPERATOR, HERE, "words", "kite")

    with pytest.raises(PolicyForbids):
        await community.moderation.admit(t2v("a red kite"), ANN, HERE, Asker())
    await community.moderation.admit(t2v("a red kite"), ANN, "discord:200", Asker())


async def test_clearing_the_last_rule_leaves_none(community: Community) -> None:
    await community.moderation.set_rule(OPERATOR, HERE, "max_seconds", "3")
    await community.moderation.set_rule(OPERATOR, HERE, "max_seconds", "")

    assert await community.moderation.policy(HERE) == Policy()


async def test_a_block_reaches_every_account_of_the_person(community: Community) -> None:
    code = await community.accounts.link_code(ANN)
    await community.accounts.link(TELEGRAM_ANN, code)

    await community.moderation.block(OPERATOR, TELEGRAM_ANN, "spam")

    with pytest.raises(RequesterBlocked) as caught:
        await community.moderation.admit(t2v(), ANN, HERE, Asker())
    assert caught.value.reason == "spam"
    assert await community.moderation.unblock(OPERATOR, ANN)
    await community.moderation.admit(t2v(), TELEGRAM_ANN, HERE, Asker())


async def test_what_operators_do_is_in_the_log_newest_first(community: Community) -> None:
    await community.moderation.block(OPERATOR, BEN, "spam")
    await community.moderation.set_rule(OPERATOR, HERE, "modes", "t2v")

    verbs = [(entry.actor, entry.verb, entry.target) for entry in await community.audit.entries()]
    assert verbs == [(OPERATOR.key, "policy", HERE), (OPERATOR.key, "block", BEN.key)]


async def test_a_code_joins_two_accounts_once(community: Community) -> None:
    code = await community.accounts.link_code(ANN)

    assert await community.accounts.link(TELEGRAM_ANN, code.lower()) == ANN
    assert await community.accounts.account(TELEGRAM_ANN) == ANN
    assert set(await community.accounts.keys(TELEGRAM_ANN)) == {ANN, TELEGRAM_ANN}
    with pytest.raises(LinkCodeUnknown):
        await community.accounts.link(BEN, code)


async def test_a_code_ends_after_ten_minutes_and_with_the_next_one(
    community: Community, clock: ManualClock
) -> None:
    first = await community.accounts.link_code(ANN)
    second = await community.accounts.link_code(ANN)
    with pytest.raises(LinkCodeUnknown):
        await community.accounts.link(TELEGRAM_ANN, first)

    clock.forward(CODE_LIFE_MS / 1000)

    with pytest.raises(LinkCodeUnknown):
        await community.accounts.link(TELEGRAM_ANN, second)


async def test_joining_both_ways_makes_no_circle(community: Community) -> None:
    await community.accounts.link(TELEGRAM_ANN, await community.accounts.link_code(ANN))
    code = await community.accounts.link_code(TELEGRAM_ANN)
    with pytest.raises(LinkCodeOwn):
        await community.accounts.link(ANN, code)

    assert (
        await community.accounts.account(TELEGRAM_ANN)
        == await community.accounts.account(ANN)
        == ANN
    )


async def test_a_code_tried_on_its_own_account_goes_on_to_be_valid(community: Community) -> None:
    code = await community.accounts.link_code(ANN)
    with pytest.raises(LinkCodeOwn):
        await community.accounts.link(ANN, code)

    copied = f" {code[:4]} {code[4:].lower()}. "  # with the full stop of its sentence
    assert await community.accounts.link(TELEGRAM_ANN, copied) == ANN


async def test_a_third_account_joins_the_same_group(community: Community) -> None:
    await community.accounts.link(TELEGRAM_ANN, await community.accounts.link_code(ANN))
    await community.accounts.link(BEN, await community.accounts.link_code(TELEGRAM_ANN))

    assert set(await community.accounts.keys(BEN)) == {ANN, BEN, TELEGRAM_ANN}


async def test_leaving_dissolves_the_group(community: Community) -> None:
    await community.accounts.link(TELEGRAM_ANN, await community.accounts.link_code(ANN))

    await community.accounts.leave(TELEGRAM_ANN)

    assert await community.accounts.account(TELEGRAM_ANN) == TELEGRAM_ANN


async def test_memories_are_kept_per_front_and_forgotten_by_age(
    community: Community, clock: ManualClock
) -> None:
    await community.state.remember("telegram", "draft", {"mode": "i2v"})
    await community.state.remember("discord", "commands", "abc")
    clock.forward(100)
    await community.state.remember("telegram", "fresh", [1, 2])

    await community.state.forget_older("telegram", 50_000)

    assert await community.state.recall("telegram", "draft") is None
    assert await community.state.recall("telegram", "fresh") == [1, 2]
    assert await community.state.recall("discord", "commands") == "abc"
    await community.state.remember("discord", "commands", None)
    assert await community.state.recall("discord", "commands") is None


async def test_operators_are_known_by_platform_and_id_only(community: Community) -> None:
    assert community.moderation.is_operator(OPERATOR)
    assert not community.moderation.is_operator(Requester("telegram", OPERATOR.user_id))
