"""Read ``--image``, which may be given several times, each with the second when it is reached."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from core.domain.keyframes import write_times
from core.domain.media import MediaKind
from core.domain.modes import MODES, Mode
from core.errors import TimesUncounted, TooManyFiles

IMAGE = "image"  # the flag, and the role of the modes with one picture


@dataclass(frozen=True, slots=True)
class PlacedPictures:
    """Pictures by role, and their times as the option ``times`` has them; empty where none."""

    paths: dict[str, Path] = field(default_factory=dict[str, Path])
    times: str = ""


def placed_pictures(mode: Mode, typed: Sequence[str]) -> PlacedPictures:
    """Give the pictures ``typed`` as ``FILE`` or ``FILE@SECONDS`` their roles in ``mode``.

    Raises:
        TooManyFiles: more than the mode takes.
        TimesUncounted: some have a time and others have none.
    """
    spec = MODES[mode]
    roles = spec.roles_for(MediaKind.IMAGE, len(typed))
    if len(typed) > len(roles) > 0:
        raise TooManyFiles(mode, "pictures", len(typed), len(roles))
    if not roles:  # a mode without pictures refuses it by name
        roles = (IMAGE,) * bool(typed)
    placed = [_placed(text) for text in typed]
    times = [time for _, time in placed if time is not None]
    if times and len(times) < len(placed):
        raise TimesUncounted(len(times), len(placed))
    paths = {role: path for role, (path, _) in zip(roles, placed, strict=False)}
    return PlacedPictures(paths, write_times(times))


def _placed(text: str) -> tuple[Path, float | None]:
    """Split a file from its time; a file may have an ``@`` in its name."""
    name, _, time = text.rpartition("@")
    if not name or Path(text).exists():
        return Path(text), None
    try:
        seconds = float(time.removesuffix("s").replace(",", "."))
    except ValueError:
        return Path(text), None
    return (Path(name), seconds) if math.isfinite(seconds) else (Path(text), None)
