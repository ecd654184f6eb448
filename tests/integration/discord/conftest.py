"""The whole service beside the local Discord, with the real client library between them."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

import pytest

from bots.discord.front import FRONT
from bots.testing.discord.server import DiscordServer
from bots.testing.discord.world import Channel, Interaction, Stored
from core.bootstrap import Core, open_core
from core.jobs import JobState
from core.media.provenance import read_provenance
from core.settings import Settings
from core.testing import QuickExecutor, running, write_png, write_video, write_wav

ANN, BEN, OP = 501, 502, 900


@dataclass
class Guild:
    """A running service, the Discord it talks to, and one channel."""

    server: DiscordServer
    core: Core
    executor: QuickExecutor
    channel: Channel
    folder: Path

    @property
    def world(self) -> Any:
        return self.server.world

    async def t2v(self, user: int = ANN, prompt: str = "a red kite", **options: Any) -> Interaction:
        options = {"preset": "fast", "seconds": 1.0, "width": 256, "height": 256} | options
        options = {name: value for name, value in options.items() if value is not None}
        return await self.server.command("t2v", user, self.channel, prompt=prompt, **options)

    async def answered(self, interaction: Interaction) -> Stored:
        """The message that first answered an interaction."""
        await self.world.until(lambda: interaction.original)
        return self.world.messages[interaction.original]

    async def clip(self, interaction: Interaction) -> Stored:
        """The same message, once it shows a video."""
        message = await self.answered(interaction)
        return await self.world.until(lambda: message if message.videos else None)

    async def refusal(self) -> str:
        """The newest text that only one person sees."""
        found = await self.world.until(
            lambda: [m for m in self.world.shown() if m.ephemeral and m.content]
        )
        return found[-1].content

    async def newest_job(self) -> Any:
        jobs = await self.core.service.all_live()
        return jobs[-1] if jobs else None

    async def job_in(self, state: JobState) -> Any:
        """The first live job that reaches ``state``."""
        while True:
            for job in await self.core.service.all_live():
                if job.state is state:
                    return job
            await asyncio.sleep(0.02)

    def file(self, kind: str, **extra: Any) -> dict[str, Any]:
        writers = {"image": write_png, "audio": write_wav, "video": write_video}
        types = {"image": "image/png", "audio": "audio/wav", "video": "video/mp4"}
        name = f"{kind}.{types[kind].rpartition('/')[2]}"
        path = writers[kind](self.folder / name)
        attachment = {"content_type": types[kind], **extra}
        return self.server.upload(
            name, path.read_bytes(), attachment.pop("content_type"), **attachment
        )


def job_of(video: bytes) -> str:
    """The job whose clip it is, as the clip itself says."""
    with NamedTemporaryFile(suffix=".mp4") as file:
        Path(file.name).write_bytes(video)
        provenance = read_provenance(Path(file.name))
    assert provenance is not None
    return provenance.job_id


@pytest.fixture
def read_job() -> Callable[[bytes], str]:
    return job_of


@pytest.fixture
async def discord_server() -> AsyncGenerator[DiscordServer]:
    async with DiscordServer() as server:
        yield server


@pytest.fixture
def discord_settings(
    settings_with: Callable[..., Settings], discord_server: DiscordServer
) -> Settings:
    from pydantic import SecretStr

    return settings_with(
        discord_token=SecretStr("secret-token"),
        discord_api_url=discord_server.api_url,
        discord_gateway_url=discord_server.gateway_url,
        discord_edit_s=0.05,
        operators=f"discord:{OP}",
    )


@pytest.fixture
async def guild(
    discord_server: DiscordServer,
    discord_settings: Settings,
    executor: QuickExecutor,
    tmp_path: Path,
) -> AsyncGenerator[Guild]:
    (channel,) = discord_server.world.guild()
    async with open_core(discord_settings, executor) as core, running(core):
        ready = asyncio.Event()
        front = asyncio.create_task(FRONT.run(core, ready.set))
        waiting = asyncio.create_task(ready.wait())
        await asyncio.wait({front, waiting}, return_when=asyncio.FIRST_COMPLETED)
        if front.done():
            waiting.cancel()
            await front
        yield Guild(discord_server, core, executor, channel, tmp_path)
        executor.gate.set()
        front.cancel()
        await asyncio.gather(front, return_exceptions=True)
