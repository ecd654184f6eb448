"""Two nodes with one bot: one polls, the other takes over, and nobody answers twice."""

import re
import signal
import time
from pathlib import Path

import pytest

from core.testing.doubles import eventually
from tests.support.nodes import FAR_S, NodeProcess, nodes, tell
from tests.support.platforms.telegram.server import TelegramServer
from tests.support.postgres import PostgresServer

POLLING = "polling:telegram:4242424242"
ANN = 501


def of(server: TelegramServer, **more: str) -> dict[str, str]:
    return {
        "TELEGRAM_TOKEN": server.token,
        "ALLOWED": "everyone",
        "TELEGRAM_API_URL": server.url,
        "TELEGRAM_PRIVATE_EDIT_S": "0.05",
        **more,
    }


async def serves(node: NodeProcess, times: int = 1) -> None:
    await node.said("telegram_ready", times)


async def waits(node: NodeProcess) -> None:
    await node.said(f"term_waited_for .*term={POLLING}")


async def asks(server: TelegramServer) -> int:
    """Let somebody ask, and return how many answers there are once there is one more."""
    world = server.world
    before = len(world.shown(ANN))
    world.said(ANN, world.private(ANN), text="/queue")
    await world.until(lambda: len(world.shown(ANN)) > before, FAR_S)
    return len(world.shown(ANN)) - before


async def noted(server: PostgresServer) -> None:
    """Wait until the rows say of every message that it was answered: before, it is answered again.

    Telegram takes no key with an answer, so nobody could know.
    """
    left = "SELECT count(*) FROM memory WHERE front = 'telegram-inbox' AND value <> 'true'"

    async def none_left() -> bool:
        with server.connect() as connection:
            return connection.execute(left).fetchone() == (0,)

    await eventually(none_left)


async def test_a_bot_goes_from_node_to_node_and_every_question_has_one_answer(
    telegram_server: TelegramServer, postgres_server: PostgresServer, tmp_path: Path
) -> None:
    async with nodes(postgres_server, tmp_path, **of(telegram_server, LEADER_S="3")) as start:
        one = start("one")
        await serves(one)
        other = start("other")
        await waits(other)
        assert await asks(telegram_server) == 1
        await noted(postgres_server)

        one.send(signal.SIGSTOP)  # longer than its term
        world = telegram_server.world
        world.said(ANN, world.private(ANN), text="/queue")
        await serves(other)
        await world.until(lambda: len(world.shown(ANN)) >= 2, FAR_S)
        one.send(signal.SIGCONT)
        await one.said(f"term_lost .*term={POLLING}")
        await waits(one)
        assert len(world.shown(ANN)) == 2  # who was stopped did not answer too
        assert await asks(telegram_server) == 1
        await noted(postgres_server)

        other.send(signal.SIGTERM)
        await serves(one, 2)  # begun a second time in its process
        assert await asks(telegram_server) == 1


@pytest.mark.load
async def test_another_node_holds_a_bot_two_seconds_after_a_stop_and_fifteen_after_a_kill(
    telegram_server: TelegramServer, postgres_server: PostgresServer, tmp_path: Path
) -> None:
    async with nodes(postgres_server, tmp_path, **of(telegram_server)) as start:
        one, other = start("one"), start("other")
        await one.said(POLLING)
        await other.said(POLLING)
        if re.search(f"term_waited_for .*{POLLING}", one.log):
            one, other = other, one
        await serves(one)

        asked_s = one.send(signal.SIGTERM)
        await serves(other)
        clean_s = time.monotonic() - asked_s
        third = start("third")
        await waits(third)

        killed_s = other.send(signal.SIGKILL)
        await serves(third)
        failover_s = time.monotonic() - killed_s

        assert await asks(telegram_server) == 1
        tell("telegram, SIGTERM", clean_s)
        tell("telegram, kill -9", failover_s)
        assert clean_s <= 2
        assert failover_s <= 15
