"""A checkout goes to another release and back, with its data."""

import shlex
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from core.cli.upgrade import command
from core.cli.upgrade.checkout import ProgramCheckout
from core.runtime.program_files import PROJECT_ROOT
from core.settings import Settings

HERE = Path(sysconfig.get_paths()["purelib"])
MIGRATION = """'A migration.'

from alembic import op

revision = "{number}"
down_revision = "{before}"
oldest = 1


def upgrade() -> None:
    {what}
"""
AUTHOR = ("-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false")


def git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", *AUTHOR, *arguments], cwd=folder, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


@pytest.fixture(scope="module")
def origin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with the program as it is, and two releases after it; the last is broken."""
    if not (PROJECT_ROOT / ".git").exists():
        pytest.skip("needs the checkout of Clapper, with git")
    folder = tmp_path_factory.mktemp("origin")
    known = git(PROJECT_ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    for name in known.split("\0"):
        source, target = PROJECT_ROOT / name, folder / name
        if source.is_file() and name.partition("/")[0] not in ("tests", "bench", "docs"):
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
    git(folder, "init", "--quiet")
    newest = max(path.name[:4] for path in (folder / "migrations" / "versions").glob("0*.py"))
    good = MIGRATION.format(number="9001", before=newest, what="op.execute('SELECT 1')")
    bad = MIGRATION.format(number="9002", before="9001", what="raise ValueError('no')")
    for tag, version, files in (
        ("v9.0.0", "9.0.0", {}),
        ("v9.10.0", "9.10.0", {}),
        ("v9.10.1", "9.10.1", {"9001_good.py": good, "9002_bad.py": bad}),
        ("v9.11.0", "9.11.0", {"../../pyproject.toml": "[project]\nname = 'clapper-bot'\n"}),
    ):
        (folder / "core" / "version.txt").write_text(version)
        for name, text in files.items():
            (folder / "migrations" / "versions" / name).write_text(text)
        git(folder, "add", "--all")
        git(folder, "commit", "--quiet", "-m", version)
        git(folder, "tag", tag)
    return folder


class Installation:
    """A checkout with an environment of its own, which finds every library of this one."""

    def __init__(self, folder: Path, origin: Path) -> None:
        self.folder = folder / "clapper"
        subprocess.run(
            ["git", "clone", "--quiet", str(origin), str(self.folder)],
            check=True,
            capture_output=True,
        )
        git(self.folder, "checkout", "--quiet", "v9.0.0")
        self.python = folder / "environment" / "bin" / "python"
        made = [sys.executable, "-m", "venv", "--without-pip", str(folder / "environment")]
        subprocess.run(made, check=True)
        (site,) = (folder / "environment" / "lib").glob("python*/site-packages")
        libraries = [str(self.folder), str(HERE), *(one for one in sys.path if "-packages" in one)]
        (site / "here.pth").write_text("\n".join(libraries))

    def run(self, *arguments: str, **more: str) -> "subprocess.CompletedProcess[str]":
        environment = more | {
            "PATH": f"{self.python.parent}:/usr/bin:/bin",
            "HOME": str(self.folder.parent),
            # all that it needs is here: nothing is fetched but from the repository beside it
            "PIP_NO_DEPS": "1",
            "PIP_NO_BUILD_ISOLATION": "0",
            "PIP_NO_INDEX": "1",
        }
        return subprocess.run(
            [str(self.python), "-m", "clapper", *arguments],
            cwd=self.folder, env=environment, capture_output=True, text=True, check=False,
        )  # fmt: skip

    @property
    def release(self) -> str:
        return git(self.folder, "describe", "--tags")


@pytest.fixture
def installed(tmp_path: Path, origin: Path) -> Installation:
    return Installation(tmp_path, origin)


def test_an_update_keeps_the_data_and_says_the_way_back(installed: Installation) -> None:
    made = installed.run("generate", "t2v", "-p", "a kite", "--seconds", "1", "-o", "../kite.mp4")
    assert made.returncode == 0, made.stderr

    done = installed.run("update", "--to", "9.10.0")

    assert done.returncode == 0, done.stdout + done.stderr
    assert installed.release == "v9.10.0"
    assert "git checkout" in done.stdout
    kept = installed.folder / "data-before-v9.10.0"
    assert str(kept) in done.stdout
    assert any(kept.rglob("*.mp4"))
    assert "a kite" not in installed.run("update", "--check").stdout


def test_a_release_that_cannot_be_installed_leaves_all_as_it_was(
    installed: Installation,
) -> None:
    done = installed.run("update")

    assert done.returncode != 0
    assert "install" in done.stderr
    assert installed.release == "v9.0.0"


def test_a_migration_that_fails_leaves_the_data_to_the_program_of_before(
    installed: Installation,
) -> None:
    made = installed.run("quota", "grant", "discord:7", "30")
    assert made.returncode == 0, made.stderr

    done = installed.run("update", "--to", "9.10.1")

    assert done.returncode == 5
    assert "migrate" in done.stderr
    assert installed.release == "v9.0.0"
    kept = installed.run("quota", "show", "discord:7")
    assert kept.returncode == 0, kept.stderr
    assert "50 min" in kept.stdout  # 20 are everybody's


@pytest.mark.parametrize("step", ["install", "migrate"])
def test_ctrl_c_in_a_step_goes_back(
    installed: Installation, settings: Settings, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    done: list[str] = []

    def pressed(_: object, *commands: list[str]) -> bool:
        done.extend(shlex.join(each) for each in commands)
        if step in done[-1] and "restore" not in done[-1] and done.count(done[-1]) == 1:
            raise KeyboardInterrupt
        return True

    monkeypatch.setattr(command._Update, "_done", pressed)
    checkout = ProgramCheckout(installed.folder)
    way = command._Update(checkout, settings, "v9.10.0", checkout.commit(), [])

    with pytest.raises(KeyboardInterrupt):
        way.run()

    assert installed.release == "v9.0.0"
    assert "--editable" in done[-1]


def test_where_origin_cannot_be_reached_nothing_changes(installed: Installation) -> None:
    git(installed.folder, "remote", "set-url", "origin", "https://127.0.0.1:9/clapper.git")

    done = installed.run("update")

    assert done.returncode == 5
    assert "git fetch" in done.stderr
    assert "Traceback" not in done.stderr
    assert installed.release == "v9.0.0"


def test_what_was_changed_here_is_not_mixed_with_a_release(installed: Installation) -> None:
    (installed.folder / "README.md").write_text("mine")

    done = installed.run("update")

    assert done.returncode == 2
    assert "README.md" in done.stderr
    assert installed.release == "v9.0.0"


def test_it_is_this_checkout_also_where_git_runs_us_for_another(
    installed: Installation, tmp_path: Path
) -> None:
    done = installed.run("update", "--check", GIT_DIR=str(tmp_path), GIT_WORK_TREE=str(tmp_path))

    assert done.returncode == 0, done.stderr
    assert "v9.11.0" in done.stdout


def test_a_release_that_is_not_there_is_named(installed: Installation) -> None:
    done = installed.run("update", "--to", "7.1.0")

    assert done.returncode == 2
    assert "7.1.0" in done.stderr
    assert "v9.11.0" in done.stderr


def test_where_there_is_no_release_yet_the_way_without_is_said(installed: Installation) -> None:
    for tag in git(installed.folder, "tag", "--list").split():
        git(installed.folder, "tag", "--delete", tag)
    git(installed.folder, "remote", "set-url", "origin", str(installed.folder))

    done = installed.run("update", "--check")

    assert done.returncode == 2
    assert "git pull" in done.stderr
