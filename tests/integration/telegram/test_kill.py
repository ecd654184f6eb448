"""kill -9 of the real service in every phase of a job: one clip each, and nothing told in logs."""

import asyncio
import os
import sys
from collections import Counter
from collections.abc import AsyncGenerator, Callable
from pathlib import Path

import pytest

from tests.support.platforms.faults import Fault

FORKS = Path(__file__).with_name("forks.py")
HELD_S = 60.0  # longer than the process lives
PROMPT = "an unmistakable vermilion gondola"


class Service:
    """``clapper serve`` that is killed and started again."""

    def __init__(self, process: asyncio.subprocess.Process, log: Path) -> None:
        self.process = process
        self.log = log

    async def do(self, command: str) -> None:
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(f"{command}\n".encode())
        assert await self.process.stdout.readline() == b"done\n"


@pytest.fixture
async def service(telegram_server, tmp_path: Path) -> AsyncGenerator[Service]:
    env = {
        **{name: value for name, value in os.environ.items() if not name.startswith("CLAPPER_")},
        "CLAPPER_DATA_DIR": str(tmp_path / "data"),
        "CLAPPER_EXECUTOR": "draft",
        "CLAPPER_STUDIO": "false",
        "CLAPPER_TELEGRAM_TOKEN": telegram_server.token,
        "CLAPPER_ALLOWED": "everyone",
        "CLAPPER_OPERATORS": "telegram:900",
        "CLAPPER_TELEGRAM_API_URL": telegram_server.url,
        "CLAPPER_TELEGRAM_PRIVATE_EDIT_S": "0.05",
        "CLAPPER_PROGRESS_EVERY_S": "0.05",
        "CLAPPER_MIN_FREE_MEGABYTES": "0",
        "CLAPPER_DEFAULT_SECONDS": "1",
        "CLAPPER_DEFAULT_FPS": "8",
        "CLAPPER_MAX_ATTEMPTS": "20",
        "CLAPPER_LOG_LEVEL": "debug",
    }
    log = tmp_path / "log"
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            str(FORKS),
            env=env,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=output,
        )
    yield Service(process, log)
    assert process.stdin
    process.stdin.close()
    await process.wait()


def hold(method: str, *, stored: bool = False) -> Fault:
    return Fault(method, delay_s=HELD_S, after_storing=stored)


async def test_a_kill_in_each_phase_makes_exactly_one_video(
    service: Service, telegram_server, town_with, read_job: Callable[[bytes], str], small: str
) -> None:
    world, faults, town = telegram_server.world, telegram_server.faults, town_with()

    def called(method: str) -> Callable[[], bool]:
        before = len(world.calls)
        return lambda: any(name == method for name, _ in world.calls[before:])

    phases = {
        "fetching a file": ([hold("getFile")], lambda user: called("getFile")),
        "acknowledging": ([hold("sendMessage")], lambda user: called("sendMessage")),
        "accepted": ([hold("editMessageText")], lambda user: called("editMessageText")),
        "running": (
            [],
            lambda user: (
                lambda: any(
                    "▰" in message.text or "starting" in message.text
                    for message in world.shown(user)
                )
            ),
        ),
        "uploading": ([hold("editMessageMedia")], lambda user: called("editMessageMedia")),
        "uploaded": (
            [hold("editMessageMedia", stored=True)],
            lambda user: lambda: world.with_video(user),
        ),
        "done": ([], lambda user: lambda: world.with_video(user)),
    }
    for user, (held, reached) in enumerate(phases.values(), 701):
        await service.do("start")
        await world.until(called("getUpdates"), 40)
        for fault in held:
            faults.add(fault)
        seen = reached(user)
        media = town.media("image")
        town.say(user=user, caption=f"/i2v {PROMPT} {user} {small}", **media)
        await world.until(seen, 40)
        await service.do("kill")
        faults.clear()
    await service.do("start")

    def everybody() -> bool:
        return all(world.with_video(user) for user in range(701, 701 + len(phases)))

    await world.until(everybody, 60)
    answered = called("getUpdates")
    town.say("/queue", 701)
    await world.until(answered, 20)
    shown = Counter(message.chat_id for message in world.with_video())
    assert shown == Counter(range(701, 701 + len(phases)))
    jobs = {message.chat_id: read_job(message.video) for message in world.with_video()}
    assert len(set(jobs.values())) == len(phases)

    await service.do("kill")
    log = service.log.read_text()
    assert "telegram_ready" in log
    assert telegram_server.token not in log
    assert "vermilion" not in log


GROUP, CHANNEL = -1001234567890, -1002222222222
ANN, OP = 501, 900
POST_PHASES = {
    "the line is on its way": hold("sendMessage"),
    "the clip is on its way": hold("editMessageMedia"),
    "the clip came, and nobody knows": hold("editMessageMedia", stored=True),
}


async def test_a_kill_while_a_clip_is_published_or_taken_down_leaves_one_post_or_none(
    service: Service, telegram_server, town_with, small: str
) -> None:
    world, faults, town = telegram_server.world, telegram_server.faults, town_with()
    group = world.group(GROUP)
    world.group(CHANNEL, "channel")

    async def again() -> None:
        await service.do("kill")
        faults.clear()
        await service.do("start")

    async def tapped(message, fragment: str) -> dict:
        query = town.tap(message, fragment)
        await world.until(lambda: query in world.answers)
        return world.answers[query]

    await service.do("start")
    await town.answer(town.say(f"/admin feed {CHANNEL}", OP, group))
    for number, (phase, planned) in enumerate(POST_PHASES.items()):
        clip = await town.clip(town.say(f"/t2v {PROMPT} {small}", ANN, group))
        link = (await tapped(clip, ":publish"))["url"].partition("?start=")[2]
        offer = await town.answer(town.say(f"/start {link}", ANN))
        fault = faults.add(planned)
        await tapped(offer, "publish=with")
        await world.until(lambda fault=fault: fault.hits, 30)
        if fault.after_storing:
            await world.until(lambda: world.with_video(CHANNEL), 30)

        await again()

        (post,) = await world.until(lambda: world.with_video(CHANNEL), 60)
        await world.until(lambda offer=offer: "takedown" in str(offer.callback_data()), 30)
        taking = faults.add(hold("deleteMessage", stored=bool(number % 2)))
        await tapped(offer, "takedown")
        await world.until(lambda taking=taking: taking.hits, 30)

        await again()

        await world.until(lambda post=post: post.deleted, 60)
        assert not world.with_video(CHANNEL), phase
    lines = [message for message in world.shown(CHANNEL) if message.text]
    assert len(lines) <= 1  # one whose sending nobody knows to have worked
