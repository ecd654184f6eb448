import json
from pathlib import Path
from typing import Any

from core.workflow.node_schema import NODES, known_nodes
from core.workflow.schema_drawing import compact, dump, redraw

NESTED = {"x": ["INT", {"min": 1}]}
INFO: dict[str, Any] = {
    "Old": {
        "input": {
            "required": {
                "model": ("MODEL",),
                "lora_name": ([], {}),
                "mode": (["a", "b"],),
                "n": ("INT", {"min": 0, "max": 9, "step": 1}),
            },
            "optional": {"mask": ("MASK", {})},
        },
        "output": ("MODEL", "*"),
        "output_node": False,
    },
    "New": {
        "input": {
            "required": {
                "any": ["COMFY_MATCHTYPE_V3", {}],
                "sampler_name": ["COMBO", {"options": ["euler"]}],
                "file": ["COMBO", {"options": [], "video_upload": True}],
                "how": [
                    "COMFY_DYNAMICCOMBO_V3",
                    {
                        "options": [
                            {"key": "by", "inputs": {"required": {"x": ["INT", {"min": 1}]}}}
                        ]
                    },
                ],
            }
        },
        "output": ["COMFY_MATCHTYPE_V3"],
        "output_node": True,
    },
}


def test_object_info_becomes_types_ranges_choices_and_files() -> None:
    entries = compact(INFO, ["Old", "New", "Absent"], {"Old": "somebodys-pack"})

    assert entries == {
        "Old": {
            "pack": "somebodys-pack",
            "inputs": {
                "model": "MODEL",
                "lora_name": {"files": True},
                "mode": {"choices": ["a", "b"]},
                "n": {"type": "INT", "min": 0, "max": 9},
            },
            "optional": {"mask": "MASK"},
            "outputs": ["MODEL", "*"],
        },
        "New": {
            "pack": "core",
            "inputs": {
                "any": "*",
                "sampler_name": {"choices": ["euler"]},
                "file": {"files": True},
                "how": {"choices": ["by"]},
            },
            "optional": {"how.x": {"type": "INT", "min": 1}},
            "outputs": ["*"],
            "output": True,
        },
    }


def test_the_file_is_written_as_dump_writes_it() -> None:
    content = json.loads(NODES.read_text("utf-8"))

    assert NODES.read_text("utf-8") == dump(content["nodes"], content["comfyui"])


def test_redrawing_keeps_what_is_not_installed(tmp_path: Path) -> None:
    source, target = tmp_path / "info.json", tmp_path / "nodes.json"
    source.write_text(json.dumps({"RandomNoise": INFO["Old"]}), "utf-8")

    count = redraw(source, "9.9", target)

    written = json.loads(target.read_text("utf-8"))
    assert (len(written["nodes"]), written["comfyui"]) == (count, "9.9")
    assert "lora_name" in written["nodes"]["RandomNoise"]["inputs"]
    assert written["nodes"]["ClapperOutput"]["inputs"] == {"images": "IMAGE", "job": "STRING"}


def test_our_output_takes_frames_and_perhaps_sound() -> None:
    spec = known_nodes()["ClapperOutput"]

    assert {name: item.required for name, item in spec.inputs.items()} == {
        "images": True,
        "job": True,
        "audio": False,
        "stage1_video": False,
        "stage1_audio": False,
    }
    assert spec.is_output
