import json
import logging
import os
import stat
import sys
import threading
import warnings
from collections.abc import Callable, Generator
from pathlib import Path
from urllib.parse import quote

import pytest
import structlog
from pydantic import SecretStr

from core.app.logs import log_as, secrets_of, set_up_logging
from core.app.redaction import Redaction
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


STRANGE = 'pä"ss\\wörd-xyz'  # what JSON, Python and addresses write in other ways
ADDRESS = "postgresql://clapper:s3cr%40t-of-rows@db.example/x"


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_secret_is_hidden_however_it_is_written(
    settings_with: Callable[..., Settings], tmp_path: Path, form: str
) -> None:
    path = tmp_path / "log"
    settings = settings_with(
        log_file=path,
        log_format=form,
        telegram_webhook_secret=SecretStr(STRANGE),
        database_url=SecretStr(ADDRESS),
    )
    log_as(settings)
    log = logging.getLogger("some.library")
    log.warning("plain %s", STRANGE)
    log.warning("shown %r", {"secret": STRANGE})
    log.warning("asked https://api.example/x?key=%s&y=1", quote(STRANGE))
    log.warning("FATAL: s3cr@t-of-rows and s3cr%40t-of-rows")
    log.warning("bad %d", STRANGE)
    log.warning("via https://me:hunter2-hunter2@proxy.example/x?sig=0a1b2c&page=2")
    structlog.get_logger("ours").warning("event", data={"deep": [STRANGE]})

    text = path.read_text()
    for part in ("ss\\\\w", "wörd", "w\\u00f6rd", "%C3%B6rd", "s3cr", "hunter2", "0a1b2c"):
        assert part not in text, part
    assert text.count("\n") == 7
    assert "page=2" in text
    assert "clapper_passes" not in text


def test_every_line_of_json_can_be_read(
    settings_with: Callable[..., Settings], tmp_path: Path
) -> None:
    log_as(settings_with(log_file=tmp_path / "log", log_format="json"))
    log = logging.getLogger("some.library")
    circle: dict[str, object] = {}
    circle["again"] = circle
    for value in (float("nan"), float("inf"), {(1, 2): 3}, circle, object(), b"x", {1: {2}}):
        log.warning("odd", extra={"value": value})
    log.warning("two\nlines \u2028 \udce9", exc_info=ValueError("a\nb"))

    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    lines = [json.loads(one, parse_constant=refuse) for one in (tmp_path / "log").open("rb")]
    assert [line["event"] for line in lines[:7]] == ["odd"] * 7
    assert (lines[0]["value"], lines[2]["value"]) == ("nan", {"(1, 2)": 3})


def test_text_neither_begins_lines_nor_steers_a_terminal(
    settings_with: Callable[..., Settings], tmp_path: Path
) -> None:
    log_as(settings_with(log_file=tmp_path / "log"))
    logging.getLogger("some.library").warning("a\n2026 [error] forged \x1b[31mred")
    broke = ValueError("\x1b]0;title\x07")
    logging.getLogger("some.library").error("broke", exc_info=broke)

    text = (tmp_path / "log").read_text()
    assert "\x1b" not in text
    assert "a\\n2026 [error] forged \\x1b[31mred" in text
    assert "\\x1b]0;title" in text


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


@pytest.mark.parametrize(
    "line",
    [
        "Authorization: Bearer SECRETabcdefghij0123",
        "{'authorization': 'bearer SECRETabcdefghij0123'}",
        "curl -H 'Authorization: Basic SECRETabcdefghij0123'",
        "postgresql://clapper:SECRETabcdefghij@rows/clapper",
        "GET /hook?token=SECRETabcdefghij0123&x=1",
    ],
)
def test_what_stands_in_the_place_of_a_secret_is_hidden_though_nobody_knows_it(line: str) -> None:
    assert "SECRET" not in Redaction()(line)


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
