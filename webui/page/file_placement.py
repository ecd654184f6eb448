"""Where files go that were pasted or dropped anywhere on the page: which mode, which field.

The mode that is open is asked first, then every other; what it already holds goes along.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, cast

from core.domain.file_types import ACCEPTED, likely_kinds, never_accepted
from core.domain.limits import MediaLimits
from core.domain.media import MediaKind
from core.domain.modes import MODES, Mode
from core.errors import ClapperError
from core.errors.media import MediaFormatRefused, MediaTooLarge
from core.i18n.messages import explain, name, say

MOST = 12  # files at a time; more than any mode takes
_NAME = 255  # characters of a name that are read
_ROLE = "upload"  # of a file that has no field yet

Kinds = tuple[MediaKind, ...]  # what a file may be used as, the likeliest first


@dataclass(frozen=True, slots=True)
class AnnouncedFile:
    """A file as a browser tells of it; its bytes come later, and are the last word."""

    name: str
    type: str
    size_bytes: int

    @property
    def kinds(self) -> Kinds:
        """Return what the file may be used as."""
        return likely_kinds(self.type, self.name)


@dataclass(frozen=True, slots=True)
class Placement:
    """One way to use files: the mode, the role of each file, and what moves along."""

    mode: Mode
    roles: tuple[str, ...]
    moved: dict[str, str] = field(default_factory=dict[str, str])  # from role to role


def answer(opened: Mode, body: Mapping[str, Any], limits: MediaLimits) -> dict[str, Any] | None:
    """Answer the page that asks where ``files`` go while ``held`` are in the form of ``opened``.

    Returns:
        The numbers of the files that can be used, the ways to use them, and what is said of the
        others; None where the question is none.
    """
    files = [_announced(one) for one in _list(body.get("files"))]
    if not files or None in files or len(files) > MOST:
        return None
    known = cast("list[AnnouncedFile]", files)
    refused = {number: error for number, one in enumerate(known) if (error := refusal(one, limits))}
    taken = [number for number in range(len(known)) if number not in refused]
    roles = {slot.role: slot.kind for slot in MODES[opened].every_slot}
    held = {role: roles[role] for role in map(str, _list(body.get("held"))) if role in roles}
    ways = placements(opened, held, [known[number].kinds for number in taken]) if taken else ()
    said = [f"{known[number].name}: {explain(error)}" for number, error in refused.items()]
    if taken and not ways:
        said.append(_too_many(opened, held, [known[number].kinds for number in taken]))
    shown = [{**asdict(way), "label": name(way.mode)} for way in ways]
    return {"taken": taken, "ways": shown, "refused": said}


def _too_many(opened: Mode, held: Mapping[str, MediaKind], files: Sequence[Kinds]) -> str:
    """Say why no mode takes ``files``: that the open one takes fewer of their kind, if so."""
    kinds = {_usable(opened, file) for file in files}
    kind = kinds.pop()
    if kind is None or kinds:
        return say("studio_files_together")
    most = sum(slot.kind is kind for slot in MODES[opened].every_slot)
    left = most - sum(one is kind for one in held.values())
    return say("studio_files_most", {"mode": opened, "most": most, "left": left})


def _list(given: object) -> list[Any]:
    return cast("list[Any]", given) if isinstance(given, list) else []


def _announced(given: object) -> AnnouncedFile | None:
    if not isinstance(given, dict):
        return None
    told = cast("dict[str, Any]", given)
    name_, type_, size = told.get("name"), told.get("type"), told.get("size")
    if not (isinstance(name_, str) and isinstance(type_, str) and isinstance(size, int)):
        return None
    return AnnouncedFile(name_[:_NAME], type_[:_NAME], size)


def refusal(file: AnnouncedFile, limits: MediaLimits) -> ClapperError | None:
    """Return why ``file`` is of no use to any mode, None where it may be."""
    if never := never_accepted(file.type, file.name):
        accepted = ", ".join(dict.fromkeys(", ".join(ACCEPTED.values()).split(", ")))
        return MediaFormatRefused(_ROLE, never[0], accepted, never[1])
    pictures_only = set(file.kinds) == {MediaKind.IMAGE}
    most = limits.image_bytes if pictures_only else limits.stream_bytes
    return MediaTooLarge(_ROLE, file.size_bytes, most) if file.size_bytes > most else None


def placements(
    opened: Mode, held: Mapping[str, MediaKind], files: Sequence[Kinds]
) -> tuple[Placement, ...]:
    """Say where ``files`` may go, the best way first; one way is taken without asking.

    Args:
        opened: the mode that is shown.
        held: kinds of the files that its form has already, by role.
        files: what each new file may be used as.

    Returns:
        Nothing where no mode takes all of them.
    """
    if (here := _filled(opened, files, held)) is not None:
        return (Placement(opened, here),)
    likeliest = [kinds[:1] for kinds in files]
    best = _best(opened, held, likeliest) or _best(opened, held, files)
    if best is None:
        return ()
    ways = [best]
    first = [kinds[0] for kinds in files]
    taking = [mode for mode in MODES if _begins_with(mode, first)]
    if any(MODES[mode].continues for mode in (best.mode, *taking)):
        # to go on with a film is another thing than to make something of it: nobody is taken there
        others = (mode for mode in taking if mode != best.mode)
        ways += [Placement(mode, roles) for mode in others if (roles := _filled(mode, likeliest))]
    return tuple(sorted(ways, key=lambda way: list(MODES).index(way.mode)))


def _best(opened: Mode, held: Mapping[str, MediaKind], files: Sequence[Kinds]) -> Placement | None:
    """Return the first mode that everything makes complete: with what is held, else without."""
    kinds = [(kind,) for kind in held.values()]
    for mode in MODES if held else ():
        roles = _filled(mode, [*kinds, *files])
        if mode != opened and roles is not None and _complete(mode, roles):
            moved = dict(zip(held, roles[: len(held)], strict=True))
            return Placement(mode, roles[len(held) :], moved)
    for mode in MODES:
        if mode == opened and held:  # full: what is there is not replaced unasked
            continue
        roles = _filled(mode, files)
        if roles is not None and _complete(mode, roles):
            return Placement(mode, roles)
    return None


def _complete(mode: Mode, roles: Sequence[str]) -> bool:
    return all(slot.role in roles for slot in MODES[mode].slots)


def _begins_with(mode: Mode, kinds: Sequence[MediaKind]) -> bool:
    slots = MODES[mode].slots
    return len(kinds) == 1 and bool(slots) and slots[0].kind is kinds[0]


def _filled(
    mode: Mode, files: Sequence[Kinds], held: Mapping[str, MediaKind] | None = None
) -> tuple[str, ...] | None:
    """Return a role of ``mode`` for each file, None where one finds no place."""
    taken = set(held or {})
    kinds = [_usable(mode, file) for file in files]
    roles: list[str] = []
    for kind in kinds:
        if kind is None:
            return None
        offered = _in_order(mode, kind, kinds.count(kind), taken)
        role = next((one for one in offered if one not in roles), None)
        if role is None:
            return None
        roles.append(role)
    return tuple(roles)


def _usable(mode: Mode, file: Kinds) -> MediaKind | None:
    offered = {slot.kind for slot in MODES[mode].every_slot}
    return next((kind for kind in file if kind in offered), None)


def _in_order(mode: Mode, kind: MediaKind, count: int, taken: set[str]) -> tuple[str, ...]:
    """Return the roles that ``count`` files of ``kind`` may have, in the order of time."""
    spec = MODES[mode]
    every = tuple(slot.role for slot in spec.every_slot if slot.kind is kind)
    held = taken.intersection(every)
    whole = spec.roles_for(kind, len(held) + count)
    order = whole if held <= set(whole) else every
    free = tuple(role for role in order if role not in taken)
    return free or (every if len(every) == 1 else ())  # the only one is replaced
