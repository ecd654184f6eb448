"""What the page shows of the files that a job was given, as plain data."""

from dataclasses import dataclass

from core.domain.jobs import Job
from core.domain.media import MediaKind
from core.domain.modes import Mode
from core.i18n.messages import language_of, name, say, sentences


@dataclass(frozen=True, slots=True)
class InputView:
    """One file, by an address that only the job's owner can open."""

    role: str
    label: str
    kind: str
    src: str  # of a small picture; empty where there is none to see


def input_views(job: Job) -> tuple[InputView, ...]:
    """Show the files of ``job`` in the order of its slots."""
    if job.asked is None:
        return ()
    return tuple(
        InputView(
            role,
            slot_label(job.asked.mode, role),
            file.kind,
            "" if file.kind is MediaKind.AUDIO else f"studio/jobs/{job.id}/inputs/{role}.jpg",
        )
        for role, file in job.asked.media().items()
    )


def slot_label(mode: Mode, role: str) -> str:
    """Return what the file of ``role`` is called in ``mode``."""
    codes = (f"studio_slot_{mode}_{role}", f"studio_slot_{role}")
    known = next((code for code in codes if code in sentences(language_of(None))), None)
    return say(known) if known else name(role).capitalize()
