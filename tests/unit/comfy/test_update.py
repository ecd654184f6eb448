"""``clapper comfy update --to``: another ComfyUI beside the one in use, real repositories."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from core.cli import comfy, comfy_trial
from core.cli.comfy_trial import UpdateTrial, try_and_switch
from core.comfy.install.candidate import add_packages, commit_of, lay_out
from core.comfy.install.checkout import Head, check_out, head_of
from core.comfy.install.choice import ChosenCheckout, read_choice, write_choice
from core.comfy.install.errors import CandidateFailed, ReferenceUnknown
from core.comfy.install.pins import Pin, Pins
from core.comfy.paths import comfy_paths, pinned_paths
from core.domain.modes import Mode
from core.settings import load_settings

Git = Callable[..., str]
MakePin = Callable[..., Pin]
MakeCommit = Callable[[Path, str], str]
RUNNER = CliRunner()


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pins: Pins) -> Path:
    monkeypatch.setenv("CLAPPER_COMFYUI_DIR", str(tmp_path / "checkout"))
    monkeypatch.setenv("CLAPPER_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setattr(comfy, "load_pins", lambda: pins)
    check_out(pins.comfyui, tmp_path / "checkout")
    return tmp_path


def typed(*arguments: str) -> tuple[int, str]:
    result = RUNNER.invoke(comfy.APP, list(arguments))
    return result.exit_code, re.sub(r"\s+", " ", result.output)


def chosen(folder: Path, commit: str, version: str = "0.28.0") -> ChosenCheckout:
    return ChosenCheckout(folder.name, "v0.28.0", commit, version)


def test_a_broken_repository_where_it_is_typed_does_not_matter(
    upstream: Path, pin: MakePin, commit: MakeCommit, git: Git, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    newer = commit(upstream, "0.28.0")
    git(upstream, "tag", "ref")
    (tmp_path / ".git").write_text("gitdir: /nowhere\n")
    monkeypatch.chdir(tmp_path)

    assert commit_of(pin(), "ref") == newer


@pytest.mark.parametrize("kind", ["branch", "light tag", "annotated tag", "commit"])
def test_a_reference_is_the_commit_that_it_names(
    upstream: Path, pin: MakePin, commit: MakeCommit, git: Git, kind: str
) -> None:
    newer = commit(upstream, "0.28.0")
    match kind:
        case "branch":
            git(upstream, "branch", "ref")
        case "light tag":
            git(upstream, "tag", "ref")
        case "annotated tag":
            git(upstream, "tag", "-a", "-m", "words", "ref")
        case _:
            assert commit_of(pin(), newer) == newer
            return
    commit(upstream, "0.29.0")

    assert commit_of(pin(), "ref") == newer


@pytest.mark.parametrize("ref", ["v9", "--upload-pack=touch x", "", "refs/heads/master"])
def test_a_reference_that_is_none_is_refused_by_name(pin: MakePin, ref: str) -> None:
    with pytest.raises(ReferenceUnknown) as refused:
        commit_of(pin(), ref)

    assert refused.value.ref == ref


def test_another_one_lies_beside_and_the_one_in_use_is_not_touched(
    here: Path, upstream: Path, pins: Pins, commit: MakeCommit
) -> None:
    newer = commit(upstream, "0.28.0")

    folder = lay_out(pins.comfyui, newer, here / "checkout")

    assert folder.parent == here
    assert head_of(folder) == Head(newer, changed=0)
    assert head_of(here / "checkout") == Head(pins.comfyui.commit, changed=0)
    assert comfy_paths(load_settings()).checkout == here / "checkout"


def test_a_choice_is_what_everybody_uses_and_update_goes_back(
    here: Path, upstream: Path, pins: Pins, commit: MakeCommit
) -> None:
    newer = commit(upstream, "0.28.0")
    folder = lay_out(pins.comfyui, newer, here / "checkout")
    write_choice(here / "checkout", chosen(folder, newer))

    used = comfy_paths(load_settings())
    _, status = typed("status")
    code, text = typed("update", "--no-packages")

    assert (used.checkout, used.version, used.wanted) == (folder, "0.28.0", "0.28.0")
    assert "tried and" in status
    assert code == 0
    assert "pinned one, is used again" in text
    assert comfy_paths(load_settings()) == pinned_paths(load_settings())


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", "{}", '{"folder": "../elsewhere", "ref": "", "commit": "", "version": ""}',
     '{"folder": "gone", "ref": "", "commit": "", "version": ""}'],
)  # fmt: skip
def test_a_choice_that_says_nothing_sound_is_none(here: Path, content: str) -> None:
    (here.parent / "elsewhere").mkdir(exist_ok=True)
    (here.parent / "elsewhere" / "comfyui_version.py").touch()
    (here / "checkout.chosen.json").write_text(content)

    assert read_choice(here / "checkout") is None
    assert comfy_paths(load_settings()).checkout == here / "checkout"


def test_what_is_no_comfyui_is_not_used_and_the_old_one_stays(
    here: Path, upstream: Path, commit: MakeCommit, git: Git, pins: Pins
) -> None:
    git(upstream, "rm", "-q", "comfyui_version.py")
    git(upstream, "commit", "-q", "--allow-empty", "-m", "empty")

    code, text = typed("update", "--to", "master", "--no-packages")

    assert code != 0
    assert "holds no ComfyUI" in text
    assert read_choice(here / "checkout") is None
    assert head_of(here / "checkout") == Head(pins.comfyui.commit, changed=0)


def test_one_that_does_not_start_is_not_used_and_its_last_words_are_told(
    here: Path, upstream: Path, commit: MakeCommit, pins: Pins
) -> None:
    commit(upstream, "0.28.0")  # a version and nothing else: its modules are missing

    code, text = typed("update", "--to", "master", "--no-packages", "--mode", "t2v")

    assert code != 0
    assert "is not used; the one in use stays" in text
    assert read_choice(here / "checkout") is None
    assert comfy_paths(load_settings()).version == "0.27.0"


@pytest.mark.parametrize("ref", ["", "v9.9.9", "0" * 40, "bb131be"])
def test_a_reference_that_is_not_there_is_told_and_the_pins_are_not_blamed(
    here: Path, pins: Pins, ref: str
) -> None:
    code, text = typed("update", "--to", ref, "--no-packages")

    assert code != 0
    assert f"has no tag, branch or commit {ref}" in text
    assert "pins.toml" not in text
    assert head_of(here / "checkout") == Head(pins.comfyui.commit, changed=0)
    assert read_choice(here / "checkout") is None


def test_a_repository_that_does_not_answer_is_told_and_nothing_is_changed(
    here: Path, pins: Pins, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = replace(pins.comfyui, repository="http://127.0.0.1:1/comfyui")
    monkeypatch.setattr(comfy, "load_pins", lambda: replace(pins, comfyui=gone))

    code, text = typed("update", "--to", "master", "--no-packages")

    assert code != 0
    assert "127.0.0.1:1/comfyui does not answer" in text
    assert "run the same command again" in text
    assert read_choice(here / "checkout") is None


TELLS = """
import json, sys, time
from pathlib import Path

print(json.dumps({"defects": []}), flush=True)
print(json.dumps({"mode": "t2v", "rows": []}), flush=True)
while not Path(sys.argv[0]).with_name("heard").exists():
    time.sleep(0.01)
print(json.dumps({"mode": "i2v", "broken": "it does not"}), flush=True)
"""


def test_what_a_trial_finds_is_told_while_it_goes_on(
    here: Path, upstream: Path, commit: MakeCommit, pins: Pins, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The program waits for what the first line of it is answered with."""
    commit(upstream, "0.28.0")
    program = here / "program.py"
    program.write_text(TELLS)
    monkeypatch.setattr(comfy_trial, "PROGRAM", (str(program),))
    heard: list[str] = []

    def tell(sentence: str) -> None:
        heard.append(sentence)
        if "runs compared" in sentence:
            (here / "heard").touch()

    asked = UpdateTrial(pins.comfyui, "master", [Mode.T2V, Mode.I2V], packages=False)
    with pytest.raises(CandidateFailed) as failed:
        try_and_switch(asked, load_settings(), tell)

    assert "runs compared" in heard[-1]
    assert "i2v does not run: it does not" in failed.value.broken
    assert Path(failed.value.path).is_dir()


def test_packages_that_only_the_other_one_needs_stay_in_its_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, ...]] = []

    def pip(what: str, requirements: list[str], into: Path) -> None:
        assert what == "packages"
        asked.append(tuple(requirements))
        assert into.parent == tmp_path / "new"
        into.mkdir()
        (into / "installed").write_text(str(len(asked)))

    monkeypatch.setattr("core.comfy.install.candidate.install_packages", pip)
    for name, lines in (("old", "einops\ntorch\n"), ("new", "einops\ntorch>=3\nnew-one==2 # why\n"
                        "--index-url x\ncomfyui-frontend-package==9\n")):  # fmt: skip
        (tmp_path / name).mkdir()
        (tmp_path / name / "requirements.txt").write_text(lines)

    place = tmp_path / "new" / ".clapper-packages"
    for run in ("1", "2"):
        assert add_packages(tmp_path / "new", tmp_path / "old") == ["new-one==2"]
        assert (place / "installed").read_text() == run
    place.rename(place.with_name(".clapper-packages-old"))  # killed before the new ones came
    assert add_packages(tmp_path / "new", tmp_path / "old") == ["new-one==2"]
    assert asked == [("new-one==2",)] * 3
    assert sorted(path.name for path in place.parent.glob(".clapper*")) == [place.name]
    assert add_packages(tmp_path / "new", tmp_path / "new") == []


KILLED = """
import os, signal, sys
from pathlib import Path
from core.comfy.install import {module}

{patch}
from core.comfy.install.candidate import lay_out
from core.comfy.install.choice import ChosenCheckout, write_choice
from core.comfy.install.pins import Pin

pinned, commit = Path(sys.argv[1]), sys.argv[3]
folder = lay_out(Pin("ComfyUI", sys.argv[2], commit, "x", "y"), commit, pinned)
write_choice(pinned, ChosenCheckout(folder.name, "ref", commit, "0.28.0"))
"""
DIE = "os.kill(os.getpid(), signal.SIGKILL)"
POINTS = {
    "while it is fetched": ("checkout", f"checkout._bring = lambda *_: {DIE}"),
    "before the switch": ("choice", f"choice.write_atomically = lambda *_: {DIE}"),
}


@pytest.mark.parametrize("point", POINTS)
def test_killed_in_the_middle_leaves_the_old_one_and_again_it_works(
    here: Path, upstream: Path, pins: Pins, commit: MakeCommit, point: str
) -> None:
    newer = commit(upstream, "0.28.0")
    module, patch = POINTS[point]
    arguments = [str(here / "checkout"), pins.comfyui.repository, newer]
    program = KILLED.format(module=module, patch=patch)
    environment = {**os.environ, "CLAPPER_DATA_DIR": str(here / "data")}

    died = subprocess.run([sys.executable, "-c", program, *arguments], env=environment, check=False)

    assert died.returncode == -signal.SIGKILL
    assert head_of(here / "checkout") == Head(pins.comfyui.commit, changed=0)
    assert comfy_paths(load_settings()).version == "0.27.0"

    whole = KILLED.format(module=module, patch="")
    subprocess.run([sys.executable, "-c", whole, *arguments], env=environment, check=True)
    assert comfy_paths(load_settings()).version == "0.28.0"
    assert json.loads((here / "checkout.chosen.json").read_text())["commit"] == newer
