"""A server that the bot is added to gets one card, and the application describes itself."""

import pytest

from core.i18n.messages import say
from tests.support.platforms.faults import Fault

pytestmark = pytest.mark.sqlite


def cards(guild) -> list:
    return [m for m in guild.world.shown() if "I make videos" in m.content]


async def test_a_server_is_greeted_once_also_over_a_restart(guild) -> None:
    assert cards(guild) == []
    (channel,) = await guild.server.join()
    card = await guild.world.until(lambda: next(iter(cards(guild)), None))

    assert card.channel_id == channel.id
    assert say("welcome_open") in card.content
    assert card.custom_ids() == []
    await guild.stop()
    await guild.start()
    await guild.clip(await guild.t2v())
    assert len(cards(guild)) == 1


async def test_where_the_first_channel_is_closed_the_next_is_taken(guild) -> None:
    guild.server.faults.add(Fault("POST", "/messages", status=403, body={"code": 50013}))
    _, second = await guild.server.join(2)
    card = await guild.world.until(lambda: next(iter(cards(guild)), None))

    assert card.channel_id == second.id


async def test_a_closed_bot_says_whom_to_ask_in_the_servers_language(guild_with) -> None:
    async with guild_with(allowed="own") as guild:
        guild.world.guild_locale = "de"
        await guild.server.join()
        card = await guild.world.until(
            lambda: next((m for m in guild.world.shown() if "Ich mache Videos" in m.content), None)
        )

        assert say("welcome_closed", {}, "de") in card.content
        assert card.custom_ids() == ["access:ask"]
        assert "/hilfe" in card.content


async def test_the_application_is_described_unless_its_owner_did(guild) -> None:
    assert guild.world.description == say("bot_description")
    guild.world.description = "Our own words"
    await guild.stop()
    await guild.start()
    assert guild.world.description == "Our own words"
