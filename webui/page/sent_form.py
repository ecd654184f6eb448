"""What the page sends of a form: its fields as the browser holds them, read into typed values."""

from dataclasses import dataclass, field
from typing import Any

from core.domain.limits import RequestLimits
from core.domain.modes import MODES, Mode
from core.domain.options import ASPECTS
from core.domain.parsing import SHOWN, parse_number
from core.domain.presets import Camera, Preset
from core.errors import MediaGone, NotAChoice
from webui.page.form_values import AUTO, FIELDS, Values

_CHOICES: dict[str, tuple[str, ...]] = {
    "preset": tuple(Preset),
    "aspect": (AUTO, *ASPECTS),
    "camera": tuple(Camera),
}
_NUMBERS = ("seconds", "fps", "width", "height")
_TICKS = ("follow", "lock")


@dataclass(frozen=True, slots=True)
class SentForm:
    """One form: its mode, the paths of its uploads by role, and the rest."""

    mode: Mode
    paths: dict[str, str] = field(default_factory=dict[str, str])
    values: Values = field(default_factory=Values)

    def without(self, roles: tuple[str, ...]) -> "SentForm":
        """Return the same without the files of ``roles``."""
        paths = {role: path for role, path in self.paths.items() if role not in roles}
        return SentForm(self.mode, paths, self.values)


def read_sent(mode: Mode, given: dict[str, Any], limits: RequestLimits) -> SentForm:
    """Read ``given``, fields by name; what is empty or unknown is left out.

    Raises:
        NotANumber: a number is none.
        NotAChoice: a choice is none that is offered, or a text or tick is of another type.
        MediaGone: a file is not the path of an upload.
    """
    values = {
        name: _value(name, value, limits)
        for name, value in given.items()
        if name in FIELDS and value is not None and value != ""
    }
    return SentForm(mode, _paths(mode, given), Values(**values))


def _value(name: str, value: object, limits: RequestLimits) -> Any:  # noqa: ANN401  # one of Values
    if name in _NUMBERS:
        number = parse_number(name, value, limits)
        return number if name == "seconds" else round(number)
    if name in _CHOICES and value not in _CHOICES[name]:
        raise NotAChoice(name, str(value)[:SHOWN], ", ".join(_CHOICES[name]))
    kind = bool if name in _TICKS else str
    if not isinstance(value, kind):
        raise NotAChoice(name, str(value)[:SHOWN], kind.__name__)
    return value


def _paths(mode: Mode, given: dict[str, Any]) -> dict[str, str]:
    paths: dict[str, str] = {}
    for slot in MODES[mode].slots:
        if path := given.get(slot.role):
            if not isinstance(path, str) or "\0" in path:
                raise MediaGone(slot.role)
            paths[slot.role] = path
    return paths
