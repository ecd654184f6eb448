"""A group that the bot is added to gets one card; its profile speaks each language."""

import pytest

from core.i18n.messages import languages, say
from tests.support.platforms.telegram.world import BOT

ANN, OP = 501, 900
pytestmark = pytest.mark.sqlite


async def handled(town) -> None:
    """Return once everything that was pushed so far is handled."""
    await town.answer(town.say("/help"))


def cards(town, chat) -> list:
    return [m for m in town.world.shown(chat.id) if "I make videos" in m.text]


async def test_a_group_is_greeted_once_also_over_a_restart(town) -> None:
    group = town.world.group()
    town.world.added(group)
    card = await town.says("I make videos", group.id)
    assert say("welcome_open") in card.text
    assert "/help" in card.text
    await town.stop()
    await town.start()
    town.say(user=ANN, chat=group, new_chat_members=[{**BOT, "id": 77}])
    town.world.added(group)
    await handled(town)

    assert len(cards(town, group)) == 1
    town.say(user=ANN, chat=group, left_chat_member=BOT)
    town.world.added(group)
    await town.world.until(lambda: len(cards(town, group)) == 2)


async def test_nothing_is_said_where_the_bot_may_not_write(town) -> None:
    group = town.world.group()
    group.blocked = True
    town.world.added(group)
    await handled(town)
    assert cards(town, group) == []


async def test_a_group_that_is_made_with_the_bot_is_greeted_and_one_that_moves_is_not(town) -> None:
    group = town.world.group(-77, "group")
    town.say(user=ANN, chat=group, group_chat_created=True)
    await town.says("I make videos", group.id)
    larger = town.world.group(-177)
    town.say(user=ANN, chat=group, migrate_to_chat_id=-177)
    await handled(town)
    town.say(user=ANN, chat=larger, migrate_from_chat_id=-77)
    town.world.added(larger)
    await handled(town)

    assert cards(town, larger) == []


async def test_a_closed_bot_says_whom_to_ask(town_with) -> None:
    async with town_with(allowed="own") as town:
        foreign, own = town.world.group(-200), town.world.group(-100)
        own.managers.add(OP)
        town.world.added(foreign)
        town.world.added(own)

        told = await town.says("I make videos", foreign.id)
        assert say("welcome_closed") in told.text
        assert town.led_by(told) == "access"
        assert say("welcome_open") in (await town.says("I make videos", own.id)).text


async def test_descriptions_are_set_in_every_language_and_an_operators_own_stays(town) -> None:
    told = town.world.descriptions
    assert told["description", "de"] == say("bot_description", {}, "de")
    assert told["short_description", ""] == say("bot_short")
    calls = [name for name, _ in town.world.calls if name.startswith("setMy")]
    assert len(calls) == 3 * len(languages())
    told["description", ""] = "Our own words"
    await town.stop()
    await town.start()

    assert told["description", ""] == "Our own words"
    again = [name for name, _ in town.world.calls if name.startswith("setMy")]
    assert again[len(calls) :] == ["setMyCommands"] * len(languages())
