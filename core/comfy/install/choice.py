"""Which ComfyUI is used instead of the pinned one, kept in one small file beside its folder.

The file is written whole or not at all, and the pinned folder is never touched: whoever is killed
in between finds the older answer.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from core.runtime.atomic_files import write_atomically


@dataclass(frozen=True, slots=True)
class ChosenCheckout:
    """A ComfyUI that was tried and found good."""

    folder: str  # its name, beside the pinned one
    ref: str  # as it was asked for
    commit: str
    version: str  # as its own ``comfyui_version.py`` says it


def read_choice(pinned: Path) -> ChosenCheckout | None:
    """Return what is used instead of the checkout in ``pinned``; None where that one is.

    A file that says nothing sound, and a folder that is gone, count as none.
    """
    try:
        content = json.loads(_file(pinned).read_text("utf-8"))
        chosen = ChosenCheckout(**content)
        whole = (pinned.parent / chosen.folder / "comfyui_version.py").is_file()
    except (OSError, ValueError, TypeError):
        return None
    return chosen if whole and Path(chosen.folder).name == chosen.folder else None


def write_choice(pinned: Path, chosen: ChosenCheckout) -> None:
    """Use ``chosen`` instead of the checkout in ``pinned`` from the next start on."""
    text = json.dumps(asdict(chosen), indent=1)
    write_atomically(_file(pinned), f"{text}\n".encode(), 0o666)


def drop_choice(pinned: Path) -> bool:
    """Use the checkout in ``pinned`` again; return whether another one was used."""
    found = _file(pinned).exists()
    _file(pinned).unlink(missing_ok=True)
    return found


def _file(pinned: Path) -> Path:
    return pinned.with_name(f"{pinned.name}.chosen.json")
