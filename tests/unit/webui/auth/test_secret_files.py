"""The files of the Studio that are taken for the truth: its key and its user file."""

import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

import pytest
from structlog.testing import capture_logs

from core.errors import ClapperError
from core.i18n.messages import explain
from core.settings import PROJECT_ROOT
from webui.auth.session_cookie import AccountSession, SessionSigner
from webui.auth.user_file import User, UserFile, add

FULL_DISK = """
    import resource
    resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit}))
"""
KILLED_BEFORE_THE_RENAME = """
    import os, signal, sys
    sys.addaudithook(lambda event, _: event == "os.rename" and os.kill(os.getpid(), signal.SIGKILL))
"""
TORN: list[Callable[[str], str]] = [
    lambda text: "",
    lambda text: "\n",
    lambda text: text[:-1],  # 15 minutes may have been 150
    lambda text: text[:-2],
    lambda text: text[:-10],
    lambda text: text.replace(":15", ":nan"),
    lambda text: text.replace(":15", ":-1"),
    lambda text: "ada:::\n",
    lambda text: text.replace("ada", ""),
]
MAKE_KEY = """
    import sys
    from pathlib import Path
    from webui.auth.session_cookie import SessionSigner
    print(SessionSigner.in_folder(Path(sys.argv[1])).key.decode())
"""
ADD_USER = """
    import sys
    from pathlib import Path
    from webui.auth.user_file import User, add
    add(Path(sys.argv[1]) / "users", User.of(sys.argv[2], "correct horse", 15))
"""


def child(folder: Path, *parts: str, name: str = "ada") -> "subprocess.Popen[str]":
    program = "\n".join(dedent(part) for part in parts)
    return subprocess.Popen(
        [sys.executable, "-c", program, str(folder), name],
        cwd=PROJECT_ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def outcome(process: "subprocess.Popen[str]") -> tuple[int, str]:
    text, _ = process.communicate(timeout=60)
    return process.returncode, text.strip()


def forged() -> str:
    return SessionSigner(b"").sign(AccountSession("hf", "any", "ada", 2**40, admitted="ada"))


@pytest.mark.parametrize("limit", [0, 10])
def test_a_disk_that_is_full_at_the_first_start_leaves_no_key(tmp_path: Path, limit: int) -> None:
    status, _ = outcome(child(tmp_path, FULL_DISK.format(limit=limit), MAKE_KEY))
    left = [path.name for path in tmp_path.iterdir()]
    signer = SessionSigner.in_folder(tmp_path)

    assert status == 1
    assert left == []
    assert len(signer.key) == 64
    assert signer.read(forged()) is None


def test_a_start_that_is_killed_before_the_key_is_in_place_leaves_none(tmp_path: Path) -> None:
    status, _ = outcome(child(tmp_path, KILLED_BEFORE_THE_RENAME, MAKE_KEY))
    absent = not (tmp_path / "studio.key").exists()
    signer = SessionSigner.in_folder(tmp_path)

    assert status == -9
    assert absent
    assert len(signer.key) == 64
    assert [path.name for path in tmp_path.iterdir()] == ["studio.key"]


@pytest.mark.parametrize(
    "content",
    [b"", b"0" * 32, b"0" * 63, b"0" * 65, b"0" * 64 + b"\n", b"\0" * 64, b"g" * 64, b"\xff" * 64],
)
def test_a_key_file_that_holds_no_key_is_refused_with_its_name_and_kept(
    tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / "studio.key"
    path.write_bytes(content)

    with pytest.raises(ClapperError) as caught:
        SessionSigner.in_folder(tmp_path)

    assert caught.value.code == "key_file_damaged"
    assert str(path) in explain(caught.value)
    assert str(path) in explain(caught.value, "de")
    assert path.read_bytes() == content


def test_a_key_that_cannot_be_read_is_told_with_its_name(tmp_path: Path) -> None:
    (tmp_path / "studio.key").mkdir()

    with pytest.raises(ClapperError) as caught:
        SessionSigner.in_folder(tmp_path)

    assert caught.value.code == "key_file_unusable"
    assert "studio.key" in explain(caught.value)


def test_processes_that_start_at_once_get_the_same_key(tmp_path: Path) -> None:
    started = [child(tmp_path, MAKE_KEY) for _ in range(4)]
    outcomes = {outcome(process) for process in started}

    assert outcomes == {(0, (tmp_path / "studio.key").read_text())}
    assert [path.name for path in tmp_path.iterdir()] == ["studio.key"]


def test_a_key_that_others_may_read_is_closed_to_them_and_told(tmp_path: Path) -> None:
    key = SessionSigner.in_folder(tmp_path).key
    path = tmp_path / "studio.key"
    path.chmod(0o644)

    with capture_logs() as lines:
        again = SessionSigner.in_folder(tmp_path).key

    assert again == key
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [(line["event"], line["path"]) for line in lines] == [("key_file_was_open", str(path))]


@pytest.mark.parametrize("trouble", [FULL_DISK.format(limit=100), KILLED_BEFORE_THE_RENAME])
def test_accounts_stay_when_another_one_cannot_be_written(tmp_path: Path, trouble: str) -> None:
    book = tmp_path / "users"
    add(book, User.of("ada", "correct horse"))
    status, _ = outcome(child(tmp_path, trouble, ADD_USER, name="ben"))

    assert status != 0
    assert UserFile.load(book).admit("ada", "correct horse")
    assert UserFile.load(book).get("ben") is None


def test_accounts_that_are_added_at_once_are_all_kept(tmp_path: Path) -> None:
    names = ["ada", "ben", "eve", "kim"]
    started = [child(tmp_path, ADD_USER, name=name) for name in names]

    assert {outcome(process)[0] for process in started} == {0}
    assert all(UserFile.load(tmp_path / "users").get(name) for name in names)


@pytest.mark.parametrize("torn", TORN)
def test_a_user_file_that_is_not_whole_is_refused(
    tmp_path: Path, torn: Callable[[str], str]
) -> None:
    book = tmp_path / "users"
    add(book, User.of("ada", "correct horse", 15))
    book.write_text(torn(book.read_text()))

    with pytest.raises(ClapperError) as caught:
        UserFile.load(book)

    assert "CLAPPER_STUDIO_USERS" in explain(caught.value)
    assert str(book) in explain(caught.value)


def test_a_user_file_keeps_its_group_and_stays_behind_its_link(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    real, link = tmp_path / "there" / "users", tmp_path / "users"
    link.symlink_to(real)
    add(link, User.of("ada", "correct horse"))
    fresh = stat.S_IMODE(real.stat().st_mode)
    real.chmod(0o640)  # an operator's own choice: the service reads it by its group
    add(link, User.of("ben", "correct horse"))

    assert link.is_symlink()
    assert fresh == 0o600
    assert stat.S_IMODE(real.stat().st_mode) == 0o640


def test_a_user_file_that_everybody_may_read_is_told(tmp_path: Path) -> None:
    book = tmp_path / "users"
    add(book, User.of("ada", "correct horse"))
    book.chmod(0o644)

    with capture_logs() as lines:
        UserFile.load(book)

    assert [line["event"] for line in lines] == ["user_file_is_open"]
