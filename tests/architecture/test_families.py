"""The model is data: one package and the graphs name it, nothing else does."""

import re
from pathlib import Path

import pytest

from core.models.catalog import FAMILY, LTX_2_3

ROOT = Path(__file__).resolve().parents[2]
HOME = ROOT / "core" / "models"
SUFFIXES = {".py", ".toml", ".md", ".js", ".html", ".css", ".sql"}
FILES = sorted(
    path
    for front in ("core", "bots", "webui")
    for path in (ROOT / front).rglob("*")
    if path.suffix in SUFFIXES and HOME not in path.parents
)
# of any generation of any family that the loaders of the pinned ComfyUI know
FAMILIES = re.compile(
    r"ltx|gemma|lightricks|\bwan[-_. ]?\d|hunyuan|mochi|cosmos|qwen|umt5|\bflux\b"
    r"|depth_anything|sdpose|rt_detr",
    re.IGNORECASE,
)
# what core.comfy calls in ComfyUI has the name that ComfyUI gave it: modules, classes, attributes
COMFY_CODE = re.compile(
    r"(?:comfy\.(?:ldm|text_encoders)\.)?\blightricks\b\.?|LTXA?V\w*|\bGemma3_12B\w*|\bGEMMA3_\w+"
    r"|\bgemma3_12b\b|\b_?gemma(?:_config)?\b|comfy\.ldm\.(?:depth_anything_3|rt_detr)\."
)
# the terms of a licence have words under its key
TERMS = re.compile(rf"^licence_(?:{'|'.join(item.key for item in FAMILY.licences)}) = .*$", re.M)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_nothing_but_the_models_package_and_the_graphs_names_a_family(path: Path) -> None:
    text = path.read_text("utf-8")
    if ROOT / "core" / "comfy" in path.parents:
        text = COMFY_CODE.sub("", text)
    if path.name == "models.toml":
        text = TERMS.sub("", text)
    if path.suffix == ".lock":
        return

    assert sorted(set(FAMILIES.findall(text))) == []


def test_a_text_that_names_a_family_is_found() -> None:
    names = [LTX_2_3.name, LTX_2_3.base, *(file.name for file in LTX_2_3.all_files())]

    assert [name for name in names if not FAMILIES.search(COMFY_CODE.sub("", name))] == []
