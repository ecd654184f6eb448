"""The commands around a clip: jobs, quota, invariants, doctor, demo, version."""

import sqlite3
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import av
import pytest
from typer.testing import Result

from core.demo.inputs import make_demo_jobs
from core.domain.modes import Mode
from core.storage.lock import lock

Clapper = Callable[..., Result]
Answer = Callable[..., dict[str, Any]]


@pytest.fixture
def job(answer: Answer, small: list[object]) -> dict[str, Any]:
    return answer("generate", "t2v", "-p", "a red kite", *small, "-o", "kite.mp4")


def test_the_version_is_the_distributions(clapper: Clapper) -> None:
    assert clapper("--version").stdout.strip() == f"Clapper {version('clapper-bot')}"


def test_settings_tells_every_value_and_where_it_comes_from(
    clapper: Clapper, answer: Answer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLAPPER_TELEGRAM_TOKEN", "123:secret")
    monkeypatch.setenv("CLAPPER_TELEGRAM_TOKENN", "x")

    shown, rows = clapper("settings"), answer("settings")
    told = {row["name"]: row for row in rows["settings"]}

    assert "CLAPPER_TELEGRAM_TOKENN" in shown.stdout
    assert rows["unknown"] == ["CLAPPER_TELEGRAM_TOKENN"]
    assert told["CLAPPER_QUOTA_MINUTES"]["value"].startswith("1000")
    assert told["CLAPPER_QUOTA_MINUTES"]["from"] == "environment"
    assert told["CLAPPER_STUDIO_PORT"] == {
        "name": "CLAPPER_STUDIO_PORT", "value": "7860", "from": "default", "file": "",
    }  # fmt: skip
    assert "secret" not in shown.stdout + str(rows)
    assert "CLAPPER_STUDIO_PORT" not in clapper("settings", "--set").stdout


@pytest.mark.parametrize(
    "command", ["demo", "serve", "generate", "jobs", "quota", "doctor", "invariants"]
)
def test_every_command_explains_itself(clapper: Clapper, command: str) -> None:
    result = clapper(command, "--help")

    assert result.exit_code == 0
    assert len(result.stdout) > 200


def test_an_unknown_option_is_an_invalid_input(clapper: Clapper) -> None:
    assert clapper("generate", "t2v", "--colour", "red", "-o", "x.mp4").exit_code == 2


def test_jobs_lists_shows_and_keeps_the_prompt_to_itself(
    clapper: Clapper, answer: Answer, job: dict[str, Any]
) -> None:
    listed, shown = clapper("jobs"), clapper("jobs", "show", job["job_id"])

    assert job["job_id"] in listed.stdout
    assert "finished" in listed.stdout
    assert "256×256" in shown.stdout
    assert ".mp4" in shown.stdout
    assert "red kite" not in listed.output + shown.output
    assert answer("jobs", "show", job["job_id"])["seed"] == 4


@pytest.mark.parametrize(
    "command",
    [
        ("quota", "grant", "nobody", 5),
        ("quota", "show", ":7"),
        ("jobs", "list", "--requester", "x:"),
    ],
)
def test_a_requester_who_names_nobody_is_refused(
    clapper: Clapper, command: tuple[object, ...]
) -> None:
    result = clapper(*command)

    assert result.exit_code == 2
    assert "discord:123456789" in result.stderr


@pytest.mark.parametrize("folder", ["/proc/nothing", "file/data"])
def test_a_data_directory_that_cannot_be_is_named(
    clapper: Clapper, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: str
) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("CLAPPER_DATA_DIR", folder)

    result = clapper("jobs")

    assert result.exit_code == 5
    assert result.stderr.startswith(str(Path(folder).absolute()))
    assert "CLAPPER_DATA_DIR" in result.stderr


def test_jobs_of_another_requester_are_another_list(clapper: Clapper, job: dict[str, Any]) -> None:
    assert "no jobs yet" in clapper("jobs", "list", "--requester", "discord:1").stdout


def test_what_cannot_be_cancelled_is_refused(clapper: Clapper, job: dict[str, Any]) -> None:
    finished, unknown = (clapper("jobs", "cancel", name) for name in (job["job_id"], "0" * 32))

    assert (finished.exit_code, unknown.exit_code) == (3, 3)
    assert "already finished" in finished.stderr
    assert "There is no job" in unknown.stderr


def test_quota_counts_and_a_grant_adds(clapper: Clapper, answer: Answer, job: Any) -> None:
    before = answer("quota", "show")
    granted = clapper("quota", "grant", before["requester"], 2)
    after = answer("quota", "show")

    assert before["used_ms"] == job["charged_ms"] > 0
    assert granted.exit_code == 0
    assert after["left_ms"] == before["left_ms"] + 120_000
    assert "left" in clapper("quota", "show").stdout


def test_quota_shows_every_limit_that_applies(
    clapper: Clapper, answer: Answer, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone = answer("quota", "show")
    monkeypatch.setenv("CLAPPER_PLACE_MINUTES", "7")

    there = answer("quota", "show", "--place", "discord:456")
    text = clapper("quota", "show", "--place", "discord:456").stdout

    assert [one["name"] for one in alone["limits"]] == ["own"]
    assert [(one["name"], one["limit"]) for one in there["limits"]] == [
        ("own", alone["limit_ms"]),
        ("place", 420_000),
    ]
    assert "everybody here together has 7 min 00 s of 7 min 00 s" in text


def test_the_database_agrees_with_itself_after_work(clapper: Clapper, job: Any) -> None:
    result = clapper("invariants")

    assert result.exit_code == 0, result.output
    assert "agrees with itself" in result.stdout


def test_contradicting_rows_are_found(clapper: Clapper, job: Any, data_dir: Path) -> None:
    with sqlite3.connect(data_dir / "clapper.sqlite") as connection:
        connection.execute("DROP TRIGGER ledger_no_delete")
        connection.execute("DELETE FROM ledger")
    connection.close()

    result = clapper("invariants")

    assert result.exit_code == 5
    assert result.stderr.strip()


@pytest.mark.parametrize("arguments", [["jobs"], ["quota", "show"], ["invariants"]])
def test_a_running_service_keeps_its_data_to_itself(
    clapper: Clapper, data_dir: Path, arguments: list[str]
) -> None:
    with lock(data_dir):
        result = clapper(*arguments)

    assert result.exit_code == 5
    assert "Another Clapper already runs" in result.stderr


def test_doctor_finds_all_well_here(clapper: Clapper, answer: Answer) -> None:
    result = clapper("doctor")
    findings = {item["what"]: item for item in answer("doctor")["findings"]}

    assert result.exit_code == 0, result.output
    assert {"Python", "FFmpeg", "Disk", "Database", "Executor"} <= findings.keys()
    assert "Drafts" in findings["Executor"]["detail"]


def test_doctor_names_what_comfyui_lacks(
    clapper: Clapper, answer: Answer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("CLAPPER_EXECUTOR", "comfy")
    monkeypatch.setenv("CLAPPER_COMFYUI_DIR", str(tmp_path / "nothing"))
    findings = answer("doctor")["findings"]

    assert clapper("doctor").exit_code == 5
    assert "clapper comfy install" in {finding["fix"] for finding in findings}


def test_doctor_tells_a_full_disk_and_a_broken_database(
    clapper: Clapper, monkeypatch: pytest.MonkeyPatch, data_dir: Path
) -> None:
    data_dir.mkdir()
    (data_dir / "clapper.sqlite").write_bytes(b"this is no database at all" * 100)
    monkeypatch.setenv("CLAPPER_MIN_FREE_MEGABYTES", "1e9")

    result = clapper("doctor")

    assert result.exit_code == 5
    assert "Make room" in result.stdout
    assert "Restore a backup" in result.stdout


def test_doctor_runs_beside_a_service(clapper: Clapper, data_dir: Path) -> None:
    with lock(data_dir):
        result = clapper("doctor")

    assert result.exit_code == 0, result.output
    assert "In use by a running Clapper" in result.stdout


def test_the_demo_makes_a_clip_of_every_mode_and_can_be_repeated(
    clapper: Clapper, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.demo.inputs.SECONDS", 1.0)
    monkeypatch.setattr("core.demo.inputs.SIZE", (256, 256))
    monkeypatch.setenv("COLUMNS", "80")

    result = clapper("demo", "--out", "out")

    assert result.exit_code == 0, result.output
    title, _, *rows = result.stdout.splitlines()[-2 - len(Mode) :]
    assert title.strip() == f"{len(Mode)} modes, one path: out"
    assert [tuple(row.split()[:: len(row.split()) - 1]) for row in rows] == [
        (mode, f"{mode}.mp4") for mode in Mode
    ]
    for mode in Mode:
        assert mode in result.stdout
        assert Path("out", f"{mode}.png").exists()
        with av.open(f"out/{mode}.mp4") as container:
            assert container.streams.audio
    assert not data_dir.exists()
    made = Path("out/t2v.mp4").stat().st_mtime_ns
    Path("out/.data/clapper.sqlite").write_bytes(b"left by some other version")
    monkeypatch.setattr("core.cli.demo.make_demo_jobs", lambda folder: make_demo_jobs(folder)[:1])
    assert clapper("demo", "--out", "out").exit_code == 0
    assert Path("out/t2v.mp4").stat().st_mtime_ns > made


def test_the_demo_refuses_a_file_as_its_folder(clapper: Clapper, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")

    result = clapper("demo", "--out", "taken")

    assert result.exit_code == 2
    assert "cannot be written" in result.stderr
