"""What a person has on the disk is not written over, whatever they type as the result's place."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import av
import pytest
from PIL import Image
from typer.testing import Result

from core.demo.samples import write_png, write_video, write_wav
from core.media.output.seal import is_sealed

Clapper = Callable[..., Result]
Small = list[object]


def link_soft(source: Path, place: Path) -> None:
    place.symlink_to(source)


def link_hard(source: Path, place: Path) -> None:
    place.hardlink_to(source)


@pytest.mark.parametrize("extra", [[], ["--force"]])
@pytest.mark.parametrize(
    ("mode", "options", "out"),
    [
        ("i2v", ["--image", "holiday.png"], "holiday.mp4"),
        ("i2v", ["--image", "./sub/../holiday.png"], "sub/../holiday.mp4"),
        ("style", ["--video", "film.mp4", "--image", "holiday.png"], "film.mp4"),
        ("style", ["--video", "film.mp4", "--image", "holiday.png"], "holiday.mp4"),
        ("keyframe", ["--first", "other.png", "--last", "holiday.png"], "holiday.mp4"),
        ("lipsync", ["--image", "holiday.png", "--audio", "song.wav"], "holiday.mp4"),
    ],
)
def test_an_input_is_never_written_over_and_nothing_is_spent(
    clapper: Clapper, tmp_path: Path, data_dir: Path, mode: str, options: Small, out: str,
    extra: Small,
) -> None:  # fmt: skip
    (tmp_path / "sub").mkdir()
    write_png(tmp_path / "holiday.png")
    write_png(tmp_path / "other.png", shade=3)
    write_video(tmp_path / "film.mp4")
    write_wav(tmp_path / "song.wav")
    before = {path: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()}

    result = clapper("generate", mode, "-p", "waves", *options, "-o", out, *extra)

    assert result.exit_code == 2
    assert "made from" in result.stderr
    assert "-clip.mp4" in result.stderr
    assert {path: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()} == before
    assert not data_dir.exists()


@pytest.mark.parametrize("link", [link_soft, link_hard])
def test_an_input_is_known_by_any_of_its_names(
    clapper: Clapper, tmp_path: Path, link: Callable[[Path, Path], None]
) -> None:
    photo = write_png(tmp_path / "photo.png")
    link(photo, tmp_path / "clip.png")
    before = photo.read_bytes()

    result = clapper("generate", "i2v", "--image", photo, "-p", "x", "-o", "clip.mp4")

    assert result.exit_code == 2
    assert "made from" in result.stderr
    assert photo.read_bytes() == (tmp_path / "clip.png").read_bytes() == before


def test_the_name_that_the_refusal_offers_works(
    clapper: Clapper, tmp_path: Path, small: Small
) -> None:
    photo = write_png(tmp_path / "holiday.png")
    before = photo.read_bytes()
    asked = ["generate", "i2v", "--image", photo, "-p", "waves", *small, "-o"]
    refused = clapper(*asked, "holiday.mp4")
    (offered,) = [word for word in refused.stderr.split() if word.endswith(".mp4")]

    assert clapper(*asked, offered).exit_code == 0

    assert photo.read_bytes() == before
    assert (tmp_path / offered).exists()


@pytest.mark.parametrize("name", ["clip.mp4", "clip.png"])
def test_a_file_that_is_not_an_output_of_ours_stays_without_force(
    clapper: Clapper, tmp_path: Path, data_dir: Path, small: Small, name: str
) -> None:
    (tmp_path / name).write_bytes(b"years of work")
    asked = ["generate", "t2v", "-p", "x", *small, "-o", "clip.mp4"]

    refused = clapper(*asked)

    assert refused.exit_code == 2
    assert "--force" in refused.stderr
    assert (tmp_path / name).read_bytes() == b"years of work"
    assert not data_dir.exists()
    assert clapper(*asked, "--force").exit_code == 0
    assert is_sealed(tmp_path / name)


def test_an_earlier_output_is_replaced_until_somebody_edits_it(
    clapper: Clapper, tmp_path: Path, small: Small
) -> None:
    clip, poster = tmp_path / "clip.mp4", tmp_path / "clip.png"
    asked = ["generate", "t2v", "-p", "x", *small, "-o", "clip.mp4"]
    assert clapper(*asked).exit_code == 0
    assert clapper(*asked).exit_code == 0

    kept = clip.read_bytes()
    edited = tmp_path / "edited.mp4"
    with av.open(str(clip)) as source, av.open(str(edited), "w") as target:
        target.metadata.update(source.metadata)  # all that it says of itself is kept
        stream = target.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(source.streams.video[0]):
            if packet.dts is not None:
                packet.stream = stream
                target.mux(packet)
    edited.replace(clip)
    mine = clip.read_bytes()
    assert clapper(*asked).exit_code == 2
    assert clip.read_bytes() == mine

    clip.write_bytes(kept)
    assert clapper(*asked).exit_code == 0
    Image.open(poster).transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(poster)
    assert clapper(*asked).exit_code == 2


def test_what_appears_while_the_clip_is_made_stays_and_the_clip_is_kept(
    clapper: Clapper, tmp_path: Path, data_dir: Path, small: Small, monkeypatch: pytest.MonkeyPatch
) -> None:
    from core.delivery import file_delivery

    def late(*arguments: object, **options: object) -> None:
        (tmp_path / "clip.png").write_bytes(b"came meanwhile")
        place_files(*arguments, **options)

    place_files = file_delivery.place_files
    monkeypatch.setattr("core.delivery.file_delivery.place_files", late)

    result = clapper("generate", "t2v", "-p", "x", *small, "-o", "clip.mp4")

    (kept,) = (data_dir / "clips").glob("*.mp4")
    assert result.exit_code == 4
    assert str(kept) in result.stderr
    assert (tmp_path / "clip.png").read_bytes() == b"came meanwhile"
    assert not (tmp_path / "clip.mp4").exists()
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".part")]


def test_an_unfinished_download_beside_the_output_is_left_alone(
    clapper: Clapper, tmp_path: Path, small: Small
) -> None:
    theirs = tmp_path / "clip.mp4.part"
    theirs.write_bytes(b"half a film")

    assert clapper("generate", "t2v", "-p", "x", *small, "-o", "clip.mp4").exit_code == 0
    assert theirs.read_bytes() == b"half a film"


def test_a_name_that_is_no_text_is_refused_before_the_work(
    clapper: Clapper, data_dir: Path
) -> None:
    result = clapper("generate", "t2v", "-p", "x", "-o", os.fsdecode(b"caf\xe9.mp4"))

    assert result.exit_code == 2
    assert "UTF-8" in result.stderr
    assert not data_dir.exists()


@pytest.mark.parametrize("name", ["a[b].mp4", "[bold]x.mp4", "a[red].mp4"])
def test_brackets_in_a_name_are_shown_as_they_are(
    clapper: Clapper, tmp_path: Path, small: Small, name: str
) -> None:
    result = clapper("generate", "t2v", "-p", "x", *small, "-o", name)

    assert result.exit_code == 0, result.output
    assert name in result.stdout
    assert (tmp_path / name).exists()


def test_the_demo_leaves_foreign_files_and_foreign_data_alone(
    clapper: Clapper, tmp_path: Path
) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "one" / "t2v.png").write_bytes(b"mine")
    (tmp_path / "two" / ".data").mkdir(parents=True)
    (tmp_path / "two" / ".data" / "db.sqlite").write_bytes(b"mine too")

    over, data = clapper("demo", "--out", "one"), clapper("demo", "--out", "two")

    assert over.exit_code == data.exit_code == 2
    assert "--out one-2" in over.stderr
    assert ".data" in data.stderr
    assert [path.name for path in (tmp_path / "one").iterdir()] == ["t2v.png"]
    assert (tmp_path / "one" / "t2v.png").read_bytes() == b"mine"
    assert [path.name for path in (tmp_path / "two" / ".data").iterdir()] == ["db.sqlite"]


def test_the_demo_never_empties_the_data_of_a_service(
    clapper: Clapper, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, small: Small
) -> None:
    monkeypatch.setenv("CLAPPER_DATA_DIR", "out/.data")
    assert clapper("generate", "t2v", "-p", "x", *small, "-o", "x.mp4").exit_code == 0

    assert clapper("demo", "--out", "out").exit_code == 2

    assert len(list((tmp_path / "out" / ".data" / "clips").iterdir())) == 2


def test_a_plot_replaces_only_a_plot(clapper: Clapper, tmp_path: Path, small: Small) -> None:
    clapper("generate", "t2v", "-p", "x", *small, "-o", "x.mp4")
    photo = write_png(tmp_path / "photo.png")
    before = photo.read_bytes()

    refused = clapper("stats", "--plot", photo)

    assert refused.exit_code == 2
    assert "--plot" in refused.stderr
    assert photo.read_bytes() == before
    assert [clapper("stats", "--plot", "plot.png").exit_code for _ in "ab"] == [0, 0]
    assert is_sealed(tmp_path / "plot.png")


def test_adopting_and_removing_touch_only_what_was_adopted(
    clapper: Clapper, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = Path(__file__).resolve().parents[3] / "workflows" / "t2v.json"
    export = tmp_path / "t2v.json"
    shutil.copy(project, export)
    before = export.read_bytes()
    monkeypatch.setenv("CLAPPER_WORKFLOWS_DIR", str(tmp_path))

    adopted = clapper("workflow", "adopt", export, "--mode", "t2v")
    removed = clapper("workflow", "remove", "t2v")

    assert adopted.exit_code == removed.exit_code == 5
    assert "CLAPPER_WORKFLOWS_DIR" in adopted.stderr
    assert export.read_bytes() == before
    monkeypatch.setenv("CLAPPER_WORKFLOWS_DIR", str(tmp_path / "own"))
    assert [clapper("workflow", "adopt", export, "--mode", "t2v").exit_code for _ in "ab"] == [0, 0]
    assert clapper("workflow", "remove", "t2v").exit_code == 0


def test_what_is_ours_is_private_and_what_was_asked_for_is_not(
    data_dir: Path, tmp_path: Path, small: Small
) -> None:
    photo = write_png(tmp_path / "photo.png")
    command = ["-m", "core.cli.app", "generate", "i2v", "--image", photo, "-p", "x"]
    root = Path(__file__).resolve().parents[3]
    arguments = [str(item) for item in (*command, *small, "-o", "new/clip.mp4")]
    script = 'umask 022 && exec "$@"'

    done = subprocess.run(
        ["/bin/sh", "-c", script, "sh", sys.executable, *arguments],
        env={**os.environ, "PYTHONPATH": str(root)},
        check=False,
        capture_output=True,
        text=True,
    )

    assert done.returncode == 0, done.stderr
    paths = [data_dir, *data_dir.rglob("*")]
    assert len(paths) > 8
    assert [str(path) for path in paths if path.lstat().st_mode & 0o077] == []
    modes = {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "new").iterdir()}
    assert modes == {"clip.mp4": 0o644, "clip.png": 0o644}
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o755
