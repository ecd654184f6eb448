"""The doctor's findings, each from settings alone."""

from collections.abc import Callable
from pathlib import Path

import pytest

from core.app import preflight
from core.cli import doctor
from core.cli.doctor import Severity
from core.cli.doctor_files import look_at_files
from core.cli.findings import DoctorFinding
from core.comfy.acceleration import fast_blocks
from core.media.intake import sandbox
from core.settings import Settings
from core.settings.loading import NameFindings

SettingsWith = Callable[..., Settings]


def test_python_codecs_and_lettering_are_good_where_the_tests_run(settings: Settings) -> None:
    for look in (doctor._python, doctor._video, doctor._fonts):
        assert [finding.health for finding in look(settings)] == [Severity.GOOD]


def test_files_are_read_where_the_tests_run(settings: Settings) -> None:
    (finding,) = look_at_files(settings)

    assert finding.health is Severity.GOOD


def test_what_reads_files_and_cannot_begin_is_bad_and_named(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sandbox.sys, "executable", str(tmp_path / "no-python"))
    (finding,) = look_at_files(settings)

    assert finding.health is Severity.BAD
    assert "no-python" in finding.detail
    assert finding.fix


def test_a_missing_codec_is_bad_and_names_the_fix(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "_ENCODERS", ("libx264", "no_such_codec"))
    (finding,) = doctor._video(settings)

    assert finding.health is Severity.BAD
    assert "no_such_codec" in finding.detail
    assert "pip install" in finding.fix


def test_the_disk_is_looked_at_before_the_folder_exists(
    settings_with: SettingsWith, tmp_path: Path
) -> None:
    far = tmp_path / "not" / "yet"
    (finding,) = doctor._disk(settings_with(data_dir=far))

    assert finding.health in {Severity.GOOD, Severity.NOTE}
    assert not far.exists()


def test_a_full_disk_is_bad(settings_with: SettingsWith) -> None:
    (finding,) = doctor._disk(settings_with(min_free_megabytes=1e12))

    assert finding.health is Severity.BAD
    assert "CLAPPER_DATA_DIR" in finding.fix


@pytest.mark.parametrize(
    ("executor", "health"),
    [("draft", Severity.GOOD), ("auto", Severity.NOTE), ("comfy", Severity.BAD)],
)
def test_the_executor_is_as_serious_as_the_setting_makes_it(
    settings_with: SettingsWith, tmp_path: Path, executor: str, health: Severity
) -> None:
    changed = settings_with(executor=executor, comfyui_dir=tmp_path / "none")
    first, *gaps = doctor._executor(changed)

    assert first.health is health
    assert all(gap.fix for gap in gaps)
    assert bool(gaps) is (executor != "draft")


@pytest.mark.parametrize(("compiles", "says"), [(True, "unproven"), (False, "changes nothing")])
def test_the_fast_way_is_never_passed_over(
    settings_with: SettingsWith, monkeypatch: pytest.MonkeyPatch, compiles: bool, says: str
) -> None:
    monkeypatch.setattr(fast_blocks, "can_compile", lambda: compiles)

    (finding,) = doctor._fast(settings_with(fast=True))

    assert finding.health is Severity.NOTE
    assert says in finding.detail
    assert finding.fix
    assert not list(doctor._fast(settings_with(fast=False)))


@pytest.mark.parametrize("width", [20, 40, 80, 120, 200])
def test_no_link_and_no_command_is_cut_at_any_width(
    width: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    link = "https://discord.com/oauth2/authorize?client_id=1&scope=bot&permissions=274878008320"
    command = "clapper comfy install --into /a/rather/long/folder/of/somebody --accept-licences"
    doctor._report([DoctorFinding("Discord", Severity.GOOD, f"Invite: {link}", command)])

    printed = capsys.readouterr().out
    assert link in printed
    assert command in printed


def test_a_missing_file_of_settings_is_told_and_one_that_is_read_is_not(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for found, told in ((None, True), (tmp_path / ".env", False)):
        names = NameFindings(file=found, looked_at=tmp_path / ".env")
        monkeypatch.setattr(preflight, "look_at_names", lambda names=names: names)
        monkeypatch.setattr(preflight, "_others_read", lambda _: False)
        details = [check.detail for check in preflight.check_names()]
        assert any(str(tmp_path / ".env") in detail for detail in details) is told
