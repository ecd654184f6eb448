"""Find the mode that files without a command are meant for."""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence

from bots.telegram.request_form import RequestForm, typed
from core.domain.media import MediaKind
from core.domain.modes import MODES, Mode
from core.domain.options import OPTIONS
from core.errors import FilesNotUsed, TooManyFiles

MANY = 3  # files that are asked about: of fewer, what uses all of them is what is meant


def default_mode(form: RequestForm) -> Mode | None:
    """Return the mode that the unassigned files complete, the first of several."""
    exact = [m for m in _fitting(form) if len(MODES[m].slots) == len(form.unassigned)]
    return exact[0] if exact and not _many(form) else None


def guess_mode(form: RequestForm) -> Mode | None:
    """Guess the mode that the unassigned files complete; None where several can use them.

    It is none either where many were sent: they may be pictures to choose among. An option that
    one mode alone has tells it all the same.
    """
    match _fitting(form):
        case [mode] if not form.with_mode(mode).missing():
            return None if _many(form) and len(_with_options(form)) > 1 else mode
        case _:
            return None


def choices(form: RequestForm) -> list[Mode]:
    """List the modes that can use the unassigned files; all modes where there are none.

    Of many files a mode may use the first ones alone; what uses most of them comes first, and what
    needs yet another file is left out.
    """
    if not _many(form):
        kinds = {file.kind for file in form.unassigned}
        return _fitting(form) or [
            spec.mode for spec in MODES.values() if kinds <= {slot.kind for slot in spec.every_slot}
        ]
    modes = [mode for mode in _with_options(form) or list(MODES) if used_files(form, mode)]
    complete = [mode for mode in modes if not form.with_mode(mode).missing()]
    return sorted(complete or modes, key=lambda mode: -used_files(form, mode))


def used_files(form: RequestForm, mode: Mode) -> int:
    """Count the unassigned files that ``mode`` has a slot for."""
    return len(form.with_mode(mode).media)


def guessed_files() -> int:
    """Return how many files a mode can take at most; more say nothing of the mode."""
    return max(len(spec.every_slot) for spec in MODES.values())


def form_for(begun: RequestForm, files: Sequence[Collection[MediaKind]]) -> RequestForm:
    """Return the form that more files belong to: a new one where none fits, or where many come.

    Args:
        begun: what the person began, or nothing.
        files: what each of them may be used as, the likeliest kind first; none for words alone.

    Raises:
        TooManyFiles: an album with files that the mode has no place for.
    """
    anew = RequestForm(question=begun.question)
    if files and not any(begun.roles_for(kinds) for kinds in files):
        return anew
    if begun.mode is not None:
        refuse_surplus(begun, files)
        return begun
    full = len(begun.unassigned) + len(files) > guessed_files()
    return anew if full or len(files) >= MANY else begun


def refuse_surplus(form: RequestForm, files: Sequence[Collection[MediaKind]]) -> None:
    """Refuse files that the mode never uses, and an album with some that have no slot.

    Nobody knows which of an album are meant. None is fetched before.

    Args:
        form: what was begun.
        files: what each file of the album may be used as, the likeliest kind first.

    Raises:
        FilesNotUsed: the mode is made from words alone.
        TooManyFiles: naming how many are too many.
    """
    if files and form.mode is not None and not MODES[form.mode].every_slot:
        raise FilesNotUsed(form.mode)
    too_many = surplus(form, files)
    if len(files) > 1 and too_many:
        kind = "pictures" if all(MediaKind.IMAGE in kinds for kinds in files) else "files"
        raise TooManyFiles(form.mode or "one_clip", kind, len(files), len(files) - too_many)


def surplus(form: RequestForm, files: Iterable[Collection[MediaKind]]) -> int:
    """Count the files that ``form`` has no slot for."""
    free = [slot.kind for slot in form.free()]
    too_many = 0
    for kinds in files:
        found = next((kind for kind in kinds if kind in free), None)
        if found is None:
            too_many += 1
        else:
            free.remove(found)
    return too_many


def _many(form: RequestForm) -> bool:
    return len(form.unassigned) + form.left_out >= MANY


def _with_options(form: RequestForm) -> list[Mode]:
    """List the modes that have every typed option."""
    names = typed(form.options)
    return [mode for mode in MODES if all(OPTIONS[name].offered_in(mode) for name in names)]


def _fitting(form: RequestForm) -> list[Mode]:
    """List those that have a slot for every file that was sent, too."""
    kinds = Counter(file.kind for file in form.unassigned)
    return [
        mode
        for mode in _with_options(form)
        if kinds <= Counter(slot.kind for slot in MODES[mode].every_slot) and not form.left_out
    ]
