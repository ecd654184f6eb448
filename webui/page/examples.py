"""An example for every mode: its prompt in the reader's language, and files of our own drawing.

``bench/studio_examples.py`` makes the files. They go the way of all uploads: copied for the
visitor, owned by them, and decoded in the sandbox.
"""

import shutil
from itertools import cycle
from pathlib import Path
from uuid import uuid4

from core.domain.media import MediaKind
from core.domain.modes import MODES, Mode
from webui.page.theme import STYLES

FOLDER = STYLES.with_name("examples")
_NAMES: dict[MediaKind, tuple[str, ...]] = {
    MediaKind.IMAGE: ("dusk.jpg",),
    MediaKind.AUDIO: ("melody.ogg",),
    MediaKind.VIDEO: ("film.mp4",),
}
_DAY = ("morning.jpg", "night.jpg")  # several pictures are the same coast in turn
_CHOSEN: dict[Mode, dict[str, str]] = {
    Mode.LIPSYNC: {"image": "portrait.jpg", "audio": "speech.ogg"},
    Mode.STYLE: {"image": "poster.jpg"},
}  # files that suit a mode better than those of their kind


def files_of(mode: Mode) -> dict[str, str]:
    """Return the name of a file of :data:`FOLDER` for each slot that needs one, by role."""
    spec = MODES[mode]
    several = len(spec.roles(MediaKind.IMAGE)) > 1
    turns = {kind: cycle(names) for kind, names in _NAMES.items()}
    turns[MediaKind.IMAGE] = cycle(_DAY if several else _NAMES[MediaKind.IMAGE])
    found = {slot.role: next(turns[slot.kind]) for slot in spec.slots}
    return found | _CHOSEN.get(mode, {})


def copy_files(mode: Mode, roles: set[str], uploads: Path) -> dict[str, Path]:
    """Copy the files of ``roles`` of an example into folders of their own below ``uploads``."""
    copies: dict[str, Path] = {}
    for role, name in files_of(mode).items():
        if role in roles:
            copies[role] = uploads / uuid4().hex / name
            copies[role].parent.mkdir(parents=True)
            shutil.copyfile(FOLDER / name, copies[role])
    return copies
