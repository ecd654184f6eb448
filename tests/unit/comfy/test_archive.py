"""A commit without git, or without an answer for it: from an archive that proves its content."""

import functools
import http.server
import io
import os
import resource
import tarfile
import threading
from collections.abc import Callable, Generator
from dataclasses import replace
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from core.comfy.install.archive import unpack
from core.comfy.install.checkout import CheckoutOutcome, check_out, head_of
from core.comfy.install.errors import (
    ArchiveAltered,
    ArchiveOffline,
    CheckoutDiskFull,
    CheckoutUnwritable,
    GitMissing,
    RepositoryOffline,
    RepositoryRefused,
)
from core.comfy.install.installer import install
from core.comfy.install.pins import Pin, Pins, load_pins
from core.comfy.install.tree_hash import tree_hash
from core.comfy.paths import ComfyPaths
from core.errors.setup import CheckoutForeign
from core.i18n.messages import explain

MakePin = Callable[..., Pin]
Git = Callable[..., str]
VERSION = "comfyui_version.py"


@pytest.fixture
def served(tmp_path: Path) -> Generator[tuple[Path, str]]:
    """A folder, and the address under which it is served."""
    folder = tmp_path / "served"
    folder.mkdir()
    handler = functools.partial(_Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield folder, f"http://127.0.0.1:{server.server_port}/it.tar.gz"
        server.shutdown()
        thread.join()


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # its name there
        pass


@pytest.fixture
def varied(upstream: Path, git: Git) -> Path:
    """Names and kinds whose order or mode is special in git."""
    for name in ("a.b", "a-b", "ab/c", "a/b/c", "Z", "ä", "with space", "empty"):
        path = upstream / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("" if name == "empty" else name)
    (upstream / "run.sh").write_text("#!/bin/sh\n")
    (upstream / "run.sh").chmod(0o755)
    (upstream / "link").symlink_to("a/b/c")
    git(upstream, "add", ".")
    git(upstream, "commit", "-q", "-m", "varied")
    return upstream


@pytest.fixture
def archived(varied: Path, pin: MakePin, git: Git, served: tuple[Path, str]) -> Pin:
    """A pin whose archive is served, as a hosting service packs it."""
    folder, address = served
    packed = str(folder / "it.tar.gz")
    git(varied, "archive", "--prefix=ComfyUI-bb131be/", "-o", packed, "HEAD")
    return replace(pin(), tree=git(varied, "rev-parse", "HEAD^{tree}"), archive=address)


@pytest.fixture
def no_git(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")


def place_in(folder: Path) -> ComfyPaths:
    return ComfyPaths(folder / "checkout", folder / "packs", folder / "base", folder / "models")


def installed(pin: Pin, folder: Path, pauses_s: tuple[float, ...] = ()) -> list[CheckoutOutcome]:
    steps: list[CheckoutOutcome] = []
    install(
        Pins("0.27.0", pin, "torch", ()),
        place_in(folder),
        lambda step: steps.append(step.outcome),
        packs=False,
        packages=False,
        torch_index="",
        pauses_s=pauses_s,
    )
    return steps


def test_the_hash_of_a_folder_is_gits_own(varied: Path, git: Git) -> None:
    (varied / "__pycache__").mkdir()
    (varied / "__pycache__" / "x.pyc").touch()
    (varied / "nothing in it").mkdir()

    assert tree_hash(varied) == git(varied, "rev-parse", "HEAD^{tree}")


def test_a_changed_byte_right_or_name_is_another_hash(varied: Path) -> None:
    seen = {tree_hash(varied)}
    (varied / "a.b").write_text("A.b")
    seen.add(tree_hash(varied))
    (varied / "run.sh").chmod(0o644)
    seen.add(tree_hash(varied))
    (varied / "Z").rename(varied / "Y")
    seen.add(tree_hash(varied))

    assert len(seen) == 4


def test_without_git_the_archive_is_laid_out_once(
    archived: Pin, served: tuple[Path, str], tmp_path: Path, no_git: None
) -> None:
    assert installed(archived, tmp_path) == [CheckoutOutcome.STARTED, CheckoutOutcome.DONE]
    (served[0] / "it.tar.gz").unlink()

    assert installed(archived, tmp_path)[-1] is CheckoutOutcome.ALREADY
    checkout = tmp_path / "checkout"
    assert tree_hash(checkout) == archived.tree
    assert (checkout / "link").readlink() == Path("a/b/c")
    assert place_in(tmp_path).version == "0.27.0"


def test_a_repository_that_does_not_answer_is_tried_again_and_then_left_for_the_archive(
    archived: Pin, tmp_path: Path
) -> None:
    away = replace(archived, repository="http://127.0.0.1:1/ComfyUI")

    with capture_logs() as said:
        outcomes = installed(away, tmp_path, (0.001, 0.002))

    assert outcomes[-1] is CheckoutOutcome.DONE
    tries = [line["again_s"] for line in said if line["event"] == "repository_offline"]
    assert tries == [0.001, 0.002]
    assert tree_hash(tmp_path / "checkout") == archived.tree


def test_git_goes_on_with_what_an_archive_laid_out(
    archived: Pin, pin: MakePin, upstream: Path, tmp_path: Path
) -> None:
    checkout = tmp_path / "checkout"
    unpack(archived, checkout)

    assert check_out(archived, checkout) is CheckoutOutcome.DONE

    head = head_of(checkout)
    assert head is not None
    assert (head.commit, head.changed) == (archived.commit, 0)


def test_what_git_laid_out_counts_where_git_is_gone(
    archived: Pin, tmp_path: Path, served: tuple[Path, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    check_out(archived, tmp_path / "checkout")
    (served[0] / "it.tar.gz").unlink()
    monkeypatch.setenv("PATH", "/nowhere")

    assert installed(archived, tmp_path)[-1] is CheckoutOutcome.ALREADY


def test_without_archive_gits_own_reason_is_told(
    archived: Pin, served: tuple[Path, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (served[0] / "it.tar.gz").unlink()
    with pytest.raises(RepositoryOffline):
        installed(replace(archived, repository="http://127.0.0.1:1/x"), tmp_path / "a")
    with pytest.raises(RepositoryRefused):
        installed(replace(archived, repository=served[1]), tmp_path / "b")
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(GitMissing):
        installed(archived, tmp_path / "c")
    with pytest.raises(GitMissing):
        installed(replace(archived, archive=""), tmp_path / "d")
    with pytest.raises(ArchiveOffline) as caught:
        unpack(archived, tmp_path / "e")
    assert explain(caught.value, "de") != explain(caught.value)


def one_more(served: Path, member: tarfile.TarInfo, content: bytes = b"") -> None:
    """Pack the archive anew with another member."""
    source, target = served / "it.tar.gz", served / "new"
    with tarfile.open(source) as old, tarfile.open(target, "w:gz") as new:
        for item in old.getmembers():
            new.addfile(item, old.extractfile(item) if item.isfile() else None)
        member.size = len(content)
        new.addfile(member, io.BytesIO(content))
    target.replace(source)


def leading(name: str, target: str) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type, member.linkname = tarfile.SYMTYPE, target
    return member


@pytest.mark.parametrize(
    "member",
    [
        tarfile.TarInfo("ComfyUI-bb131be/more.py"),
        tarfile.TarInfo("ComfyUI-bb131be/../../out.py"),
        tarfile.TarInfo("ComfyUI-bb131be//etc/out.py"),
        leading("ComfyUI-bb131be/away", "/etc"),
        leading("ComfyUI-bb131be/away", "../../.."),
    ],
    ids=lambda member: f"{member.name} {member.linkname}",
)
def test_an_archive_with_anything_else_is_thrown_away(
    archived: Pin, served: tuple[Path, str], tmp_path: Path, member: tarfile.TarInfo
) -> None:
    one_more(served[0], member, b"" if member.issym() else b"print('mine')")

    with pytest.raises(ArchiveAltered) as caught:
        unpack(archived, tmp_path / "home" / "checkout")

    assert explain(caught.value)
    assert list((tmp_path / "home").iterdir()) == []
    assert not (tmp_path / "out.py").exists()


@pytest.mark.parametrize("content", [b"", b"<html>sign in</html>", b"\x1f\x8b\x08\x00cut"])
def test_what_is_no_archive_is_thrown_away(
    archived: Pin, served: tuple[Path, str], tmp_path: Path, content: bytes
) -> None:
    (served[0] / "it.tar.gz").write_bytes(content)

    with pytest.raises(ArchiveAltered):
        unpack(archived, tmp_path / "checkout")


def test_a_folder_of_somebody_else_is_left_alone(archived: Pin, tmp_path: Path) -> None:
    theirs = tmp_path / "checkout"
    theirs.mkdir()
    (theirs / "notes").write_text("mine")

    with pytest.raises(CheckoutForeign):
        unpack(archived, theirs)

    assert (theirs / "notes").read_text() == "mine"


def test_what_lay_there_of_ours_is_kept_beside(archived: Pin, tmp_path: Path) -> None:
    checkout = tmp_path / "checkout"
    for _ in range(2):
        unpack(archived, checkout)
        (checkout / VERSION).write_text("edited")
    unpack(archived, checkout)

    kept = [tmp_path / f"checkout-before-{number}" / VERSION for number in (1, 2)]
    assert [path.read_text() for path in kept] == ["edited", "edited"]
    assert tree_hash(checkout) == archived.tree


def test_a_full_disk_and_a_place_that_cannot_be_written_are_told(
    archived: Pin, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(CheckoutUnwritable):
        unpack(archived, tmp_path / "file" / "checkout")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (64, hard))
    try:
        with pytest.raises(CheckoutDiskFull):
            unpack(archived, tmp_path / "checkout")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert not (tmp_path / "checkout").exists()


def test_our_own_pin_can_be_had_without_git() -> None:
    pin = load_pins().comfyui

    assert len(pin.tree) == 40
    assert pin.archive.startswith("https://")
    assert pin.archive.endswith(pin.commit)
    assert os.path.basename(pin.repository) in pin.archive  # noqa: PTH119  # an address
