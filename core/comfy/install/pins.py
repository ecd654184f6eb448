"""``comfyui/pins.toml`` as records: what exactly is installed."""

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from core.settings import PROJECT_ROOT

PINS_FILE = PROJECT_ROOT / "comfyui" / "pins.toml"


@dataclass(frozen=True, slots=True)
class Pin:
    """One repository at one commit."""

    name: str
    repository: str
    commit: str  # 40 hex digits
    licence: str
    why: str
    tree: str = ""  # of the commit, 40 hex digits: what the content of an archive must be
    archive: str = ""  # address of the commit as .tar.gz, where git gets nothing


@dataclass(frozen=True, slots=True)
class Pins:
    """Everything that ``clapper comfy install`` fetches."""

    version: str  # of ComfyUI, as its own ``comfyui_version.py`` says it
    comfyui: Pin
    torch: str
    requirements: tuple[str, ...]
    packs: tuple[Pin, ...] = ()
    pack_requirements: tuple[str, ...] = ()
    newer: tuple[str, ...] = ()  # what a raise of the pin would bring, in sentences


@cache
def load_pins(path: Path = PINS_FILE) -> Pins:
    """Read the pins in ``path``."""
    content = tomllib.loads(path.read_text("utf-8"))
    comfyui, python = content["comfyui"], content["python"]
    packs = content.get("packs", {})
    return Pins(
        version=comfyui["version"],
        comfyui=_pin({"name": "ComfyUI", **comfyui}),
        torch=python["torch"],
        requirements=tuple(python["requirements"]),
        packs=tuple(_pin(pack) for pack in packs.get("pack", ())),
        pack_requirements=tuple(packs.get("requirements", ())),
        newer=tuple(comfyui.get("newer", ())),
    )


def _pin(table: dict[str, str]) -> Pin:
    names = ("name", "repository", "commit", "licence", "why")
    more = {name: table[name] for name in ("tree", "archive") if name in table}
    return Pin(**{name: table[name] for name in names}, **more)
