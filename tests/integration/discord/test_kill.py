"""kill -9 of a real ``clapper serve`` in every phase of a job: one message, and buttons alive."""

import os
import signal
import subprocess
from collections.abc import AsyncGenerator, Callable
from io import BytesIO
from pathlib import Path

import av
import pytest

from core.testing.doubles import eventually
from tests.support.platforms.faults import Fault
from tests.support.programs import MAIN

ANN, OP = 501, 900
ROOT = Path(__file__).resolve().parents[3]
UPLOAD = {"method": "PATCH|POST", "path": "/messages", "min_bytes": 3000}


class Service:
    """A process of the real command, which may die."""

    def __init__(self, server, data: Path, token: str) -> None:
        self.server = server
        self.data = data
        self.token = token
        self.process: subprocess.Popen[bytes] | None = None

    async def start(self) -> None:
        known = len(self.server.gateway.identified)
        self._spawn()
        await self.server.world.until(lambda: len(self.server.gateway.identified) > known, 60)

    def _spawn(self) -> None:
        with (self.data.parent / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [*MAIN, "serve"],
                cwd=ROOT,
                env=self._environment(),
                stdout=log,
                stderr=log,
            )

    def _environment(self) -> dict[str, str]:
        ours = {
            "DATA_DIR": str(self.data),
            "EXECUTOR": "draft",
            "STUDIO": "false",
            "DISCORD_TOKEN": self.token,
            "ALLOWED": "everyone",
            "OPERATORS": f"discord:{OP}",
            "DISCORD_API_URL": self.server.api_url,
            "DISCORD_GATEWAY_URL": self.server.gateway_url,
            "DISCORD_EDIT_S": "0.05",
            "PROGRESS_EVERY_S": "0.05",
            "MIN_FREE_MEGABYTES": "0",
            "QUOTA_MINUTES": "1000",
        }
        inherited = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        return inherited | {f"CLAPPER_{name}": value for name, value in ours.items()}

    def child(self) -> int:
        """Return the process of the service itself, which its parent started."""
        assert self.process
        folder = Path(f"/proc/{self.process.pid}/task/{self.process.pid}")
        return int((folder / "children").read_text())

    def kill(self) -> None:
        assert self.process
        self.process.kill()
        assert self.process.wait(10) == -signal.SIGKILL

    async def terminate(self) -> int:
        assert self.process
        self.process.terminate()

        async def over() -> bool:
            return self.process is not None and self.process.poll() is not None

        await eventually(over, 30)
        return self.process.returncode


@pytest.fixture
async def service(discord_server, discord_settings, tmp_path) -> AsyncGenerator[Service]:
    token = discord_settings.discord.token.get_secret_value()
    service = Service(discord_server, tmp_path / "data", token)
    try:
        await service.start()
        yield service
    finally:
        if service.process and service.process.poll() is None:
            service.process.kill()
            service.process.wait(10)


async def test_a_kill_in_each_phase_leaves_one_message_and_living_buttons(
    service: Service, discord_server, read_job: Callable[[bytes], str], tmp_path: Path
) -> None:
    world = discord_server.world
    (channel,) = world.guild()

    async def ask(seed: int, seconds: float = 1.0):
        options = {"preset": "fast", "width": 256, "height": 256, "fps": 8, "seconds": seconds}
        prompt = "a hushed crimson kite"
        command = discord_server.command
        asked = await command("t2v", ANN, channel, prompt=prompt, seed=str(seed), **options)
        await world.until(lambda: asked.original)
        return world.messages[asked.original]

    async def again(*messages) -> None:
        service.kill()
        discord_server.faults.clear()
        await service.start()
        for message in messages:
            await world.until(lambda message=message: message.videos, 30)

    async def a_file_is_being_written() -> bool:
        return any((tmp_path / "data" / "clips").glob("*.part*"))

    running, queued = await ask(1, 12.0), await ask(2)
    await world.until(lambda: "in line" in queued.content and "▱" in running.content)
    await again(running, queued)

    encoded = await ask(3, 8.0)
    await eventually(a_file_is_being_written, 30)
    await again(encoded)

    discord_server.faults.add(Fault(**UPLOAD, after_bytes=1500, delay_s=30))
    uploaded = await ask(4)
    await world.until(lambda: discord_server.faults.active[0].hits, 30)
    await again(uploaded)

    discord_server.faults.add(Fault(**UPLOAD, after_storing=True, delay_s=30))
    stored = await ask(5)
    await world.until(lambda: stored.videos, 30)
    await again(stored)

    for seed, message in enumerate((running, queued, encoded, uploaded, stored), 1):
        assert f"seed {seed}" in message.content
        assert len(message.videos) == 1
    press = await discord_server.press(running.id, running.button(":again:"), ANN)
    await world.until(lambda: press.original and world.messages[press.original].videos, 30)

    shown = [read_job(message.videos[0]) for message in world.with_video()]
    assert len(shown) == len(set(shown)) == 6
    assert world.syncs == 1
    assert await service.terminate() == 0
    written = (tmp_path / "log").read_text()
    assert "crimson kite" not in written
    assert service.token not in written
    assert not any(token in written for token in world.interactions)


async def test_a_service_that_died_is_started_again_by_its_parent_and_buttons_live(
    service: Service, discord_server, tmp_path: Path
) -> None:
    world = discord_server.world
    (channel,) = world.guild()
    options = {"preset": "fast", "width": 256, "height": 256, "fps": 8, "seconds": 1.0}
    asked = await discord_server.command("t2v", ANN, channel, prompt="a kite", seed="1", **options)
    await world.until(lambda: asked.original and world.messages[asked.original].videos, 60)
    known = len(discord_server.gateway.identified)

    os.kill(service.child(), signal.SIGKILL)
    await world.until(lambda: len(discord_server.gateway.identified) > known, 60)
    shown = world.messages[asked.original]
    press = await discord_server.press(shown.id, shown.button(":again:"), ANN)
    await world.until(lambda: press.original and world.messages[press.original].videos, 60)

    assert await service.terminate() == 0
    assert "SIGKILL" in (tmp_path / "log").read_text()


async def test_a_kill_while_a_clip_is_published_or_taken_down_leaves_one_post_or_none(
    service: Service, discord_server
) -> None:
    world = discord_server.world
    (channel,) = world.guild()
    options = {"preset": "fast", "width": 256, "height": 256, "fps": 8, "seconds": 1.0}

    async def again() -> None:
        service.kill()
        discord_server.faults.clear()
        await service.start()

    await again()  # it knows the guild from its start
    chosen = await discord_server.command("admin feed", OP, channel, channels={"channel": channel})
    await world.until(lambda: chosen.original and world.messages[chosen.original].content)
    path = f"/channels/{channel.id}/messages"
    for after_storing in (False, True):  # cut off in the middle, and before the answer
        asked = await discord_server.command("t2v", ANN, channel, prompt="a kite", **options)
        await world.until(lambda asked=asked: asked.original)
        clip = await world.until(
            lambda asked=asked: (m := world.messages[asked.original]).videos and m, 60
        )
        shown = await discord_server.press(clip.id, clip.button(":publish:"), ANN)
        await world.until(lambda shown=shown: shown.original)
        offer = world.messages[shown.original]
        cut = {"after_storing": True} if after_storing else {"after_bytes": 1500}
        discord_server.faults.add(Fault("POST", f"{path}$", min_bytes=3000, delay_s=30, **cut))
        before = len(world.with_video())
        await discord_server.press(offer.id, offer.button("feed:publish:"), ANN)
        await world.until(lambda: discord_server.faults.active[0].hits, 30)
        if after_storing:
            await world.until(lambda before=before: len(world.with_video()) > before, 30)

        await again()

        (post,) = await world.until(lambda: [m for m in world.with_video() if _is_post(m)], 60)
        discord_server.faults.add(Fault("DELETE", path, delay_s=30, after_storing=after_storing))
        await discord_server.press(offer.id, offer.button("feed:remove:"), ANN)
        await world.until(lambda: discord_server.faults.active[0].hits, 30)

        await again()

        await world.until(lambda post=post: post.deleted, 60)
        assert not any(_is_post(m) for m in world.with_video())
    assert await service.terminate() == 0


def _is_post(message) -> bool:
    return any("feed:report:" in one for one in message.custom_ids())


DRAFT_PHASES = ("the second is being made", "the message is being sent")


@pytest.mark.parametrize("phase", DRAFT_PHASES)
async def test_a_kill_among_four_drafts_leaves_one_message_with_each_once(
    service: Service, discord_server, read_job: Callable[[bytes], str], phase: str
) -> None:
    world = discord_server.world
    (channel,) = world.guild()
    size = {"width": 256, "height": 256, "fps": 8, "seconds": 4.0}
    if phase == "the message is being sent":
        discord_server.faults.add(Fault(**UPLOAD, drop=True, after_storing=True))
    asked = await discord_server.command(
        "t2v", ANN, channel, prompt="a kite", drafts="4", seed="5", **size
    )
    await world.until(lambda: asked.original)
    message = world.messages[asked.original]
    if phase == "the message is being sent":
        await world.until(world.with_video, 60)
    else:
        await world.until(lambda: "Draft 2 of 4 · Text" in message.content, 60)

    service.kill()
    discord_server.faults.clear()
    await service.start()
    await world.until(lambda: any(":quality:" in name for name in message.custom_ids()), 60)

    (shown,) = world.with_video()
    jobs = [read_job(video) for video in shown.videos]
    assert len(set(jobs)) == 4
    assert [f"{n}. seed {4 + n}" in shown.content for n in range(1, 5)] == [True] * 4
    finish = [name for name in shown.custom_ids() if ":quality:" in name]
    assert [name.rpartition(":")[2] for name in finish] == jobs
    pressed = await discord_server.press(shown.id, finish[2], ANN)
    await world.until(lambda: pressed.original)
    await world.until(lambda: world.messages[pressed.original].videos, 60)
    assert await service.terminate() == 0


async def test_a_kill_while_a_film_goes_on_leaves_one_joined_film(
    service: Service, discord_server, read_job: Callable[[bytes], str]
) -> None:
    world = discord_server.world
    (channel,) = world.guild()
    options = {"preset": "fast", "width": 256, "height": 256, "fps": 8, "seconds": 4.0}
    asked = await discord_server.command("t2v", ANN, channel, prompt="a kite", **options)
    await world.until(lambda: asked.original)
    first = world.messages[asked.original]
    await world.until(lambda: first.videos, 60)
    pressed = await discord_server.press(first.id, first.button(":longer:"), ANN)
    await world.until(lambda: pressed.original)
    film = world.messages[pressed.original]
    await world.until(lambda: "▰" in film.content, 60)

    service.kill()
    await service.start()
    await world.until(lambda: film.videos, 60)

    assert len(world.with_video()) == 2
    assert read_job(film.videos[0]) != read_job(first.videos[0])
    lengths = [_frames(message.videos[0]) for message in (first, film)]
    assert lengths[1] > lengths[0]
    assert await service.terminate() == 0


def _frames(video: bytes) -> int:
    with av.open(BytesIO(video)) as container:
        return sum(1 for _ in container.decode(video=0))
