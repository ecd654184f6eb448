"""Many people at once, alone and beside Discord: every clip with its owner, the loop never away."""

import asyncio
import time
from collections.abc import Callable

import pytest
from pydantic import SecretStr

from bots.discord.front import FRONT as DISCORD
from bots.telegram.front import FRONT as TELEGRAM
from bots.testing.discord.server import DiscordServer
from core.bootstrap import open_core
from core.serve import run_all
from core.settings import Settings
from core.testing import QuickExecutor

pytestmark = pytest.mark.load
USERS, CHATS, JOBS = range(601, 611), (-101, -102, -103), 60
TINY = "--preset fast --size 256x256 --seconds 1 --fps 8"
MOST_BUSY_S = 0.25


class LoopWatch:
    """The longest time that the loop's own thread worked before it came back, in seconds.

    The thread's clock is used, so that other processes of a busy machine do not count.
    """

    def __init__(self) -> None:
        self.longest = 0.0

    async def run(self) -> None:
        before = time.thread_time()
        while True:
            await asyncio.sleep(0.005)
            now = time.thread_time()
            self.longest = max(self.longest, now - before)
            before = now


async def test_sixty_jobs_of_ten_people_in_three_groups_beside_discord(
    telegram_server,
    telegram_settings: Settings,
    read_job: Callable[[bytes], str],
) -> None:
    async with DiscordServer() as discord:
        (channel,) = discord.world.guild()
        settings = telegram_settings.model_copy(
            update={
                "discord_token": SecretStr("secret-token"),
                "discord_api_url": discord.api_url,
                "discord_gateway_url": discord.gateway_url,
                "discord_edit_s": 0.2,
                "telegram_group_edit_s": 0.2,
                "max_queued": 20,
                "max_running": 4,
            }
        )
        world, stop, watch = telegram_server.world, asyncio.Event(), LoopWatch()
        ready: list[str] = []
        async with open_core(settings, QuickExecutor()) as core:
            serving = asyncio.create_task(run_all(core, [TELEGRAM, DISCORD], stop, ready.append))
            await world.until(lambda: "getUpdates" in [name for name, _ in world.calls])
            await discord.world.until(lambda: discord.world.commands)
            watching = asyncio.create_task(watch.run())
            expected: dict[int, tuple[int, str]] = {}
            for number in range(JOBS):
                user = USERS[number % len(USERS)]
                chat = world.group(CHATS[number % len(CHATS)])
                said = world.said(user, chat, text=f"/t2v kite {number} {TINY}")
                expected[said["message_id"]] = (user, f"kite {number}")
            asked = [
                await discord.command(
                    "t2v",
                    500 + number,
                    channel,
                    prompt=f"boat {number}",
                    preset="fast",
                    seconds=1.0,
                    width=256,
                    height=256,
                )
                for number in range(5)
            ]
            await world.until(lambda: len(world.with_video()) == JOBS, 100)
            await discord.world.until(lambda: len(discord.world.with_video()) == len(asked))
            watching.cancel()

            found: dict[int, tuple[int, str]] = {}
            for message in world.with_video():
                job = await core.service.job(read_job(message.video))
                answered = int(message.payload["reply_parameters"]["message_id"])
                found[answered] = (int(job.requester.user_id), job.request.prompt)
            stop.set()
            await serving
    assert found == expected
    assert watch.longest < MOST_BUSY_S
    assert len(ready) == 2
