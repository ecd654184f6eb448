"""What the doctor finds in settings and surroundings; ``serve`` refuses what is bad of it."""

import asyncio
import json
import os
import socket
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from pydantic import SecretStr
from safetensors.numpy import save_file

from bots.telegram.front import TelegramFront
from core.app.preflight import check_ports, check_settings, ports, refuse_broken
from core.app.serve import found_fronts, serve
from core.cli import doctor
from core.cli.doctor_service import (
    look_at_data,
    look_at_intake,
    look_at_ports,
    look_at_settings,
    look_at_workflows,
)
from core.cli.findings import DoctorFinding, Severity
from core.domain.modes import Mode
from core.errors.nodes import NodeNeedsServer
from core.errors.setup import NotReady
from core.i18n.messages import explain
from core.queue.intake import IntakeSwitch
from core.settings import Settings, load_settings
from core.storage.lock import lock

SettingsWith = Callable[..., Settings]
TOKEN = SecretStr("123456789:" + "a" * 35)


def only_fronts_of_ours() -> list:
    return found_fronts(lambda _: None)


@pytest.fixture
def taken() -> Iterator[int]:
    """A port that another program listens on."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield other.getsockname()[1]


@pytest.fixture
def users(tmp_path: Path) -> Callable[[str | None], Path]:
    def write(text: str | None) -> Path:
        path = tmp_path / "users"
        if text is not None:
            path.write_text(text)
        return path

    return write


def told(findings: list) -> str:
    return " ".join(f"{one.detail} {one.fix}" for one in findings)


# what is set, and what the finding names; every row is refused by serve too
BROKEN = {
    "a misspelt name": ({}, {"CLAPPER_QUOTA_MINUTE": "1"}, "CLAPPER_QUOTA_MINUTES"),
    "a name of nothing": ({}, {"CLAPPER_ZZZ_QQQ": "1"}, "CLAPPER_ZZZ_QQQ"),
    "operators of no platform": ({"operators": "discrod:1"}, {}, "discrod:1"),
    "shares": ({"shares": "operators=lots"}, {}, "CLAPPER_SHARES"),
    "a webhook without https": (
        {"telegram_token": TOKEN, "telegram_webhook_secret": SecretStr("a" * 20),
         "telegram_webhook_url": "http://bot.example/hook"}, {}, "https"),
    "a webhook without a secret": (
        {"telegram_token": TOKEN, "telegram_webhook_url": "https://bot.example/hook"},
        {}, "CLAPPER_TELEGRAM_WEBHOOK_SECRET"),
    "a webhook with a secret that Telegram refuses": (
        {"telegram_token": TOKEN, "telegram_webhook_secret": SecretStr("a b!"),
         "telegram_webhook_url": "https://bot.example/hook"},
        {}, "CLAPPER_TELEGRAM_WEBHOOK_SECRET"),
    "a token that Telegram never gave": (
        {"telegram_token": SecretStr("123:abc")}, {}, "CLAPPER_TELEGRAM_TOKEN"),
    "a log in the place of the database": (
        {"log_file": Path("DATA/clapper.sqlite")}, {}, "CLAPPER_LOG_FILE"),
    "a log in the place of its journal": (
        {"log_file": Path("DATA/clapper.sqlite-wal")}, {}, "CLAPPER_LOG_FILE"),
    "a log among the clips": ({"log_file": Path("DATA/clips/log")}, {}, "CLAPPER_LOG_FILE"),
    "a log that is a folder": ({"log_file": Path("/tmp")}, {}, "CLAPPER_LOG_FILE"),
    "no file of users": ({"studio_users": Path("/not/there")}, {}, "CLAPPER_STUDIO_USERS"),
    "half of an app": ({"studio_oauth_client_id": "x"}, {}, "CLAPPER_STUDIO_OAUTH_CLIENT_SECRET"),
    "names that no browser says": (
        {"studio_hosts": "studio.example, *.example, bücher.example, ann@x"}, {},
        "*.example, bücher.example, ann@x"),
    "a secret of Discord that is no token": (
        {"discord_token": SecretStr("x" * 32)}, {}, "CLAPPER_DISCORD_TOKEN"),
    "accounts without an app": ({"studio_hf_accounts": "ada"}, {}, "CLAPPER_STUDIO_HF_ACCOUNTS"),
}  # fmt: skip


@pytest.mark.parametrize("kind", BROKEN)
async def test_doctor_and_serve_find_the_same(
    settings_with: SettingsWith, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    values, environment, named = BROKEN[kind]
    place, log = settings_with().data_dir, values.get("log_file")
    if log is not None and log.parts[0] == "DATA":
        values = {**values, "log_file": place.joinpath(*log.parts[1:])}
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    settings = settings_with(**values)

    found = list(look_at_settings(settings))
    assert named in told([one for one in found if one.health is Severity.BAD])
    with pytest.raises(NotReady) as caught:
        await serve(settings, lambda _: None)
    assert named in caught.value.findings
    assert not settings.data_dir.exists()


async def test_a_front_without_a_server_of_rows_is_found_as_serve_says_it(
    settings_with: SettingsWith,
) -> None:
    settings = settings_with(worker=False)

    with pytest.raises(NodeNeedsServer) as refused:
        await serve(settings, lambda _: None)
    assert explain(refused.value) in [one.detail for one in look_at_settings(settings)]


@pytest.mark.parametrize("text", ["", "ada\n", "ada:1:2"])
def test_a_damaged_file_of_users_is_found(
    settings_with: SettingsWith, users: Callable[[str | None], Path], text: str
) -> None:
    found = list(look_at_settings(settings_with(studio_users=users(text))))

    assert "CLAPPER_STUDIO_USERS" in told(found)


def test_settings_that_agree_are_good(settings_with: SettingsWith) -> None:
    settings = settings_with(operators="discord:1,telegram:2,studio:user-ada,hf:ada,cli:0")

    assert [one.health for one in look_at_settings(settings)] == [Severity.GOOD]


def test_a_switched_off_front_is_not_checked(settings_with: SettingsWith) -> None:
    off = settings_with(studio=False, studio_users=Path("/not/there"),
                        telegram_webhook_url="http://bot.example")  # fmt: skip

    assert [one.health for one in look_at_settings(off)] == [Severity.GOOD]


def test_a_taken_port_is_found_by_doctor_and_serve(settings_with: SettingsWith, taken: int) -> None:
    settings = settings_with(studio_port=taken)

    (finding,) = look_at_ports(settings)
    assert finding.health is Severity.BAD
    assert str(taken) in finding.detail
    assert "CLAPPER_STUDIO_PORT" in finding.fix
    with pytest.raises(NotReady, match=str(taken)):
        refuse_broken(check_ports(settings))


def test_a_port_that_another_program_has_at_an_address_of_ipv6_is_found(
    settings_with: SettingsWith,
) -> None:
    with socket.socket(socket.AF_INET6) as other:
        other.bind(("::1", 0))
        other.listen()
        port = other.getsockname()[1]
        settings = settings_with(studio=False, health_host="::1", health_port=port)
        (finding,) = check_ports(settings)

    assert "CLAPPER_HEALTH_PORT" in finding.fix


def test_a_host_that_is_none_is_found_whatever_the_port(settings_with: SettingsWith) -> None:
    settings = settings_with(studio=False, health_host="not-a-host.invalid", health_port=0)
    (finding,) = look_at_ports(settings)

    assert "CLAPPER_HEALTH_HOST" in finding.fix


async def test_serve_does_not_start_on_a_taken_port(
    settings_with: SettingsWith, taken: int
) -> None:
    with pytest.raises(NotReady, match=str(taken)):
        await serve(settings_with(studio_port=taken), lambda _: None)


def test_the_port_of_the_webhook_is_looked_at_too(settings_with: SettingsWith, taken: int) -> None:
    settings = settings_with(
        studio=False,
        telegram_token=TOKEN,
        telegram_webhook_url="https://bot.example/hook",
        telegram_webhook_port=taken,
    )

    assert "CLAPPER_TELEGRAM_WEBHOOK_PORT" in told(list(check_ports(settings)))


@pytest.mark.parametrize("host", ["192.0.2.1", "not-a-host.invalid", "::2"])
def test_an_address_of_another_machine_is_found(settings_with: SettingsWith, host: str) -> None:
    (finding,) = check_ports(settings_with(studio_host=host, studio_port=7860))

    assert host in finding.detail


def test_a_running_service_has_its_ports_itself(settings_with: SettingsWith, taken: int) -> None:
    settings = settings_with(studio_port=taken)
    with lock(settings.data_dir):
        (finding,) = look_at_ports(settings)

    assert finding.health is Severity.GOOD


def test_free_ports_are_good_and_any_port_is_none(settings_with: SettingsWith) -> None:
    assert [one.port for one in ports(settings_with(studio_port=0))] == [0]
    assert list(look_at_ports(settings_with(studio_port=0))) == []
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        number = probe.getsockname()[1]
    (finding,) = look_at_ports(settings_with(studio_port=number))
    assert finding.health is Severity.GOOD


def test_the_look_at_ports_leaves_a_folder_of_somebody_else_as_it_is(
    settings_with: SettingsWith, tmp_path: Path
) -> None:
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    list(look_at_ports(settings_with(data_dir=theirs, studio_port=7860)))

    assert list(theirs.iterdir()) == []


async def test_a_closed_intake_is_told_beside_a_running_service(core) -> None:
    settings = core.settings
    assert await asyncio.to_thread(lambda: list(look_at_intake(settings))) == []
    await IntakeSwitch(core.database).set_intake("paused")

    (finding,) = await asyncio.to_thread(lambda: list(look_at_intake(settings)))

    assert finding.health is Severity.NOTE
    assert "resume" in finding.fix


def test_model_files_of_adopted_workflows_are_looked_for(
    settings_with: SettingsWith, tmp_path: Path
) -> None:
    from core.workflow.library import WORKFLOWS

    folder = tmp_path / "workflows"
    folder.mkdir()
    graph = json.loads((WORKFLOWS / "t2v.json").read_text())
    graph["900"] = {"class_type": "LoraLoaderModelOnly",
                    "inputs": {"lora_name": "styles/mine.safetensors"}}  # fmt: skip
    (folder / "t2v.json").write_text(json.dumps(graph))
    beside = "t2v.bindings.toml"
    (folder / beside).write_text((WORKFLOWS / beside).read_text())
    settings = settings_with(workflows_dir=folder, models_dir=tmp_path / "models")

    assert "styles/mine.safetensors" in told(list(look_at_workflows(settings)))
    for named in [one.detail for one in look_at_workflows(settings)]:
        words = [word.rstrip(",") for word in named.split()]
        file = next(word for word in words if word.endswith("safetensors"))
        folder_of = next(word for word in words if word.startswith(str(settings.models_folder)))
        path = Path(folder_of.rstrip(".")) / file
        path.parent.mkdir(parents=True, exist_ok=True)
        save_file({"x": np.zeros(1, np.float32)}, path)

    assert list(look_at_workflows(settings)) == []
    (settings.models_folder / "loras" / "styles" / "mine.safetensors").write_bytes(b"<html>")
    assert "mine.safetensors, which is damaged" in told(list(look_at_workflows(settings)))


@pytest.mark.parametrize("mode", [Mode.T2V])
def test_a_damaged_adopted_workflow_is_bad(
    settings_with: SettingsWith, tmp_path: Path, mode: Mode
) -> None:
    (tmp_path / f"{mode}.json").write_text("{")

    (finding,) = look_at_workflows(settings_with(workflows_dir=tmp_path))

    assert finding.health is Severity.BAD


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_data_directory_without_rights_is_bad(
    settings_with: SettingsWith, tmp_path: Path
) -> None:
    tmp_path.chmod(0o500)
    try:
        (finding,) = look_at_data(settings_with(data_dir=tmp_path / "data"))
    finally:
        tmp_path.chmod(0o700)

    assert "CLAPPER_DATA_DIR" in finding.fix


def test_names_of_other_programs_and_an_open_file_are_notes(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "mine.env"
    file.write_text("HF_ENDPOINT=https://mirror.example\n")
    file.chmod(0o644)
    monkeypatch.setenv("CLAPPER_ENV_FILE", str(file))
    monkeypatch.setenv("HUGGING_FACE_HUB_TOKEN", "hf_x")

    found = list(look_at_settings(settings))

    assert {one.health for one in found} == {Severity.NOTE, Severity.GOOD}
    for named in ("HF_ENDPOINT", "HUGGING_FACE_HUB_TOKEN", f"chmod 600 {file}"):
        assert named in told(found)
    file.chmod(stat.S_IRUSR)
    assert "chmod" not in told(list(look_at_settings(settings)))


def test_no_advice_is_what_is_set_already(settings_with: SettingsWith, tmp_path: Path) -> None:
    settings = settings_with(executor="comfy", comfyui_dir=tmp_path / "none")

    assert "CLAPPER_EXECUTOR=comfy" not in told(list(doctor._executor(settings)))


def test_a_look_that_breaks_is_a_finding_and_the_others_go_on(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: Settings) -> Iterator[DoctorFinding]:
        raise RuntimeError("defect")
        yield

    monkeypatch.setattr(doctor, "LOOKS", (broken, doctor._python))

    first, second = doctor._found(settings)

    assert (first.health, second.health) == (Severity.BAD, Severity.GOOD)
    assert "RuntimeError" in first.detail


def test_settings_that_cannot_be_read_are_findings(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import typer

    monkeypatch.setenv("CLAPPER_MAX_FPS", "16")
    monkeypatch.setenv("CLAPPER_LEASE_S", "2")

    with pytest.raises(typer.Exit) as caught:
        doctor.doctor(as_json=True)

    rows = json.loads(capsys.readouterr().out)["findings"]
    text = " ".join(row["detail"] for row in rows if row["health"] == "bad")
    assert caught.value.exit_code == 5
    assert "CLAPPER_DEFAULT_FPS" in text
    assert "CLAPPER_HEARTBEAT_S" in text


def test_a_front_says_what_it_needs() -> None:
    assert TelegramFront().check(load_settings()) == []
    assert list(check_settings(load_settings(), only_fronts_of_ours())) == []
