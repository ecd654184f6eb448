"""Many people at once, alone and beside Discord: every clip with its owner, the loop never away."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from pydantic import SecretStr

from bots.discord.front import FRONT as DISCORD
from bots.telegram.front import FRONT as TELEGRAM
from core.app.bootstrap import open_core
from core.app.core import Core
from core.app.serve import run_all
from core.settings import Settings
from core.testing.doubles import QuickExecutor
from core.testing.loop_lag import LoopLag
from tests.support.platforms.discord.server import DiscordServer
from tests.support.platforms.discord.world import Interaction
from tests.support.settings import changed

pytestmark = pytest.mark.load

USERS, CHATS, JOBS = range(601, 611), (-101, -102, -103), 60
NEIGHBOURS = range(501, 506)  # on Discord meanwhile
TINY = "--preset fast --size 256x256 --seconds 1 --fps 8"
GAP_S = 0.25  # a heartbeat that waits longer is on its way to be missed
Owners = dict[int, tuple[int, str]]  # by message asked with: person, prompt


def ask_on_telegram(world: Any) -> Owners:
    """Let ten people ask for sixty clips in three groups, all at once."""
    asked: Owners = {}
    for number in range(JOBS):
        user, chat = USERS[number % len(USERS)], world.group(CHATS[number % len(CHATS)])
        said = world.said(user, chat, text=f"/t2v kite {number} {TINY}")
        asked[said["message_id"]] = (user, f"kite {number}")
    return asked


async def ask_on_discord(discord: DiscordServer, channel: Any) -> list[Interaction]:
    tiny = {"preset": "fast", "seconds": 1.0, "width": 256, "height": 256}
    return await asyncio.gather(
        *(
            discord.command("t2v", user, channel, prompt=f"boat {user}", **tiny)
            for user in NEIGHBOURS
        )
    )


async def shown_on_telegram(world: Any, core: Core, read_job: Callable[[bytes], str]) -> Owners:
    """Whose clip, by its own word, answers which message in which chat."""
    found: Owners = {}
    for message in world.with_video():
        job = await core.jobs.get(read_job(message.video))
        answered = int(message.payload["reply_parameters"]["message_id"])
        found[answered] = (int(job.requester.user_id), job.request.prompt)
        assert message.chat_id == int(job.reply_to.address["chat"])
    return found


async def test_sixty_jobs_of_ten_people_in_three_groups_beside_discord(
    telegram_server, telegram_settings: Settings, read_job: Callable[[bytes], str]
) -> None:
    async with DiscordServer() as discord:
        (channel,) = discord.world.guild()
        settings = changed(
            telegram_settings,
            discord_token=SecretStr("secret-token"),
            allowed="everyone",
            discord_api_url=discord.api_url,
            discord_gateway_url=discord.gateway_url,
            discord_edit_s=0.2,
            telegram_group_edit_s=0.2,
            max_queued=20,
            max_running=4,
        )
        world, stop, ready = telegram_server.world, asyncio.Event(), asyncio.Semaphore(0)
        async with open_core(settings, QuickExecutor()) as core:
            fronts = run_all(core, [TELEGRAM, DISCORD], stop, lambda _: ready.release())
            serving = asyncio.create_task(fronts)
            for _ in range(2):
                await ready.acquire()
            async with LoopLag() as pulse:
                asked = ask_on_telegram(world)
                boats = await ask_on_discord(discord, channel)
                await world.until(lambda: len(world.with_video()) == JOBS, 100)
                await discord.world.until(
                    lambda: len(discord.world.with_video()) == len(NEIGHBOURS), 60
                )
            found = await shown_on_telegram(world, core, read_job)
            for user, boat in zip(NEIGHBOURS, boats, strict=True):
                message = discord.world.messages[boat.original or 0]
                job = await core.jobs.get(read_job(message.videos[0]))
                assert (job.requester.user_id, job.request.prompt) == (str(user), f"boat {user}")
            stop.set()
            await serving
    assert found == asked
    assert pulse.longest_s < GAP_S
