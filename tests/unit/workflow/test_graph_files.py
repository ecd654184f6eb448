"""The graph is found in an export, in what programs keep it in, and in what ComfyUI saved."""

import json
import zlib
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from core.workflow.errors import EditorFormat, NotAWorkflow
from core.workflow.graph import parse, read
from core.workflow.graph_files import text_of

GRAPH = {"7": {"class_type": "RandomNoise", "inputs": {"noise_seed": 5}}}
OTHER = {"8": {"class_type": "RandomNoise", "inputs": {"noise_seed": 6}}}
DRAWN = {"nodes": [], "links": [], "version": 0.4}


def reason(path: Path) -> str:
    with pytest.raises(NotAWorkflow) as caught:
        read(path)
    return caught.value.reason


@pytest.mark.parametrize(
    "content",
    [
        {"prompt": GRAPH, "client_id": "me"},
        {"input": {"workflow": GRAPH, "images": []}},
        {"name": "mine", "workflow": GRAPH, "notes": ["two", "words"]},
        {"prompt": json.dumps(GRAPH), "workflow": DRAWN},
        [3, "an-id", GRAPH, {"extra_pnginfo": {"workflow": DRAWN}}, ["9"]],
    ],
)
def test_a_graph_is_found_in_what_programs_keep_it_in(content: Any) -> None:
    assert parse(json.dumps(content), "mine.json").nodes["7"].kind == "RandomNoise"


def test_a_drawing_inside_something_else_is_what_the_editor_saves() -> None:
    with pytest.raises(EditorFormat):
        parse(json.dumps({"extra": {"workflow": DRAWN}}), "mine.json")


def test_of_several_graphs_none_is_taken() -> None:
    with pytest.raises(NotAWorkflow) as caught:
        parse(json.dumps({"monday": {"prompt": GRAPH}, "tuesday": {"prompt": OTHER}}), "mine.json")

    assert caught.value.reason == "several_graphs"


def test_what_is_no_number_beside_a_node_is_no_obstacle() -> None:
    text = json.dumps({"7": {**GRAPH["7"], "is_changed": [float("nan")]}})

    assert parse(text, "mine.json").nodes["7"].kind == "RandomNoise"


@pytest.mark.parametrize("how", ["tEXt", "zTXt", "iTXt", "packed iTXt"])
def test_a_picture_that_comfyui_saved_holds_its_graph(tmp_path: Path, how: str) -> None:
    info = PngImagePlugin.PngInfo()
    for key, value in (("workflow", DRAWN), ("prompt", GRAPH)):
        if how.endswith("iTXt"):
            info.add_itxt(key, json.dumps(value), zip="packed" in how)
        else:
            info.add_text(key, json.dumps(value), zip=how == "zTXt")
    path = tmp_path / "made.png"
    Image.new("RGB", (8, 8)).save(path, pnginfo=info)

    assert read(path).nodes["7"].kind == "RandomNoise"


def test_a_moving_picture_holds_its_graph(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0110], exif[0x010F] = f"prompt:{json.dumps(GRAPH)}", f"workflow:{json.dumps(DRAWN)}"
    path = tmp_path / "made.webp"
    Image.new("RGB", (8, 8)).save(path, exif=exif)

    assert read(path).nodes["7"].kind == "RandomNoise"


@pytest.mark.parametrize(
    ("told", "options"),
    [
        ({"prompt": json.dumps(GRAPH), "workflow": json.dumps(DRAWN)}, "use_metadata_tags"),
        ({"comment": json.dumps({"prompt": json.dumps(GRAPH), "workflow": DRAWN})}, "faststart"),
    ],
)
def test_a_clip_that_comfyui_saved_holds_its_graph(
    tmp_path: Path, told: dict[str, str], options: str
) -> None:
    assert read(clip(tmp_path / "made.mp4", told, options)).nodes["7"].kind == "RandomNoise"


def test_a_clip_with_nothing_but_a_drawing_is_what_the_editor_saves(tmp_path: Path) -> None:
    path = clip(tmp_path / "made.mp4", {"workflow": json.dumps(DRAWN)}, "use_metadata_tags")

    with pytest.raises(EditorFormat):
        read(path)
    assert json.loads(text_of(path)) == DRAWN


def clip(path: Path, told: dict[str, str], options: str) -> Path:
    with av.open(path, "w", options={"movflags": options}) as file:
        file.metadata.update(told)
        stream = file.add_stream("mpeg4", rate=Fraction(8))
        stream.width = stream.height = 16
        picture = av.VideoFrame.from_ndarray(np.zeros((16, 16, 3), np.uint8), format="rgb24")
        file.mux(stream.encode(picture))
        file.mux(stream.encode(None))
    return path


def test_a_file_without_a_graph_says_so(tmp_path: Path) -> None:
    picture = tmp_path / "plain.png"
    Image.new("RGB", (8, 8)).save(picture)
    photo = tmp_path / "photo.jpg"
    Image.new("RGB", (8, 8)).save(photo)
    clip(film := tmp_path / "plain.mp4", {"title": "a day out"}, "faststart")

    assert [reason(path) for path in (picture, photo, film)] == ["no_graph_inside"] * 3


def test_a_file_that_is_not_whole_ends_in_a_sentence(tmp_path: Path) -> None:
    told = {"prompt": json.dumps(GRAPH)}
    whole = clip(tmp_path / "made.mp4", told, "use_metadata_tags").read_bytes()
    info = PngImagePlugin.PngInfo()
    info.add_text("prompt", json.dumps(GRAPH), zip=True)
    Image.new("RGB", (8, 8)).save(tmp_path / "made.png", pnginfo=info)
    drawn = (tmp_path / "made.png").read_bytes()
    cut = tmp_path / "cut"
    for data in (whole, drawn):
        for end in range(0, len(data), 7):
            cut.write_bytes(data[:end])
            assert kept(cut) in {"7", "no_graph_inside", "not_json"}


def kept(path: Path) -> str:
    try:
        return ",".join(read(path).nodes)
    except NotAWorkflow as problem:
        return problem.reason


def test_a_text_of_no_end_and_a_bomb_are_not_read(tmp_path: Path) -> None:
    huge = tmp_path / "huge.json"
    with huge.open("wb") as file:
        file.write(b'{"1": ')
        file.truncate(65 << 20)
    bomb = tmp_path / "bomb.png"
    packed = b"prompt\0\0" + zlib.compress(b" " * (70 << 20))
    chunk = len(packed).to_bytes(4) + b"zTXt" + packed + b"\0\0\0\0"
    bomb.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk)

    assert (reason(huge), reason(bomb)) == ("too_large", "no_graph_inside")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_an_export_is_read_as_windows_writes_it(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "mine.json"
    path.write_text(json.dumps(GRAPH), encoding)

    assert read(path).nodes["7"].kind == "RandomNoise"


@pytest.mark.parametrize("text", ['{"1": {"class_type": "A", "inp', "", "nodes", '{"a": [[[1]]]}'])
def test_half_a_text_is_no_graph(tmp_path: Path, text: str) -> None:
    path = tmp_path / "mine.json"
    path.write_text(text, "utf-8")

    assert reason(path) in {"not_json", "not_a_graph"}
