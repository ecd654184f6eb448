"""What the page sends of a form: its fields as the browser holds them, read into typed values."""

from dataclasses import dataclass, field
from typing import Any, cast

from core.domain.limits import RequestLimits
from core.domain.media_cut import read_cut
from core.domain.modes import MODES, Mode
from core.domain.options import Option, OptionKind, Options, options_in
from core.domain.parsing import SHOWN, parse_number
from core.errors import MediaGone, NotAChoice
from webui.page.form_values import AUTO, has_auto, options_from_form, start_of, tick_of
from webui.studio.sent_files import CutUpload, SentFile


@dataclass(frozen=True, slots=True)
class SentForm:
    """One form: its mode, the paths of its uploads by role, and the rest by field."""

    mode: Mode
    paths: dict[str, SentFile] = field(default_factory=dict[str, SentFile])
    values: dict[str, Any] = field(default_factory=dict[str, Any])

    def without(self, roles: tuple[str, ...]) -> "SentForm":
        """Return the same without the files of ``roles``."""
        paths = {role: path for role, path in self.paths.items() if role not in roles}
        return SentForm(self.mode, paths, self.values)

    def options(self) -> Options:
        """Return what the fields mean.

        Raises:
            SeedNotANumber: something else is typed there.
        """
        return options_from_form(self.mode, self.values)


def read_sent(mode: Mode, given: dict[str, Any], limits: RequestLimits) -> SentForm:
    """Read ``given``, fields by name; what is empty or unknown is left out.

    A slider that is empty stands where it starts.

    Raises:
        NotANumber: a number is none.
        NotAChoice: a choice is none that is offered, or a text or tick is of another type.
        MediaGone: a file is not the path of an upload.
    """
    values: dict[str, Any] = {}
    for option in options_in(mode):
        value = _value(option, given.get(option.name), limits)
        if value is not None:
            values[option.name] = value
        tick = tick_of(option, mode)
        if tick is not None and not _empty(given.get(tick.name)):
            values[tick.name] = _typed(tick.name, given[tick.name], bool)
    return SentForm(mode, _paths(mode, given), values)


def _empty(value: object) -> bool:
    return value is None or value == ""


def _value(option: Option, value: object, limits: RequestLimits) -> Any:  # noqa: ANN401  # of the option's kind
    if option.kind in (OptionKind.NUMBER, OptionKind.COUNT):
        start = start_of(option, limits)
        if _empty(value):
            return start
        number = parse_number(option.name, value, limits)
        if not number and start is None and option.range_in(limits)[0] > 0:
            return None  # what a browser makes of an emptied field
        return number if option.kind is OptionKind.NUMBER else round(number)
    if _empty(value):
        return None
    if option.kind is OptionKind.CHOICE:
        choices = (AUTO, *option.choices) if has_auto(option) else option.choices
        if value not in choices:
            raise NotAChoice(option.name, str(value)[:SHOWN], ", ".join(choices))
    return _typed(option.name, value, str)


def _typed(name: str, value: object, kind: type) -> Any:  # noqa: ANN401  # of the kind
    if not isinstance(value, kind):
        raise NotAChoice(name, str(value)[:SHOWN], kind.__name__)
    return value


def _paths(mode: Mode, given: dict[str, Any]) -> dict[str, SentFile]:
    """Read files: the path of each, or a record of it with the part that is used.

    Raises:
        MediaGone: neither of them.
        InvalidInput: there is no such part.
    """
    paths: dict[str, SentFile] = {}
    for slot in MODES[mode].every_slot:
        if sent := given.get(slot.role):
            told = cast("dict[str, Any]", sent) if isinstance(sent, dict) else {"path": sent}
            path, part = told.get("path"), told.get("cut")
            if not isinstance(path, str) or "\0" in path:
                raise MediaGone(slot.role)
            cut = read_cut(cast("dict[str, Any]", part)) if isinstance(part, dict) else None
            paths[slot.role] = path if cut is None else CutUpload(path, cut)
    return paths
