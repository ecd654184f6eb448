import json
import logging
import os
import stat
import sys
import threading
import warnings
from collections.abc import Callable, Generator
from pathlib import Path

import pytest
import structlog
from pydantic import SecretStr

from core.app.logs import Redaction, log_as, secrets_of, set_up_logging
from core.errors.setup import BadConfiguration
from core.settings import Settings
from core.storage.claim import claim

TELEGRAM = "123456789:AAF-abcdefghijklmnopqrstuvwxyz0123456"
DISCORD = "MTIzNDU2Nzg5MDEyMzQ1Njc4.GAbcde.abcdefghijklmnopqrstuvwxyz0123456789AB"


@pytest.fixture(autouse=True)
def logging_as_before() -> Generator[None]:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


@pytest.mark.parametrize("as_json", [False, True])
def test_no_token_appears_in_message_arguments_or_traceback(
    capsys: pytest.CaptureFixture[str], *, as_json: bool
) -> None:
    set_up_logging("debug", as_json=as_json, secrets=["a-webhook-secret"])
    log = structlog.get_logger("test")

    logging.getLogger("library").warning("GET https://host/bot%s/getMe", TELEGRAM)
    log.info("connected", token=DISCORD, webhook="a-webhook-secret")
    try:
        int(f"bad token {TELEGRAM}")
    except ValueError:
        log.exception("broke", job_id="ab12")

    text = capsys.readouterr().err
    assert "ValueError" in text
    assert "ab12" in text
    for secret in (TELEGRAM, DISCORD, "a-webhook-secret"):
        assert secret not in text


def test_a_traceback_shows_no_local_variables(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logging("info")

    idea = " ".join(("a", "private", "idea"))

    def work(prompt: str) -> None:
        assert prompt
        raise RuntimeError("defect")

    try:
        work(idea)
    except RuntimeError:
        structlog.get_logger("test").exception("broke")

    text = capsys.readouterr().err
    assert "defect" in text
    assert idea not in text


def test_http_clients_do_not_log_their_addresses(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logging("debug")

    logging.getLogger("httpx").info("HTTP Request: POST https://host/secret-path")

    assert capsys.readouterr().err == ""


def test_lines_are_objects_where_the_settings_say_so(
    capsys: pytest.CaptureFixture[str], settings_with: Callable[..., Settings]
) -> None:
    log_as(settings_with(log_format="json", log_level="warning"))
    structlog.get_logger("test").warning("disk_low", free=7)
    structlog.get_logger("test").info("quiet")

    (line,) = capsys.readouterr().err.splitlines()
    assert json.loads(line).items() >= {"event": "disk_low", "free": 7, "level": "warning"}.items()


@pytest.mark.parametrize("umask", [0o000, 0o077])
def test_a_log_file_is_private_and_begins_anew_at_its_size(
    tmp_path: Path, settings_with: Callable[..., Settings], umask: int
) -> None:
    path = tmp_path / "logs" / "clapper.log"
    log_as(
        settings_with(
            log_file=path,
            log_file_megabytes=0.01,
            log_files=2,
            telegram_token=SecretStr("swordfish-1"),
        )
    )
    before = os.umask(umask)
    try:
        for number in range(200):
            structlog.get_logger("test").warning("line", number=number, text="swordfish-1" * 20)
    finally:
        os.umask(before)

    files = sorted(path.parent.iterdir())
    assert [file.name for file in files] == ["clapper.log", "clapper.log.1", "clapper.log.2"]
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    assert all(file.stat().st_size <= 11_000 for file in files)
    text = "".join(file.read_text() for file in files)
    assert "number=199" in text
    assert "swordfish" not in text
    assert "\x1b" not in text


def test_the_log_may_be_the_first_file_of_the_data_directory(
    settings_with: Callable[..., Settings], tmp_path: Path
) -> None:
    place = tmp_path / "new"
    log_as(settings_with(data_dir=place, log_file=place / "clapper.log"))
    logging.getLogger("x").error("something")

    claim(place)  # it is ours, as at every start
    assert "something" in (place / "clapper.log").read_text()


@pytest.mark.parametrize("broken", ["below a file", "folder"])
def test_a_log_file_that_cannot_be_written_is_told(
    tmp_path: Path, settings_with: Callable[..., Settings], broken: str
) -> None:
    (tmp_path / "file").write_text("")
    path = tmp_path / "file" / "log" if broken == "below a file" else tmp_path

    with pytest.raises(BadConfiguration, match="CLAPPER_LOG_FILE"):
        log_as(settings_with(log_file=path))


def test_secrets_are_hidden_in_what_libraries_write_past_the_log(
    capsys: pytest.CaptureFixture[str], settings_with: Callable[..., Settings]
) -> None:
    of_a_library = logging.getLogger("some.library")
    of_a_library.addHandler(logging.StreamHandler(sys.stderr))
    of_a_library.propagate = False
    log_as(settings_with(telegram_webhook_secret=SecretStr("swordfish-of-the-hook")))

    def broken() -> None:
        raise ValueError("swordfish-of-the-hook")

    of_a_library.warning("asked with swordfish-of-the-hook")
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(capture=True)
        warnings.warn("swordfish-of-the-hook is old", DeprecationWarning, stacklevel=1)
    thread = threading.Thread(target=broken, name="worker")
    thread.start()
    thread.join()

    told = capsys.readouterr().err
    assert "asked with [hidden]" in told
    assert "[hidden] is old" in told
    assert "ValueError" in told
    assert "swordfish" not in told


def test_short_values_are_no_secrets() -> None:
    assert Redaction(["on"])("gone on") == "gone on"


def test_secret_settings_are_found() -> None:
    class WithToken(Settings):
        bot_token: SecretStr = SecretStr("tok-123456789")

    assert "tok-123456789" in secrets_of(WithToken())


@pytest.mark.parametrize("library", ["discord.client", "httpx", "urllib3.connectionpool"])
def test_warnings_of_libraries_are_no_louder_than_what_was_asked_for(
    capsys: pytest.CaptureFixture[str], library: str
) -> None:
    set_up_logging("error")
    logging.getLogger(library).warning("voice will NOT be supported")
    set_up_logging("info")
    logging.getLogger(library).warning("twice as loud")

    said = capsys.readouterr().err
    assert "voice" not in said
    assert "twice as loud" in said
    assert "clapper_passes" not in said
