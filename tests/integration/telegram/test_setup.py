"""``clapper setup`` beside the Bot API: a token is tried at once, a code finds the operator."""

import asyncio
import re
import stat
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bots.telegram.front import FRONT
from core.domain.people import Requester
from tests.integration.telegram.conftest import TOKEN
from tests.support.platforms.faults import Fault
from tests.support.platforms.telegram.server import TelegramServer

CODE = "314159"


@pytest.fixture
def home(tmp_path: Path, telegram_server: TelegramServer, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine where nothing is set but where Telegram is."""
    monkeypatch.setenv("CLAPPER_TELEGRAM_API_URL", telegram_server.url)
    monkeypatch.setenv("CLAPPER_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("CLAPPER_MIN_FREE_MEGABYTES", "0")
    monkeypatch.setenv("COLUMNS", "250")
    return tmp_path


async def setup(*options: object, typed: str = "") -> tuple[int, str]:
    """Run the command in a thread of its own, since Telegram answers in this one."""
    from core.cli.app import APP

    words = ["setup", *map(str, options)]
    done = await asyncio.to_thread(CliRunner().invoke, APP, words, input=typed)
    return done.exit_code, done.output


async def test_whoever_sends_the_code_in_private_is_the_operator(
    telegram_settings, telegram_server
) -> None:
    world, asked = telegram_server.world, asyncio.Event()
    found = asyncio.create_task(FRONT.find_operator(telegram_settings, CODE, lambda _: asked.set()))
    await asked.wait()
    world.said(7, world.group(), text=CODE)  # read by everybody there
    world.said(8, world.private(8), text="a boat at dawn")
    world.said(9, world.private(9), text=f"{CODE}0")
    world.said(501, world.private(501), text=f"/start {CODE}")

    assert await found == Requester("telegram", "501")
    assert len(world.updates) == 4, "what people wrote waits for the service"


async def test_a_token_is_tried_before_anything_is_written(home: Path) -> None:
    (home / "token").write_text("1:another-" + "x" * 35)
    file = home / "clapper.env"

    status, said = await setup("--yes", "--telegram-token-file", home / "token", "--file", file)

    assert status == 5
    assert "another" not in said
    assert not file.exists()


async def test_without_questions_a_file_for_its_owner_is_written_and_works(home: Path) -> None:
    (home / "token").write_text(f"{TOKEN}\n")
    file = home / "my settings" / "clapper.env"

    status, said = await setup(
        "--yes", "--telegram-token-file", home / "token", "--operator", "telegram:7",
        "--profile", "low", "--allowed", "everyone", "--file", file,
    )  # fmt: skip

    text = file.read_text()
    assert status == 0, said
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert f"CLAPPER_TELEGRAM_TOKEN={TOKEN}" in text
    assert "CLAPPER_OPERATORS=telegram:7" in text
    assert "CLAPPER_MODEL_PROFILE=low" in text
    assert "CLAPPER_ALLOWED=everyone" in text
    assert TOKEN not in said
    assert "http://127.0.0.1:7860" in said
    assert f"--env-file '{file}' serve" in said


async def test_a_file_that_is_there_stays_and_with_force_is_kept_beside(home: Path) -> None:
    file = home / "clapper.env"
    file.write_text("CLAPPER_QUOTA_MINUTES=7\n")

    refused, said = await setup("--yes", "--file", file)
    kept = file.read_text()
    done, _ = await setup("--yes", "--force", "--file", file)

    assert (refused, done) == (5, 0)
    assert "--force" in said
    assert kept == "CLAPPER_QUOTA_MINUTES=7\n"
    assert file.with_name("clapper.env.before-setup").read_text() == kept


async def test_asked_one_by_one_a_wrong_token_is_asked_again(
    home: Path, telegram_server: TelegramServer
) -> None:
    file = home / "clapper.env"
    answers = ["", "1:another-" + "x" * 35, TOKEN, "501", "fp8", "own", "", "n"]
    world = telegram_server.world

    async def answer() -> None:
        await world.until(lambda: any(method == "getUpdates" for method, _ in world.calls))
        world.said(1, world.private(1), text="not the code")
        world.said(501, world.private(501), text=str(await code()))

    async def code() -> str:
        return await codes.get()

    codes: asyncio.Queue[str] = asyncio.Queue()
    loop = asyncio.get_running_loop()
    with pytest.MonkeyPatch.context() as patch:
        said = "bots.telegram.introduction.say"
        from core.i18n.messages import say as words

        def spied(key: str, data: dict[str, object]) -> str:
            loop.call_soon_threadsafe(codes.put_nowait, str(data["code"]))
            return words(key, data)

        patch.setattr(said, spied)
        answering = asyncio.create_task(answer())
        status, output = await setup("--file", file, typed="\n".join(answers) + "\n")
        await answering

    assert status == 0, output
    assert "✗" in output
    assert "CLAPPER_OPERATORS=telegram:501" in file.read_text()
    assert re.search(r"https://t\.me/\w+\?start=\d{6}", output)


@pytest.mark.parametrize("trouble", ["conflict", "away"])
async def test_where_nobody_can_be_heard_the_number_is_asked_for(
    telegram_settings, telegram_server, trouble: str
) -> None:
    if trouble == "away":
        await telegram_server.stop()
    else:
        telegram_server.faults.add(Fault("getUpdates", status=409))

    assert await FRONT.find_operator(telegram_settings, CODE, lambda _: None) is None


async def test_what_cannot_be_is_asked_again_and_what_was_pasted_is_taken_as_meant(
    home: Path, telegram_server: TelegramServer
) -> None:
    telegram_server.faults.add(Fault("getUpdates", status=409))
    file, answers = home / "clapper.env", ["", f'"{TOKEN}"', "@me", "<@!501>", "fp8"]

    status, said = await setup(
        "--file", file, typed="\n".join([*answers, "everybody", "everyone", "", "n", ""])
    )

    text = file.read_text()
    assert status == 0, said
    assert f"CLAPPER_TELEGRAM_TOKEN={TOKEN}\n" in text
    assert "CLAPPER_OPERATORS=telegram:501\n" in text
    assert "CLAPPER_ALLOWED=everyone\n" in text
    for refused in ("telegram:@me", "everybody"):
        assert refused in said


async def test_what_is_set_elsewhere_and_cannot_be_is_told_before_anything_is_asked(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLAPPER_QUOTA_MINUTES", "lots")

    status, said = await setup("--file", home / "clapper.env", typed=f"\n{TOKEN}\n")

    assert status == 5
    assert "CLAPPER_QUOTA_MINUTES" in said
    assert "BotFather" not in said
