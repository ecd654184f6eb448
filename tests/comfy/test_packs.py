"""All pinned node packs in one real ComfyUI, which validates adopted exports that need them."""

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from core.comfy.install.pins import load_pins
from core.domain.modes import Mode
from core.settings import PROJECT_ROOT
from tests.comfy.conftest import CHECKOUT
from tests.workflows.conftest import exported

pytestmark = pytest.mark.comfy_real
SCRIPT = Path(__file__).with_name("packs_clapper.py")


@pytest.fixture
def home(checkout: Path) -> Path:
    """The folder that holds the checkout and the packs beside it."""
    del checkout  # skips where there is no ComfyUI
    place = CHECKOUT.absolute().parent
    lacking = [pin.name for pin in load_pins().packs if not (place / "packs" / pin.name).is_dir()]
    if lacking:
        pytest.skip(f"no {', '.join(lacking)} in {place / 'packs'}: clapper comfy install --packs")
    return place


async def validated(exports: Path, base: Path) -> dict[str, Any]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(SCRIPT), str(exports), str(CHECKOUT.absolute()), str(base),
        cwd=PROJECT_ROOT, env={**os.environ, "PYTHONPATH": str(PROJECT_ROOT)},
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    said, complained = await process.communicate()
    assert process.returncode == 0, complained.decode()[-3000:]
    return json.loads(said.decode().strip().splitlines()[-1])


async def test_adopted_exports_of_every_mode_validate_with_all_packs(
    home: Path, tmp_path: Path
) -> None:
    exports = tmp_path / "exports"
    exports.mkdir()
    for mode in Mode:
        (exports / f"{mode}.json").write_text(json.dumps(exported(mode)), "utf-8")

    found = await validated(exports, tmp_path / "base")

    assert found["not_loaded"] == []
    assert found["problems"] == {mode.value: [] for mode in Mode}


async def test_a_file_that_no_pack_finds_is_told_by_its_node(home: Path, tmp_path: Path) -> None:
    export = exported(Mode.T2V)
    export["366"]["inputs"]["unet_name"] = "nowhere.bin"
    exports = tmp_path / "exports"
    exports.mkdir()
    (exports / "t2v.json").write_text(json.dumps(export), "utf-8")

    found = await validated(exports, tmp_path / "base")

    (problem,) = found["problems"]["t2v"]
    assert problem.startswith("366 UnetLoaderGGUF value_not_in_list")
