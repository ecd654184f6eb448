"""Locate ComfyUI and its working folders."""

import os
import re
from dataclasses import dataclass, replace
from pathlib import Path

from core.comfy.install.choice import read_choice
from core.comfy.install.pins import load_pins
from core.runtime.program_files import IS_INSTALLED, PROJECT_ROOT
from core.settings import Settings

_VERSION = re.compile(r"""^__version__\s*=\s*["']([^"']+)["']""", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class ComfyPaths:
    """The folders of one installation."""

    checkout: Path  # ComfyUI's own files, never written to by a job
    packs: Path  # node packs, one folder each
    base: Path  # inputs, outputs and temporary files of ComfyUI
    models: Path  # one folder for each kind of model file; the model store fills them
    wanted: str = ""  # the version that was chosen instead of the pinned one

    @property
    def inputs(self) -> Path:
        """Return the folder that loader nodes read from."""
        return self.base / "input"

    @property
    def latents(self) -> Path:
        """Return the folder of what drafts leave for their quality pass."""
        return self.base / "latents"

    @property
    def colours(self) -> Path:
        """Return the folder of what was learnt of the colours of latents."""
        return self.base / "colours"

    @property
    def version(self) -> str | None:
        """Return the version of the ComfyUI that lies there, None where there is none."""
        try:
            text = (self.checkout / "comfyui_version.py").read_text("utf-8")
        except OSError:
            return None
        found = _VERSION.search(text)
        return found.group(1) if found else None


def comfy_paths(settings: Settings) -> ComfyPaths:
    """Return where ComfyUI belongs for ``settings``.

    ``CLAPPER_COMFYUI_DIR`` wins. Otherwise it lies beside the project, or, where that cannot be
    written (a Space, a system-wide installation), in the user's cache folder. One that was tried
    beside it and chosen is used instead.
    """
    pinned = pinned_paths(settings)
    chosen = read_choice(pinned.checkout)
    if chosen is None:
        return pinned
    return replace(pinned, checkout=pinned.checkout.with_name(chosen.folder), wanted=chosen.version)


def pinned_paths(settings: Settings) -> ComfyPaths:
    """Return where the pinned ComfyUI belongs, whichever is used."""
    if settings.comfy.dir is not None:
        checkout = settings.comfy.dir
        packs = checkout.parent / "packs"
    else:
        beside = PROJECT_ROOT / "comfyui"
        ours = not IS_INSTALLED and not settings.on_space
        writable = ours and beside.is_dir() and os.access(beside, os.W_OK)
        home = beside if writable else Path.home() / ".cache" / "clapper" / "comfyui"
        checkout, packs = home / "checkout", home / "packs"
    base = settings.comfy_folder
    return ComfyPaths(checkout, packs, base, settings.models_folder.absolute())


def runs_newer(settings: Settings) -> bool:
    """Tell whether the ComfyUI in use came after the pinned one, so that it knows more models."""
    version = comfy_paths(settings).version
    return version is not None and _numbers(version) > _numbers(load_pins().version)


def _numbers(version: str) -> list[int]:
    return [int(part) for part in re.findall(r"\d+", version)]
