"""One repository at one commit in one folder, whatever happened to the folder before."""

import os
import select
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from core.comfy.install import git_runs
from core.comfy.install.checkout import CheckoutOutcome, Head, check_out, head_of
from core.comfy.install.errors import (
    CheckoutDiskFull,
    CheckoutUnwritable,
    CommitUnknown,
    GitMissing,
    RepositoryOffline,
    RepositoryRefused,
)
from core.comfy.install.pins import Pin
from core.errors.setup import CheckoutForeign
from core.i18n.messages import explain

MakePin = Callable[..., Pin]
MakeCommit = Callable[[Path, str], str]
Git = Callable[..., str]


def test_the_pinned_commit_is_checked_out_even_when_the_branch_has_moved_on(
    upstream: Path, pin: MakePin, commit: MakeCommit, tmp_path: Path
) -> None:
    pinned = pin()
    commit(upstream, "9.9.9")

    outcome = check_out(pinned, tmp_path / "checkout")

    assert outcome is CheckoutOutcome.DONE
    assert head_of(tmp_path / "checkout") == Head(pinned.commit, changed=0)
    assert "0.27.0" in (tmp_path / "checkout" / "comfyui_version.py").read_text()


def test_a_second_run_changes_nothing_and_needs_no_network(
    upstream: Path, pin: MakePin, commit: MakeCommit, tmp_path: Path
) -> None:
    pinned = pin()
    check_out(pinned, tmp_path / "checkout")
    upstream.rename(tmp_path / "gone")

    assert check_out(pinned, tmp_path / "checkout") is CheckoutOutcome.ALREADY


def test_a_changed_file_is_put_right(
    upstream: Path, pin: MakePin, commit: MakeCommit, tmp_path: Path
) -> None:
    pinned = pin()
    check_out(pinned, tmp_path / "checkout")
    (tmp_path / "checkout" / "comfyui_version.py").write_text("changed")

    assert check_out(pinned, tmp_path / "checkout") is CheckoutOutcome.DONE
    assert "0.27.0" in (tmp_path / "checkout" / "comfyui_version.py").read_text()


def test_a_new_pin_moves_the_checkout(
    upstream: Path, pin: MakePin, commit: MakeCommit, tmp_path: Path
) -> None:
    check_out(pin(), tmp_path / "checkout")
    newer = commit(upstream, "0.28.0")

    check_out(pin(newer), tmp_path / "checkout")

    assert head_of(tmp_path / "checkout") == Head(newer, changed=0)


def test_an_interrupted_fetch_is_resumed_in_the_same_folder(
    upstream: Path, pin: MakePin, commit: MakeCommit, tmp_path: Path
) -> None:
    pinned, folder = pin(), tmp_path / "checkout"
    moved = upstream.rename(tmp_path / "unplugged")
    with pytest.raises(RepositoryOffline):
        check_out(pinned, folder)
    # what a killed git leaves behind
    (folder / ".git" / "shallow.lock").touch()
    (folder / ".git" / "index.lock").touch()
    (folder / ".git" / "objects" / "pack" / "tmp_pack_x").write_bytes(b"half")
    moved.rename(upstream)

    assert check_out(pinned, folder) is CheckoutOutcome.DONE
    assert head_of(folder) == Head(pinned.commit, changed=0)


def test_no_network_is_said_plainly(tmp_path: Path) -> None:
    nowhere = Pin("ComfyUI", (tmp_path / "nowhere").as_uri(), "0" * 40, "x", "y")

    with pytest.raises(RepositoryOffline) as caught:
        check_out(nowhere, tmp_path / "checkout")

    assert caught.value.source == nowhere.repository
    assert caught.value.detail.endswith("does not appear to be a git repository")
    assert "Check the network" in explain(caught.value)


def test_a_commit_that_does_not_exist_is_refused(
    upstream: Path, pin: MakePin, commit: MakeCommit, tmp_path: Path
) -> None:
    with pytest.raises(CommitUnknown) as caught:
        check_out(pin("1" * 40), tmp_path / "checkout")

    assert "comfyui/pins.toml" in explain(caught.value)


def test_a_folder_of_somebody_else_is_never_touched(
    upstream: Path, pin: MakePin, commit: MakeCommit, tmp_path: Path
) -> None:
    folder = tmp_path / "my-own-comfyui"
    folder.mkdir()
    (folder / "notes.txt").write_text("mine")

    with pytest.raises(CheckoutForeign):
        check_out(pin(), folder)

    assert [path.name for path in folder.iterdir()] == ["notes.txt"]


@pytest.fixture
def laid(pin: MakePin, upstream: Path, git: Git, tmp_path: Path) -> tuple[Pin, Path]:
    """A checkout with a second file, whose repository has been unplugged."""
    (upstream / "nodes.py").write_text("one\ntwo\n")
    git(upstream, "add", "nodes.py")
    git(upstream, "commit", "-q", "-m", "nodes")
    pinned = pin()
    check_out(pinned, tmp_path / "checkout")
    upstream.rename(tmp_path / "unplugged")
    return pinned, tmp_path / "checkout"


def test_half_deleted_files_come_back_without_a_network(laid: tuple[Pin, Path]) -> None:
    pinned, folder = laid
    (folder / "nodes.py").unlink()
    assert head_of(folder) == Head(pinned.commit, changed=1)

    assert check_out(pinned, folder) is CheckoutOutcome.DONE

    assert (folder / "nodes.py").read_text() == "one\ntwo\n"
    assert not list(folder.parent.glob("*.patch"))


def test_an_edit_is_undone_and_kept_as_a_patch_that_applies(
    laid: tuple[Pin, Path], git: Git
) -> None:
    pinned, folder = laid
    (folder / "nodes.py").write_text("one\nmine\n")
    kept: list[Path] = []

    check_out(pinned, folder, kept.append)

    assert (folder / "nodes.py").read_text() == "one\ntwo\n"
    git(folder, "apply", str(kept[0]))
    assert (folder / "nodes.py").read_text() == "one\nmine\n"
    check_out(pinned, folder, kept.append)
    assert len(set(kept)) == 2


@pytest.mark.parametrize("damage", ["", "DIRC torn"])
def test_a_torn_list_of_files_is_made_anew_without_a_network(
    laid: tuple[Pin, Path], damage: str
) -> None:
    pinned, folder = laid
    (folder / ".git" / "index").write_text(damage)

    assert check_out(pinned, folder) is CheckoutOutcome.DONE
    assert head_of(folder) == Head(pinned.commit, changed=0)


@pytest.mark.parametrize("lost", ["HEAD", "config", "objects", "refs"])
def test_a_half_deleted_repository_is_fetched_again(
    laid: tuple[Pin, Path], tmp_path: Path, lost: str
) -> None:
    pinned, folder = laid
    (tmp_path / "unplugged").rename(tmp_path / "upstream")
    path = folder / ".git" / lost
    shutil.rmtree(path) if path.is_dir() else path.unlink()

    check_out(pinned, folder)

    assert head_of(folder) == Head(pinned.commit, changed=0)


def test_a_repository_without_its_head_never_stands_for_the_one_above_it(
    laid: tuple[Pin, Path], git: Git, tmp_path: Path
) -> None:
    _, folder = laid
    git(tmp_path, "init", "-q")
    git(tmp_path, "commit", "-q", "--allow-empty", "-m", "of somebody else")
    (folder / ".git" / "HEAD").unlink()

    assert head_of(folder) is None


def test_files_that_the_next_pin_lacks_go_also_after_the_list_was_torn(
    laid: tuple[Pin, Path], git: Git, pin: MakePin, tmp_path: Path
) -> None:
    _, folder = laid
    upstream = (tmp_path / "unplugged").rename(tmp_path / "upstream")
    git(upstream, "rm", "-q", "nodes.py")
    git(upstream, "commit", "-q", "-m", "without")
    (folder / ".git" / "index").write_text("torn")

    check_out(pin(), folder)

    assert not (folder / "nodes.py").exists()


FAKE_GIT = """#!/bin/sh
case " $* " in
  *" {command} "*)
    [ "{when}" = before ] || "{git}" "$@"
    mkdir -p "{git_folder}/objects/pack" || exit
    touch "{git_folder}/index.lock" "{git_folder}/objects/pack/tmp_pack_half" || exit
    echo reached > "{reached}" || exit
    read -r _ < "{never}" ;;
esac
exec "{git}" "$@"
"""
RUN = """import sys
from pathlib import Path
from core.comfy.install.checkout import check_out
from core.comfy.install.pins import Pin
check_out(Pin("ComfyUI", sys.argv[1], sys.argv[2], "x", "y"), Path(sys.argv[3]))
"""


def wait_until_reached(reached: int, child: "subprocess.Popen[str]") -> None:
    """Return once the fake git has come so far; a child that ends before that is a failure."""
    assert child.stderr is not None
    ready = select.select([reached, child.stderr], [], [], 120)[0]  # seconds
    assert ready == [reached], f"git was not reached: {child.stderr.read() if ready else 'stuck'}"


@pytest.mark.parametrize(
    ("command", "when"),
    [("init", "before"), ("fetch", "before"), ("fetch", "after"), ("checkout", "after")],
)
def test_a_run_that_is_killed_in_the_middle_is_gone_on_with(
    pin: MakePin, tmp_path: Path, command: str, when: str
) -> None:
    pinned, folder = pin(), tmp_path / "checkout"
    programs, reached, never = (tmp_path / name for name in ("programs", "reached", "never"))
    programs.mkdir()
    os.mkfifo(reached)
    os.mkfifo(never)
    arrival = os.open(reached, os.O_RDWR)  # opened for both, it neither waits nor ends
    fake = FAKE_GIT.format(command=command, when=when, git=shutil.which("git"), reached=reached,
                           never=never, git_folder=folder / ".git")  # fmt: skip
    (programs / "git").write_text(fake)
    (programs / "git").chmod(0o755)
    child = subprocess.Popen(
        [sys.executable, "-c", RUN, pinned.repository, pinned.commit, str(folder)],
        env={**os.environ, "PATH": f"{programs}:{os.environ['PATH']}"},
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        wait_until_reached(arrival, child)
    finally:
        os.killpg(child.pid, signal.SIGKILL)
        child.communicate()
        os.close(arrival)

    check_out(pinned, folder)

    assert head_of(folder) == Head(pinned.commit, changed=0)
    assert not list((folder / ".git").glob("objects/pack/tmp_*"))


def test_a_second_run_beside_the_first_waits_for_it(pin: MakePin, tmp_path: Path) -> None:
    pinned, folder = pin(), tmp_path / "checkout"
    command = [sys.executable, "-c", RUN, pinned.repository, pinned.commit, str(folder)]

    both = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(2)]

    assert [child.communicate()[1] for child in both] == ["", ""]
    assert head_of(folder) == Head(pinned.commit, changed=0)


def complaining(folder: Path, complaint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put a git first on the path that says this, and then what git says to everybody."""
    text = f"#!/bin/sh\ncat >&2 <<'END'\n{complaint}\nadvice\nEND\nexit 128\n"
    (folder / "git").write_text(text)
    (folder / "git").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")


@pytest.mark.parametrize(
    ("complaint", "problem"),
    [
        ("fatal: unable to access 'https://x/': Could not resolve host: x", RepositoryOffline),
        ("error: RPC failed; curl 28 Operation too slow\nfatal: early EOF", RepositoryOffline),
        ("fatal: could not read Username for 'https://x': terminal prompts disabled",
         RepositoryRefused),
        ("fatal: unable to access 'https://x/': The requested URL returned error: 404",
         RepositoryRefused),
        ("fatal: write error: No space left on device", CheckoutDiskFull),
        ("fatal: cannot mkdir comfy: Permission denied", CheckoutUnwritable),
    ],
)  # fmt: skip
def test_what_git_complains_about_becomes_its_own_sentence(
    pin: MakePin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, complaint: str,
    problem: type[Exception],
) -> None:  # fmt: skip
    pinned = pin()
    complaining(tmp_path, complaint, monkeypatch)

    with pytest.raises(problem) as caught:
        check_out(pinned, tmp_path / "checkout")

    assert "advice" not in explain(caught.value)


FULL = """import resource, signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # the write fails instead, as on a full disk
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
"""


def test_a_disk_that_fills_up_is_said_and_the_next_run_goes_on(
    pin: MakePin, upstream: Path, git: Git, tmp_path: Path
) -> None:
    (upstream / "large.bin").write_bytes(os.urandom(500_000))
    git(upstream, "add", "large.bin")
    git(upstream, "commit", "-q", "-m", "large")
    pinned, folder = pin(), tmp_path / "checkout"

    done = subprocess.run(
        [sys.executable, "-c", FULL + RUN, pinned.repository, pinned.commit, str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )

    assert "checkout_disk_full" in done.stderr
    assert check_out(pinned, folder) is CheckoutOutcome.DONE


def test_a_write_that_fails_where_hardly_anything_is_free_is_a_full_disk(
    pin: MakePin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pinned = pin()
    complaining(tmp_path, "error: unable to write file nodes.py", monkeypatch)
    monkeypatch.setattr(git_runs, "_SPARE_BYTES", 2**62)

    with pytest.raises(CheckoutDiskFull):
        check_out(pinned, tmp_path / "checkout")


def test_without_git_its_name_is_said(
    pin: MakePin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pinned = pin()
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(GitMissing):
        check_out(pinned, tmp_path / "checkout")


def test_a_folder_that_cannot_be_made_is_named(pin: MakePin, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")

    with pytest.raises(CheckoutUnwritable) as caught:
        check_out(pin(), tmp_path / "file" / "checkout")

    assert str(tmp_path / "file") in explain(caught.value)


def test_variables_of_another_repository_mislead_nobody(
    pin: MakePin, upstream: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pinned = pin()
    monkeypatch.setenv("GIT_DIR", str(upstream / ".git"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(upstream / ".git" / "index"))

    check_out(pinned, tmp_path / "checkout")

    assert head_of(tmp_path / "checkout") == Head(pinned.commit, changed=0)
