import logging
from collections.abc import Generator

import pytest
import structlog
from pydantic import SecretStr

from core.app.logs import Redaction, secrets_of, set_up_logging
from core.settings import Settings

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


def test_short_values_are_no_secrets() -> None:
    assert Redaction(["on"])("gone on") == "gone on"


def test_secret_settings_are_found() -> None:
    class WithToken(Settings):
        bot_token: SecretStr = SecretStr("tok-123456789")

    assert "tok-123456789" in secrets_of(WithToken())
