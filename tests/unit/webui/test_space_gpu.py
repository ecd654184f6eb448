"""Which executor a Space has: the variables and the devices that are there decide."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from webui.space.gpu import lent_card
from webui.space.program import executor_of, space_settings, uses_comfyui
from webui.zerogpu.request_context import RequestContexts

CHOOSE = """
import json, os, sys
from webui.space.program import RequestContexts, executor_of, lent_machine, space_settings
from core.errors.setup import ComfyUnavailable

def chosen(**variables):
    for name in [name for name in os.environ if name.startswith("CLAPPER_")]:
        del os.environ[name]
    os.environ.update(variables)
    settings = space_settings()
    try:
        executor = executor_of(settings, RequestContexts())
    except ComfyUnavailable:
        return "comfyui here"
    return f"{executor.name} {lent_machine(settings).hardware.key}"

print(json.dumps([chosen(**variables) for variables in json.loads(sys.argv[1])]))
"""
DRIVER = """
int cuInit(unsigned f) {return 0;}
int cuDeviceGetCount(int *n) {*n = 1; return 0;}
int cuDeviceGet(int *d, int i) {*d = i; return 0;}
int cuDeviceGetName(char *s, int n, int d) {s[0] = 'x'; s[1] = 0; return 0;}
int cuDeviceTotalMem_v2(unsigned long *b, int d) {*b = 85899345920UL; return 0;}
"""


def chosen(home: Path, each: list[dict[str, str]], **variables: str) -> list[str]:
    """Return what is chosen in a process of its own with ``variables``, for each of some more."""
    (home / "cgroup").write_text("0::/x\n")
    fixed = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "SPACE_ID": "a/b",
        "ZEROGPU_PROC_SELF_CGROUP_PATH": str(home / "cgroup"),
    }
    done = subprocess.run(
        [sys.executable, "-c", CHOOSE, json.dumps(each)],
        env={**fixed, **variables},
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout.splitlines()[-1])


def test_a_gpu_in_the_machine_runs_comfyui_there_unless_drafts_are_asked_for(
    tmp_path: Path,
) -> None:
    (tmp_path / "cuda.c").write_text(DRIVER)
    command = ["cc", "-shared", "-fPIC", "-o", "libcuda.so.1", "cuda.c"]
    subprocess.run(command, cwd=tmp_path, check=True)

    found = chosen(tmp_path, [{}, {"CLAPPER_EXECUTOR": "draft"}], LD_LIBRARY_PATH=str(tmp_path))

    assert found[0].startswith("comfy")
    assert found[1].startswith("draft")


def test_where_a_gpu_is_lent_it_is_borrowed_in_the_size_of_the_files(tmp_path: Path) -> None:
    found = chosen(
        tmp_path,
        [{}, {"CLAPPER_MODEL_PROFILE": "bf16"}, {"CLAPPER_EXECUTOR": "draft"}],
        SPACES_ZERO_GPU="true",
        SPACES_ZERO_DEVICE_API_URL="http://127.0.0.1:1",
    )

    assert found[:2] == ["comfy rtx-pro-6000-half", "comfy rtx-pro-6000"]
    assert found[2].startswith("draft")


@pytest.mark.skipif(Path("/dev/nvidia0").exists(), reason="this machine has a GPU")
def test_without_any_gpu_drafts_are_drawn_unless_comfyui_is_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert executor_of(space_settings(), RequestContexts()).name == "draft"

    monkeypatch.setenv("CLAPPER_EXECUTOR", "comfy")
    assert uses_comfyui(space_settings())


@pytest.mark.parametrize(
    ("model", "card"),
    [
        ("NVIDIA H200", "h200"),
        ("NVIDIA RTX PRO 6000 Blackwell Server Edition", None),
        ("a card of tomorrow", None),
    ],
)
def test_the_card_of_the_host_is_looked_at(tmp_path: Path, model: str, card: str | None) -> None:
    folder = tmp_path / "0000:01:00.0"
    folder.mkdir()
    (folder / "information").write_text(f"Model: \t\t {model}\nIRQ:   \t\t 16\n")

    assert lent_card(tmp_path) == card
    assert lent_card(tmp_path / "absent") is None
