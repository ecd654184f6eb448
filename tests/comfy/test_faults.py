"""Nodes that raise, hang, exit, leak, lose the device and kill the process of a real ComfyUI."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.comfy.conftest import Lab

pytestmark = [
    pytest.mark.comfy_real,
    pytest.mark.filterwarnings("ignore"),  # torch and ComfyUI warn of themselves
    pytest.mark.timeout(900),
]
PROGRAM = Path(__file__).with_name("faulty_clapper.py")
PACK = Path(__file__).with_name("faults_pack.py")
ENDS = {
    "a boat 0": "completed",
    "raise once 1": "internal_error",
    "a boat 2": "completed",
    "cuda once 3": "completed",
    "leak once 4": "completed",
    "segfault once 5": "completed",
    "exit once 6": "internal_error",
    "a boat 7": "completed",
    "hang once 8": "timed_out",
    "a boat 9": "completed",
    "wrapped once 10": "completed",
}


def place(lab: "Lab", folder: Path) -> dict[str, str]:
    """Lay out a ComfyUI with the tiny models and the faulty pack; return its settings."""
    (folder / "comfy").mkdir()
    (folder / "comfy" / "checkout").symlink_to(lab.place.checkout)
    packs = folder / "comfy" / "packs"
    shutil.copytree(lab.place.packs, packs)
    (packs / "faults").mkdir()
    shutil.copy(PACK, packs / "faults" / "__init__.py")
    return {
        "FAULTS_FOLDER": str(folder),
        "CLAPPER_COMFYUI_DIR": str(folder / "comfy" / "checkout"),
        "CLAPPER_COMFYUI_PACKS": "true",
        "CLAPPER_MODELS_DIR": str(lab.place.models),
        "CLAPPER_EXECUTOR": "comfy",
        "CLAPPER_DATA_DIR": str(folder / "data"),
        "CLAPPER_MIN_SIDE": "128",
        "CLAPPER_MIN_FREE_MEGABYTES": "0",
        "CLAPPER_QUOTA_MINUTES": "100000",
        "CLAPPER_JOB_TIMEOUT_S": "60",
        "HF_HUB_OFFLINE": "1",
        "HF_HOME": str(folder / "hub"),
        "OMP_NUM_THREADS": "1",
    }


def test_a_fault_of_a_node_hits_its_own_job_alone(lab: "Lab", tmp_path: Path) -> None:
    plan = {"prompts": list(ENDS), "users": len(ENDS), "frames": 17, "side": 128}
    (tmp_path / "plan.json").write_text(json.dumps(plan))

    done = subprocess.run(
        [sys.executable, str(PROGRAM), str(tmp_path)],
        env={**os.environ, **place(lab, tmp_path)},
        cwd=tmp_path, capture_output=True, text=True, timeout=850, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr[-5000:]
    told = [json.loads(line) for line in (tmp_path / "book").read_text().splitlines()]
    assert len(told) == len({entry["job_id"] for entry in told}) == len(ENDS)
    kinds = sorted(entry["kind"] for entry in told)
    assert kinds == sorted(ENDS.values()), done.stderr[-5000:]
    assert done.stderr.count("SIGSEGV") == 1
    assert done.stderr.count("lost its device") == 3
