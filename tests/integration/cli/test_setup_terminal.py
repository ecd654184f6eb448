"""``clapper setup`` in a real terminal, with no bot to set up."""

import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from core.runtime.program_files import PROJECT_ROOT
from tests.support.terminals import CTRL_C, CTRL_D, talk

QUESTIONS = 4  # token, token, model files, data
Setup = Callable[..., tuple[int, str]]


@pytest.fixture
def setup(tmp_path: Path) -> Setup:
    """Return what runs the command in an empty home and gives it answers."""

    def run(answers: Sequence[str], *options: str, **more: str) -> tuple[int, str]:
        command = [sys.executable, "-m", "clapper", "setup", "--file", tmp_path / "env", *options]
        environment = {
            "PATH": "/usr/bin:/bin",
            "HOME": str(tmp_path),
            "PYTHONPATH": str(PROJECT_ROOT),
            "CLAPPER_DATA_DIR": str(tmp_path / "usual"),
            "CLAPPER_MIN_FREE_MEGABYTES": "0",
            "CLAPPER_STUDIO": "false",  # no port is looked at
        }
        return talk(command, answers, cwd=tmp_path, environment=environment | more)

    return run


@pytest.mark.parametrize("question", range(QUESTIONS))
def test_ctrl_c_at_a_question_leaves_nothing(setup: Setup, tmp_path: Path, question: int) -> None:
    status, said = setup([*[""] * question, CTRL_C])

    assert status == 130
    assert said.splitlines()[-1] == "Stopped; nothing more was done."
    assert not (tmp_path / "env").exists()


def test_where_nobody_answers_it_says_how_to_do_without(setup: Setup, tmp_path: Path) -> None:
    status, said = setup(["", CTRL_D])

    assert status == 2
    assert "--help" in said
    assert not (tmp_path / "env").exists()


NOWHERE = "http://127.0.0.1:9"  # nothing listens at the port that discards


def test_a_token_of_another_platform_is_told(setup: Setup, tmp_path: Path) -> None:
    telegram, discord = "1234567:" + "A" * 35, "MTAx.Gx1.abc-def"

    answers = [telegram, "", discord, "", "", "", "no"]
    status, said = setup(answers, CLAPPER_DISCORD_API_URL=f"{NOWHERE}/api/v10")

    assert status == 0, said
    assert said.count("token of a Telegram bot") == 1
    assert "CLAPPER_TELEGRAM_TOKEN is no token" in said
    assert "TOKEN" not in (tmp_path / "env").read_text()
    assert telegram not in said
    assert discord not in said


def test_a_data_directory_that_is_none_is_told_before_anything_is_written(
    setup: Setup, tmp_path: Path
) -> None:
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures" / "mine.png").touch()

    status, said = setup([], "--yes", "--data-dir", tmp_path / "pictures")

    assert status == 5, said
    assert str(tmp_path / "pictures") in said
    assert not (tmp_path / "env").exists()


def test_answers_are_taken_as_they_were_meant(setup: Setup, tmp_path: Path) -> None:
    foreign = tmp_path / "pictures"
    foreign.mkdir()
    (foreign / "mine.png").touch()

    answers = ["  ", "", " LOW ", str(foreign), "~nobody-of-here/x", " my data ", "perhaps", "no"]
    status, said = setup(answers)

    written = (tmp_path / "env").read_text()
    assert status == 0, said
    assert f"CLAPPER_DATA_DIR='{tmp_path / 'my data'}'" in written
    assert "CLAPPER_MODEL_PROFILE=low" in written
    assert str(foreign) in said
    assert [path.name for path in foreign.iterdir()] == ["mine.png"]
    assert said.count("Start the service now?") == 2


@pytest.mark.parametrize(
    ("locale", "question", "no"),
    [("de_DE.UTF-8", "Den Dienst jetzt starten? [J/n]", "n"), ("pl_PL", "[T/n]", "nie")],
)
def test_it_asks_in_the_language_of_the_terminal(
    setup: Setup, locale: str, question: str, no: str
) -> None:
    status, said = setup(["", "", "", "", no], LANG=locale)

    assert status == 0, said
    assert question in said


def test_a_folder_is_no_file_of_settings(setup: Setup, tmp_path: Path) -> None:
    (tmp_path / "env").mkdir()
    (tmp_path / "env" / "mine").touch()

    status, said = setup([], "--force", "--yes")

    assert status == 5
    assert str(tmp_path / "env") in said
    assert (tmp_path / "env" / "mine").is_file()


def test_a_place_where_nothing_can_be_written_is_told_before_any_question(
    setup: Setup, tmp_path: Path
) -> None:
    (tmp_path / "notes").touch()

    status, said = setup([], "--file", str(tmp_path / "notes" / "deeper" / "env"))

    assert status == 5
    assert f"{tmp_path / 'notes'} is a file, not a folder" in said
    assert "Token" not in said
