"""The file of settings: where it is looked for, what is taken from it, what is said about it."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from core.errors.setup import BadConfiguration
from core.i18n.messages import explain
from core.settings import PROJECT_ROOT, Settings, load_settings, look_at_names, use_env_file


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "clapper.env"
    monkeypatch.setenv("CLAPPER_ENV_FILE", str(path))
    return path


def refused() -> str:
    with pytest.raises(BadConfiguration) as caught:
        load_settings()
    assert explain(caught.value, "de")
    return explain(caught.value)


def test_the_usual_file_is_beside_the_checkout() -> None:
    asked = "from core.settings import Settings; print(Settings.model_config['env_file'])"
    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, cwd="/",
                          check=True)  # fmt: skip

    assert Path(done.stdout.strip()) == PROJECT_ROOT / ".env"


def test_a_file_in_the_current_folder_is_not_read(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(Settings.model_config, "env_file", tmp_path / "home" / ".env")
    (tmp_path / ".env").write_text("CLAPPER_MAX_SECONDS=7\n")
    monkeypatch.chdir(tmp_path)

    assert load_settings().requests.max_seconds == 20


def test_the_named_file_is_read_instead_of_the_usual_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, file: Path
) -> None:
    usual = tmp_path / ".env"
    usual.write_text("CLAPPER_MAX_SECONDS=7\nCLAPPER_MAX_QUEUED=3\n")
    monkeypatch.setitem(Settings.model_config, "env_file", usual)
    file.write_text("CLAPPER_MAX_SECONDS=8\n")

    settings = load_settings()

    assert (settings.requests.max_seconds, settings.queue.max_queued) == (8, 5)


def test_a_relative_name_keeps_its_meaning_for_programs_started_elsewhere(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("CLAPPER_ENV_FILE", "replaced below")
    monkeypatch.chdir(tmp_path)
    Path("mine.env").write_text("CLAPPER_MAX_SECONDS=9\n")

    use_env_file(Path("mine.env"))
    os.chdir("/")

    assert load_settings().requests.max_seconds == 9


def test_names_of_other_programs_are_left_to_them(file: Path) -> None:
    file.write_text("HF_ENDPOINT=https://theirs.example\nHF_TOKEN=hf_x\nSPACE_ID=a/b\nOAUTH_CLIENT_ID=x\n"
                    "CLAPPER_MAX_SECONDS=7\n")  # fmt: skip

    settings = load_settings()

    assert settings.models.hub_endpoint == "https://huggingface.co"
    assert settings.models.hf_token is None
    assert not settings.on_space
    assert not settings.sign_in.client_id
    assert settings.requests.max_seconds == 7
    assert look_at_names().foreign == ("HF_ENDPOINT", "HF_TOKEN", "SPACE_ID", "OAUTH_CLIENT_ID")


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_a_file_of_wide_characters_is_told(file: Path, encoding: str) -> None:
    file.write_bytes("CLAPPER_MAX_SECONDS=7\r\n".encode(encoding))

    assert "UTF-16" in refused()
    assert str(file) in refused()


def test_a_file_in_latin_1_is_told_with_its_line(file: Path) -> None:
    file.write_bytes("CLAPPER_MAX_SECONDS=7\n# groß\nCLAPPER_OPERATORS=\n".encode("latin-1"))

    assert "Line 2 " in refused()


@pytest.mark.parametrize(
    "line",
    ["CLAPPER_DISCORD_TOKEN: swordfish", "CLAPPER_DISCORD_TOKEN swordfish", "CLAPPER_DISCORD_TOKEN",
     "CLAPPER_DISCORD_TOKEN='swordfish", 'export CLAPPER_DISCORD_TOKEN "swordfish"'],
)  # fmt: skip
def test_a_line_that_is_no_setting_is_told_without_its_value(file: Path, line: str) -> None:
    file.write_text(f"# mine\n\nCLAPPER_MAX_SECONDS=7\n{line}\n")

    told = refused()

    assert "Line 4 " in told
    assert "CLAPPER_DISCORD_TOKEN=value" in told
    assert "swordfish" not in told


def test_what_editors_and_shells_write_is_understood(file: Path) -> None:
    file.write_bytes(
        b"\xef\xbb\xbfCLAPPER_MAX_SECONDS=7\r\n# comment\r\n\r\nexport CLAPPER_MAX_QUEUED = '4'\r\n"
        b'clapper_max_running="2" # two\r\nCLAPPER_QUOTA_MINUTES=\r\n'
    )
    settings = load_settings()

    assert settings.requests.max_seconds == 7
    assert (settings.queue.max_queued, settings.queue.max_running) == (4, 2)
    assert settings.quota.minutes == 20


@pytest.mark.parametrize("kind", ["missing", "folder", "too large", "of nobody"])
def test_a_named_file_that_cannot_be_read_is_told(
    monkeypatch: pytest.MonkeyPatch, file: Path, kind: str
) -> None:
    if kind == "folder":
        file.mkdir()
    elif kind == "too large":
        file.write_bytes(b"#" * 1_000_001)
    elif kind == "of nobody":
        monkeypatch.setenv("CLAPPER_ENV_FILE", "~nobody-here/env")

    assert "CLAPPER_ENV_FILE" in refused()


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("CLAPPER_QUOTA_MINUTE", "CLAPPER_QUOTA_MINUTES"),
        ("CLAPPER_DISCORD_TOKN", "CLAPPER_DISCORD_TOKEN"),
        ("CLAPPER_DATADIR", "CLAPPER_DATA_DIR"),
        ("CLAPPER_ENVFILE", "CLAPPER_ENV_FILE"),
        ("CLAPPER_ZZZ_QQQ", ""),
    ],
)
@pytest.mark.parametrize("where", ["environment", "file"])
def test_a_misspelt_name_is_told_with_the_nearest(
    monkeypatch: pytest.MonkeyPatch, file: Path, name: str, nearest: str, where: str
) -> None:
    file.write_text(f"{name}=1\n" if where == "file" else "")
    if where == "environment":
        monkeypatch.setenv(name, "1")

    (unknown,) = look_at_names().unknown

    assert (unknown.name, unknown.nearest) == (name, nearest)


def test_what_a_cluster_sets_beside_a_service_of_our_name_is_not_misspelt(
    monkeypatch: pytest.MonkeyPatch, file: Path
) -> None:
    file.write_text("")
    for name in ("SERVICE_HOST", "SERVICE_PORT", "SERVICE_PORT_HTTP", "PORT", "PORT_7860_TCP",
                 "PORT_7860_TCP_ADDR"):  # fmt: skip
        monkeypatch.setenv(f"CLAPPER_{name}", "tcp://10.0.0.1:7860")

    assert look_at_names().unknown == ()


def test_the_token_of_a_program_may_stand_in_the_shell_but_not_in_the_file(
    monkeypatch: pytest.MonkeyPatch, file: Path
) -> None:
    file.write_text("")
    monkeypatch.setenv("CLAPPER_TOKEN", "clapper_x")
    assert look_at_names().unknown == ()

    file.write_text("CLAPPER_TOKEN=1\n")
    assert [one.name for one in look_at_names().unknown] == ["CLAPPER_TOKEN"]


def test_every_name_that_the_documents_tell_people_to_set_is_one_that_is_read(
    monkeypatch: pytest.MonkeyPatch, file: Path
) -> None:
    file.write_text("")
    pages = [*PROJECT_ROOT.glob("docs/*.md"), PROJECT_ROOT / "README.md",
             *PROJECT_ROOT.glob("core/i18n/words/en/*.toml")]  # fmt: skip
    for page in pages:
        for name in re.findall(r"CLAPPER_[A-Z0-9_]*[A-Z0-9]\b", page.read_text("utf-8")):
            monkeypatch.setenv(name, str(file))

    assert look_at_names().unknown == ()


def test_a_token_under_a_name_of_another_program_is_told(
    monkeypatch: pytest.MonkeyPatch, file: Path
) -> None:
    file.write_text("")
    monkeypatch.setenv("HUGGING_FACE_HUB_TOKEN", "hf_x")
    monkeypatch.setenv("HF_API_TOKEN", "")

    assert look_at_names().tokens == ("HUGGING_FACE_HUB_TOKEN",)
