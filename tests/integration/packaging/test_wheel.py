"""The wheel as people install it: away from the checkout, with a home of its own."""

import ast
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from core.runtime.program_files import PROJECT_ROOT

LEFT_OUT = ("core.testing", "bots.testing", "webui.testing", "tests", "bench")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the built wheel lies unpacked, as pip does it."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=PROJECT_ROOT, check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    assert wheel.name.startswith("clapper_bot-")
    with zipfile.ZipFile(wheel) as packed:
        packed.extractall(folder / "site")
    return folder / "site"


def run(site: Path, home: Path, *arguments: str, first: Path | None = None) -> "Done":
    """Run ``clapper`` of ``site`` in an empty folder of ``home``."""
    (home / "elsewhere").mkdir(exist_ok=True)
    path = os.pathsep.join(str(one) for one in (first, site) if one)
    environment = {"PATH": os.environ["PATH"], "HOME": str(home), "PYTHONPATH": path}
    script = "import clapper; clapper.main()"
    return subprocess.run(
        [sys.executable, "-P", "-c", script, *arguments],
        cwd=home / "elsewhere", env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip


Done = subprocess.CompletedProcess[str]


def test_an_installed_clapper_makes_a_clip_and_keeps_its_rows_in_the_users_folder(
    site: Path, tmp_path: Path
) -> None:
    clip = tmp_path / "kite.mp4"

    done = run(site, tmp_path, "generate", "t2v", "-p", "a kite", "--seconds", "1", "-o", str(clip))

    assert done.returncode == 0, done.stderr
    assert clip.read_bytes()[4:8] == b"ftyp"
    assert (tmp_path / ".local/share/clapper/clapper.sqlite").is_file()
    assert not list((tmp_path / "elsewhere").iterdir())
    assert not (site / "core/resources/data").exists()


def test_what_the_program_reads_is_in_the_wheel(site: Path) -> None:
    inside = site / "core" / "resources"
    names = subprocess.run(
        ["git", "ls-files", "migrations", "workflows", "comfyui/pins.toml", "constraints.txt"],
        cwd=PROJECT_ROOT, capture_output=True, text=True, check=True,
    ).stdout.split()  # fmt: skip

    assert len(names) > 20
    for name in names:
        assert (inside / name).read_bytes() == (PROJECT_ROOT / name).read_bytes(), name
    there = {path.name for path in site.iterdir() if "__" not in path.name}
    assert {name for name in there if not name.endswith(".dist-info")} == {
        "bots", "clapper.py", "core", "webui",
    }  # fmt: skip


def test_nothing_in_the_wheel_imports_what_was_left_out(site: Path) -> None:
    assert not [one for one in LEFT_OUT if (site / one.replace(".", "/")).exists()]
    for path in site.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            found = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            if isinstance(node, ast.Import):
                found = [alias.name for alias in node.names]
            assert not [one for one in found if one.startswith(LEFT_OUT)], path


def test_another_package_of_the_same_name_is_named(site: Path, tmp_path: Path) -> None:
    foreign = tmp_path / "foreign"
    (foreign / "core").mkdir(parents=True)
    (foreign / "core" / "__init__.py").write_text("raise RuntimeError('ran')")

    done = run(site, tmp_path, "--version", first=foreign)

    assert done.returncode == 1
    assert str(foreign / "core") in done.stderr
    assert str(site / "core") in done.stderr
    assert "pipx" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_module_of_the_same_name_is_named_too(site: Path, tmp_path: Path) -> None:
    (tmp_path / "foreign").mkdir()
    (tmp_path / "foreign" / "core.py").write_text("")

    done = run(site, tmp_path, "--version", first=tmp_path / "foreign")

    assert done.returncode == 1
    assert str(tmp_path / "foreign" / "core.py") in done.stderr


def test_a_wheel_builds_the_folder_of_a_space_as_the_checkout_does(
    site: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "space"

    done = run(site, tmp_path, "space", "build", "--out", str(folder))

    assert done.returncode == 0, done.stderr
    for name in ("app.py", "core/app/core.py", "migrations/0001_jobs.sql", "workflows/t2v.json"):
        assert (folder / name).is_file(), name
    assert not (folder / "core" / "resources").exists()
