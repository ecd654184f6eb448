"""``clapper doctor`` asks the real library what Discord says."""

from urllib.parse import parse_qs, urlsplit

import pytest
from pydantic import SecretStr

from bots.discord.front import FRONT
from core.domain.people import Requester
from tests.support.platforms.discord.world import APPLICATION, ATTACH, HISTORY, SEND, THREADS, VIEW


@pytest.fixture
def server(discord_server):
    discord_server.world.guild()
    return discord_server


async def test_all_is_well_and_the_invite_asks_for_exactly_what_is_used(
    server, discord_settings
) -> None:
    checks = await FRONT.examine(discord_settings)

    assert {check.health for check in checks} == {"good"}
    query = parse_qs(urlsplit(checks[-1].detail.split()[-1]).query)
    assert int(query["permissions"][0]) == VIEW | SEND | THREADS | ATTACH | HISTORY
    assert query["client_id"] == [str(APPLICATION)]
    assert set(query["scope"][0].split()) == {"bot", "applications.commands"}


async def test_a_refused_token_is_bad_and_not_repeated(server, discord_settings) -> None:
    server.world.token = "another"
    (check,) = await FRONT.examine(discord_settings)

    assert check.health == "bad"
    assert "CLAPPER_DISCORD_TOKEN" in check.fix
    assert discord_settings.discord.token.get_secret_value() not in f"{check}"


async def test_missing_rights_and_needless_intents_are_named(server, discord_settings) -> None:
    server.world.guild_rights = VIEW | SEND
    server.world.application_flags = 1 << 19  # message content, for less than a hundred servers

    text = " ".join(check.detail for check in await FRONT.examine(discord_settings))

    assert "attach files" in text
    assert "gateway_message_content" in text


async def test_an_unreachable_discord_is_bad(settings_with) -> None:
    settings = settings_with(
        discord_token=SecretStr("x" * 20), discord_api_url="http://127.0.0.1:9/api/v10"
    )
    (check,) = await FRONT.examine(settings)

    assert check.health == "bad"


async def test_without_a_token_nothing_is_asked(settings) -> None:
    assert await FRONT.examine(settings) == []


async def test_setup_knows_the_owner_of_the_application_without_asking(
    server, discord_settings
) -> None:
    owner = await FRONT.find_operator(discord_settings, "314159", pytest.fail)

    assert owner == Requester("discord", "9")


async def test_setup_finds_nobody_where_the_token_is_refused(server, discord_settings) -> None:
    server.world.token = "another"

    assert await FRONT.find_operator(discord_settings, "314159", pytest.fail) is None


@pytest.mark.parametrize(
    ("token", "right"),
    [
        ("MTIzNDU2Nzg5MDEyMzQ1Njc4.GhIjKl.a-b_c" + "x" * 30, True),
        ("x" * 32, False),  # a client secret
        ("0f" * 32, False),  # a public key
        ("Bot MTIzNDU2.GhIjKl.abc", False),
        ("1234567890123456789", False),
        ("MTIzNDU2.GhIjKl", False),
    ],
)
def test_what_is_no_token_is_told_before_the_start(
    settings_with, token: str, *, right: bool
) -> None:
    found = FRONT.check(settings_with(discord_token=SecretStr(token)))

    assert [one.health for one in found] == ([] if right else ["bad"])
    assert token not in f"{found}"
    own = settings_with(discord_token=SecretStr(token), discord_api_url="http://127.0.0.1:9/api")
    assert FRONT.check(own) == []
