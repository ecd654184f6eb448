"""Two nodes with one bot: one holds the gateway, the other takes over, and nobody answers twice."""

import re
import signal
import time
from pathlib import Path

import pytest

from tests.support.nodes import FAR_S, NodeProcess, nodes, tell
from tests.support.platforms.discord.server import DiscordServer
from tests.support.postgres import PostgresServer

pytestmark = pytest.mark.load  # figures of a quiet machine; what passes a bot on is Telegram's too
GATEWAY = "gateway:discord:100000000000000000"
ANN = 501
SMALL = {"preset": "fast", "width": 256, "height": 256, "fps": 8, "seconds": 1.0}


def of(server: DiscordServer, token: str, **more: str) -> dict[str, str]:
    return {
        "DISCORD_TOKEN": token,
        "ALLOWED": "everyone",
        "DISCORD_API_URL": server.api_url,
        "DISCORD_GATEWAY_URL": server.gateway_url,
        "DISCORD_EDIT_S": "0.05",
        **more,
    }


async def serves(node: NodeProcess, times: int = 1) -> None:
    await node.said("discord_ready", times)


async def waits(node: NodeProcess) -> None:
    await node.said(f"term_waited_for .*term={GATEWAY}")


async def makes(server: DiscordServer, seed: int) -> None:
    """Let somebody ask for a clip, and see it shown once."""
    world = server.world
    channel = next(one for one in world.channels.values() if one.guild_id)
    before = len(world.with_video())
    await server.command("t2v", ANN, channel, prompt="a kite", seed=str(seed), **SMALL)
    await world.until(lambda: len(world.with_video()) > before, FAR_S)
    assert len(world.with_video()) == before + 1


async def test_a_gateway_goes_from_node_to_node_and_every_clip_is_posted_once(
    discord_server: DiscordServer,
    token: str,
    postgres_server: PostgresServer,
    tmp_path: Path,
) -> None:
    discord_server.world.guild()
    settings = of(discord_server, token, LEADER_S="3")
    async with nodes(postgres_server, tmp_path, **settings) as start:
        one = start("one")
        await serves(one)
        other = start("other")
        await waits(other)
        await makes(discord_server, 1)
        identified = discord_server.gateway.identified

        one.send(signal.SIGSTOP)  # longer than its term
        await serves(other)
        await makes(discord_server, 2)  # both gateways hear of it, one of them later
        before = len(discord_server.world.requests)
        one.send(signal.SIGCONT)
        await one.said(f"term_lost .*term={GATEWAY}")
        await waits(one)
        assert len(discord_server.world.requests) == before  # it said nothing more
        await makes(discord_server, 3)

        asked_s = other.send(signal.SIGTERM)
        await serves(one, 2)  # begun a second time in its process
        clean_s = time.monotonic() - asked_s
        await makes(discord_server, 4)
        assert len(identified) == 3
        tell("discord, SIGTERM", clean_s)
        assert clean_s <= 2


async def test_the_gateway_of_a_killed_node_is_held_by_another_within_fifteen_seconds(
    discord_server: DiscordServer,
    token: str,
    postgres_server: PostgresServer,
    tmp_path: Path,
) -> None:
    discord_server.world.guild()
    async with nodes(postgres_server, tmp_path, **of(discord_server, token)) as start:
        one, other = start("one"), start("other")
        await one.said(GATEWAY)
        await other.said(GATEWAY)
        if re.search(f"term_waited_for .*{GATEWAY}", one.log):
            one, other = other, one
        await serves(one)

        killed_s = one.send(signal.SIGKILL)
        await serves(other)
        failover_s = time.monotonic() - killed_s

        await makes(discord_server, 1)
        tell("discord, kill -9", failover_s)
        assert failover_s <= 15
