"""The whole service beside the local Discord, with the real client library between them."""

from collections.abc import AsyncGenerator, Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

import bots.discord.client
from bots.discord.front import FRONT
from core.demo.samples import write_png, write_video, write_wav
from core.domain.modes import MODES, Mode
from core.domain.people import Caller, Requester
from core.settings import Settings
from core.testing.doubles import QuickExecutor, eventually
from tests.support.platforms.discord.server import DiscordServer
from tests.support.platforms.discord.world import Interaction, Stored
from tests.support.platforms.faults import Fault
from tests.support.platforms.service import FrontService, job_of
from tests.support.platforms.stage import ServiceStage
from tests.support.platforms.steps import ANN, BEN, OPERATOR, Ask, Command, Press, Refused
from tests.support.settings import changed

IDS = {ANN: 501, BEN: 502, OPERATOR: 900}
NAMES = {user_id: name for name, user_id in IDS.items()}
TOKEN = "MTAwMDAwMDAwMDAwMDAwMDAw.Gabcde.not-a-real-token_0123456789abcdefgh"


class Guild(FrontService):
    """A running service, the Discord it talks to, and one channel."""

    def __init__(
        self, server: DiscordServer, settings: Settings, executor: QuickExecutor, folder: Path
    ) -> None:
        super().__init__(FRONT, settings, executor)
        self.server = server
        self.folder = folder
        (self.channel,) = server.world.guild()

    @property
    def world(self) -> Any:
        return self.server.world

    async def t2v(
        self, user: int = IDS[ANN], prompt: str = "a red kite", **options: Any
    ) -> Interaction:
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

    async def history(
        self, user: int = IDS[ANN], channel: Any = None, locale: str = "en-US"
    ) -> Stored:
        """The newest page of somebody's own jobs."""
        asked = await self.server.command("history", user, channel or self.channel, locale=locale)
        message = await self.answered(asked)
        return await self.world.until(lambda: None if message.loading else message)

    async def refusal(self) -> str:
        """The newest text that only one person sees."""
        found = await self.world.until(
            lambda: [m for m in self.world.shown() if m.ephemeral and m.content]
        )
        return found[-1].content

    async def newest_job(self) -> Any:
        jobs = await self.core.jobs.in_order()
        return jobs[-1] if jobs else None

    async def job(self, message: Stored) -> Any:
        """The job whose clip a message shows."""
        return await self.core.jobs.get(job_of(message.videos[0]))

    @staticmethod
    def person(user: int) -> Caller:
        return Caller(Requester("discord", str(user)), "discord:dm")

    async def owed(self) -> Any:
        return await self.core.outbox.counts()

    async def quiet(self, within_s: float = 20.0) -> Any:
        """The outbox, once nothing runs, waits or is owed."""
        counts: list[Any] = []

        async def idle() -> bool:
            live = await self.core.jobs.in_order()
            counts[:] = [await self.owed()]
            return not live and not counts[0].pending and not counts[0].sending

        await eventually(idle, within_s)
        return counts[0]

    def cards(self, job_id: str) -> list[Stored]:
        """The messages that show the clip of a job."""
        return [m for m in self.world.with_video() if job_of(m.videos[0]) == job_id]

    def file(self, kind: str, **extra: Any) -> dict[str, Any]:
        writers = {"image": write_png, "audio": write_wav, "video": write_video}
        types = {"image": "image/png", "audio": "audio/wav", "video": "video/mp4"}
        name = f"{kind}.{types[kind].rpartition('/')[2]}"
        path = writers[kind](self.folder / name)
        attachment = {"content_type": types[kind], **extra}
        return self.server.upload(
            name, path.read_bytes(), attachment.pop("content_type"), **attachment
        )


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
    return settings_with(
        discord_token=SecretStr(TOKEN),
        discord_api_url=discord_server.api_url,
        discord_gateway_url=discord_server.gateway_url,
        discord_edit_s=0.05,
        operators=f"discord:{IDS[OPERATOR]}",
        allowed="everyone",
        shutdown_grace_s=0.1,
    )


@pytest.fixture
def guild_with(
    discord_server: DiscordServer,
    discord_settings: Settings,
    executor: QuickExecutor,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Callable[..., Guild]:
    """A guild that is not started yet, with some settings changed."""
    monkeypatch.setattr(bots.discord.client, "QUIET_S", 0.05)  # one guild, on this machine

    def build(executor: QuickExecutor | None = executor, **values: object) -> Guild:
        settings = changed(discord_settings, **values)
        return Guild(discord_server, settings, executor, tmp_path)

    return build


@pytest.fixture
async def guild(guild_with: Callable[..., Guild]) -> AsyncGenerator[Guild]:
    async with guild_with() as guild:
        yield guild


class DiscordStage(ServiceStage):
    """Plays the shared scenarios in one channel."""

    def __init__(self, guild: Guild) -> None:
        super().__init__(guild, "discord", IDS)
        self.guild = guild
        self.asked: dict[str, Interaction] = {}
        self.answers: dict[str, Stored] = {}

    async def ask(self, step: Ask) -> None:
        self.asked[step.as_] = asked = await self._ask(step.who, step.mode)
        await self._answered(step.as_, asked)

    async def refused(self, step: Refused) -> None:
        before = len(self.guild.world.messages)
        await self._ask(step.who, step.mode)
        await self.guild.world.until(
            lambda: any(
                step.text in message.content
                for message in list(self.guild.world.messages.values())[before:]
                if message.ephemeral
            )
        )

    async def command(self, step: Command) -> None:
        command, (user, channel) = self.guild.server.command, (IDS[step.who], self.guild.channel)
        await self._answered(
            step.as_, await command(step.name, user, channel, **dict(step.options))
        )

    async def confirm(self, answer: str, who: str) -> None:
        message = self.answers[answer]
        (button,) = message.custom_ids()
        await self.guild.server.press(message.id, button, IDS[who])

    async def _ask(self, who: str, mode: Mode) -> Interaction:
        files = {slot.role: self.guild.file(slot.kind) for slot in MODES[mode].slots}
        return await self.guild.server.command(
            mode,
            IDS[who],
            self.guild.channel,
            files,
            prompt="a red kite",
            preset="fast",
            seconds=1.0,
            width=256,
            height=256,
            fps=8,
        )

    async def _answered(self, name: str, asked: Interaction) -> None:
        self.answers[name] = message = await self.guild.answered(asked)
        await self.guild.world.until(lambda: message.content)

    async def repeat(self, answer: str) -> None:
        await self.guild.server.repeat(self.asked[answer])

    async def press(self, step: Press) -> None:
        message = self.answers[step.of]
        fragment = f":{step.action}:"
        ready = lambda: any(fragment in name for name in message.custom_ids())  # noqa: E731
        await self.guild.world.until(ready)
        pressed = await self.guild.server.press(message.id, message.button(fragment), IDS[step.who])
        await self.guild.world.until(lambda: pressed.responses)
        if step.as_:
            self.answers[step.as_] = await self.guild.answered(pressed)

    async def lose_answer(self) -> None:
        fault = Fault("PATCH", "/messages/", drop=True, after_storing=True, min_bytes=3000)
        self.guild.server.faults.add(fault)

    async def says(self, answer: str, text: str) -> None:
        message = self.answers[answer]
        await self.guild.world.until(lambda: text in message.content)

    async def told(self, who: str, text: str) -> None:
        await self.guild.world.until(
            lambda: any(text in m.content for m in self.guild.world.shown() if m.ephemeral)
        )

    async def clip(self, answer: str) -> tuple[str, Mode]:
        message = self.answers[answer]
        await self.guild.world.until(lambda: message.videos)
        job = await self.guild.job(message)
        return NAMES[int(job.requester.user_id)], job.request.mode

    async def gone(self, answer: str) -> None:
        await self.guild.world.until(lambda: self.answers[answer].deleted)

    async def clips(self) -> int:
        await self.guild.quiet()
        return len(self.guild.world.with_video())


@pytest.fixture
def stage(guild: Guild) -> DiscordStage:
    return DiscordStage(guild)


@pytest.fixture
def token() -> str:
    """The token of the bot, which is none of Discord's."""
    return TOKEN
