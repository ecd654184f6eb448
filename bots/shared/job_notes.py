"""Keep with a job what people are told about it, so that later edits do not take it away."""

from collections.abc import Callable

from core.domain.jobs import Job
from core.domain.requests import Composition
from core.i18n.messages import explain

NOTES = "notes"  # the field of a reply address
NOTES_LIMIT = 600  # characters of an address


def notes_on(composition: Composition, locale: str | None) -> str:
    """Say what was adjusted, a line each, as far as there is room."""
    lines: list[str] = []
    for note in composition.adjustments:
        line = " ".join(explain(note, locale).split())
        if sum(map(len, lines)) + len(line) <= NOTES_LIMIT:
            lines.append(line)
    return "\n".join(lines)


def notes_of(job: Job, escape: Callable[[str], str]) -> list[str]:
    """Return what was said of the request of ``job`` when it was accepted, a line each."""
    return [escape(line) for line in job.reply_to.address.get(NOTES, "").splitlines()]
