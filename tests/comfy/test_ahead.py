"""ComfyUI imported in a Space's parent, whose torch answers for a GPU that only forks get."""

import json
import os
import subprocess
import sys
from pathlib import Path

PROGRAM = Path(__file__).with_name("ahead_clapper.py")


def test_comfyui_is_imported_before_any_gpu_is_there(checkout: Path, tmp_path: Path) -> None:
    variables = {
        **os.environ,
        "HOME": str(tmp_path),
        "SPACES_ZERO_GPU": "true",
        "SPACES_ZERO_DEVICE_API_URL": "http://127.0.0.1:1",
    }
    command = [sys.executable, str(PROGRAM), str(checkout)]
    ran = subprocess.run(command, env=variables, capture_output=True, text=True, check=False)

    assert ran.returncode == 0, ran.stderr[-2000:]
    assert json.loads(ran.stdout.splitlines()[-1]) == {
        "device": "cuda:0",
        "samplers": True,
        "running": 0,  # nothing has a device yet
        "half": [],  # what an import that failed left
        "allocator_left": True,  # a loaded torch starts no CUDA with another one
        "loop": True,
        "patched": True,
        "fork": "real",
    }
