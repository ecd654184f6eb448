"""The whole service beside the local Bot API, with the real client library between them."""

from collections.abc import AsyncGenerator, Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from bots.telegram.front import FRONT
from core.demo.samples import write_png, write_video, write_wav
from core.domain.modes import MODES, Mode
from core.domain.people import Requester
from core.settings import Settings
from core.testing.doubles import QuickExecutor, eventually
from tests.support.platforms.faults import Fault
from tests.support.platforms.service import FrontService, job_of
from tests.support.platforms.stage import ServiceStage
from tests.support.platforms.steps import ANN, BEN, OPERATOR, Ask, Command, Press, Refused
from tests.support.platforms.telegram.server import TelegramServer
from tests.support.platforms.telegram.world import Chat, Stored
from tests.support.settings import changed

IDS = {ANN: 501, BEN: 502, OPERATOR: 900}
NAMES = {user_id: name for name, user_id in IDS.items()}
TOKEN = "4242424242:AAH-this_is_not_a_real_token-x5y6z7q"
WAITING = "One moment…"
SMALL = "--preset fast --size 256x256 --seconds 1 --fps 8"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The library warns of its own durations, also where it makes them itself."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.filterwarnings("ignore:Deprecated since version v22.2"))


@pytest.fixture(autouse=True)
def plain(no_authorities: None) -> None:
    """All clients of these tests speak plain HTTP."""


class Town(FrontService):
    """A running service, the Telegram it talks to, and what people do there."""

    def __init__(
        self, server: TelegramServer, settings: Settings, executor: QuickExecutor, folder: Path
    ) -> None:
        super().__init__(FRONT, settings, executor)
        self.server = server
        self.folder = folder
        self.said: dict[int, dict[str, Any]] = {}  # update id → message

    @property
    def world(self) -> Any:
        return self.server.world

    async def __aexit__(self, *details: object) -> None:
        self.executor.gate.set()
        await super().__aexit__(*details)

    # what people do

    def say(self, text: str = "", user: int = IDS[ANN], chat: Chat | None = None, **more: Any):
        content = {"text": text, **more} if text else more
        return self.world.said(user, chat or self.world.private(user), **content)

    def media(self, kind: str, **more: Any) -> dict[str, Any]:
        """The fields of a message that carries a picture, sound or video."""
        writers = {"image": write_png, "audio": write_wav, "video": write_video}
        suffix = {"image": "png", "audio": "wav", "video": "mp4"}[kind]
        content = writers[kind](self.folder / f"sent.{suffix}").read_bytes()
        match kind:
            case "image":
                return self.server.photo(content) | more
            case "audio":
                return self.server.file("voice", content, "audio/ogg") | more
            case _:
                return self.server.file("video", content, "video/mp4") | more

    def push_again(self, message: dict[str, Any]) -> None:
        """The update with this message, once more under the same id."""
        number = self.world.number_of(message)
        self.world.updates.append({"update_id": number, "message": message})
        self.world.notify()

    def tap(self, message: Stored, fragment: str, user: int = IDS[ANN]) -> str:
        chat = self.world.chats[message.chat_id]
        return self.server.press(user, chat, message.id, message.button(fragment))

    # what is to be seen

    async def answer(self, to: dict[str, Any]) -> Stored:
        """The bot's newest message that answers one of a person."""

        def found() -> Stored | None:
            replies = [
                message
                for message in self.world.shown(to["chat"]["id"])
                if (message.payload.get("reply_parameters") or {}).get("message_id")
                == to["message_id"]
                and message.text != WAITING
            ]
            return replies[-1] if replies else None

        return await self.world.until(found)

    @staticmethod
    def led_by(message: Stored) -> str:
        """What a button of a message opens the private chat with; empty without one."""
        markup: dict[str, Any] = message.payload.get("reply_markup") or {}
        urls = [item.get("url", "") for row in markup.get("inline_keyboard", []) for item in row]
        return next((url.partition("?start=")[2] for url in urls if "?start=" in url), "")

    async def says(self, text: str, chat: int | None = None) -> Stored:
        """The first message that shows ``text``."""
        return await self.world.until(
            lambda: next((m for m in self.world.shown(chat) if text in m.text), None)
        )

    async def clip(self, to: dict[str, Any]) -> Stored:
        """The answer to a message once it is a video."""
        message = await self.answer(to)
        return await self.world.until(lambda: message if message.video else None)

    async def job(self, message: Stored) -> Any:
        """The job whose clip a message shows."""
        assert message.video
        return await self.core.jobs.get(job_of(message.video))

    async def made(self, text: str = "", user: int = IDS[ANN], **more: Any) -> Any:
        """The job that a message of somebody ends in, once its clip is shown."""
        return await self.job(await self.clip(self.say(text, user, **more)))

    async def quiet(self) -> None:
        """Return once nothing runs, waits or is owed."""

        async def idle() -> bool:
            live = await self.core.jobs.in_order()
            owed = await self.core.outbox.counts()  # after that: what ends meanwhile is owed
            return not live and not owed.pending and not owed.sending

        await eventually(idle, 20)

    async def used(self, user: int = IDS[ANN]) -> int:
        view = await self.core.quotas.quota(Requester("telegram", str(user)))
        return view.used_ms + view.reserved_ms


class TelegramStage(ServiceStage):
    """Plays the shared scenarios in a group."""

    def __init__(self, town: Town) -> None:
        super().__init__(town, "telegram", IDS)
        self.town = town
        self.asked: dict[str, dict[str, Any]] = {}
        self.answers: dict[str, Stored] = {}
        self.group = town.world.group()

    async def ask(self, step: Ask) -> None:
        self.asked[step.as_] = said = self._say(step.who, step.mode)
        self.answers[step.as_] = await self.town.answer(said)

    async def refused(self, step: Refused) -> None:
        answer = await self.town.answer(self._say(step.who, step.mode))
        assert step.text in answer.text

    async def command(self, step: Command) -> None:
        words = " ".join([step.name, *(value for _, value in step.options)])
        said = self.town.say(f"/{words}", IDS[step.who], self.group)
        answer = await self.town.answer(said)
        if link := self.town.led_by(answer):
            answer = await self.town.answer(self.town.say(f"/start {link}", IDS[step.who]))
        self.answers[step.as_] = answer

    async def confirm(self, answer: str, who: str) -> None:
        (fragment,) = self.answers[answer].callback_data()
        self.town.tap(self.answers[answer], fragment, IDS[who])

    def _say(self, who: str, mode: Mode) -> dict[str, Any]:
        """Let a person ask: by a command, in a caption, or in a caption that replies to a file."""
        media = [self.town.media(slot.kind) for slot in MODES[mode].slots]
        words, more = f"/{mode} a red kite {SMALL}", {}
        if len(media) > 1:
            sender = {"id": IDS[who], "is_bot": False, "first_name": "x"}
            about = {"message_id": 7, "date": 1, "chat": self.group.payload(), "from": sender}
            more["reply_to_message"] = about | media[0]
        more |= {"caption": words, **media[-1]} if media else {"text": words}
        return self.town.say(user=IDS[who], chat=self.group, **more)

    async def repeat(self, answer: str) -> None:
        self.town.push_again(self.asked[answer])

    async def press(self, step: Press) -> None:
        message = self.answers[step.of]
        fragment = f"v1:{step.action}:"
        ready = lambda: any(fragment in data for data in message.callback_data())  # noqa: E731
        await self.town.world.until(ready)
        known = set(self.town.world.messages)
        query = self.town.tap(message, fragment, IDS[step.who])
        await self.town.world.until(lambda: query in self.town.world.answers)
        if step.as_:
            self.answers[step.as_] = await self.town.world.until(
                lambda: next((m for m in self.town.world.shown() if m.key not in known), None)
            )

    async def lose_answer(self) -> None:
        self.town.server.faults.add(Fault("editMessageMedia", drop=True, after_storing=True))

    async def says(self, answer: str, text: str) -> None:
        message = self.answers[answer]
        await self.town.world.until(lambda: text in message.text)

    async def told(self, who: str, text: str) -> None:
        def found() -> bool:
            alerts = [str(answer.get("text", "")) for answer in self.town.world.answers.values()]
            texts = [message.text for message in self.town.world.shown()]
            return any(text in one for one in (*alerts, *texts))

        await self.town.world.until(found)

    async def clip(self, answer: str) -> tuple[str, Mode]:
        message = self.answers[answer]
        await self.town.world.until(lambda: message.video)
        job = await self.town.job(message)
        return NAMES[int(job.requester.user_id)], job.request.mode

    async def gone(self, answer: str) -> None:
        await self.town.world.until(lambda: self.answers[answer].deleted)

    async def clips(self) -> int:
        await self.town.quiet()
        return len(self.town.world.with_video())


@pytest.fixture
def read_job() -> Callable[[bytes], str]:
    return job_of


@pytest.fixture
async def telegram_server() -> AsyncGenerator[TelegramServer]:
    async with TelegramServer(TOKEN) as server:
        yield server


@pytest.fixture
def telegram_settings(
    settings_with: Callable[..., Settings], telegram_server: TelegramServer
) -> Settings:
    return settings_with(
        telegram_token=SecretStr(TOKEN),
        telegram_api_url=telegram_server.url,
        telegram_private_edit_s=0.05,
        telegram_group_edit_s=0.05,
        telegram_album_s=0.15,
        operators=f"telegram:{IDS[OPERATOR]}",
        allowed="everyone",
        default_seconds=1.0,
        default_fps=8,
        shutdown_grace_s=0.1,
    )


@pytest.fixture
def town_with(
    telegram_server: TelegramServer,
    telegram_settings: Settings,
    executor: QuickExecutor,
    tmp_path: Path,
) -> Callable[..., Town]:
    """A town that is not started yet, with some settings changed."""

    def build(executor: QuickExecutor | None = executor, **values: object) -> Town:
        settings = changed(telegram_settings, **values)
        return Town(telegram_server, settings, executor, tmp_path)

    return build


@pytest.fixture
async def town(town_with: Callable[..., Town]) -> AsyncGenerator[Town]:
    async with town_with() as town:
        yield town


@pytest.fixture
def stage(town: Town) -> TelegramStage:
    return TelegramStage(town)


@pytest.fixture
def small() -> str:
    """The smallest clip, as options."""
    return SMALL
