"""List a person's own jobs: a line for each, with the beginning of its prompt."""

from collections.abc import Sequence

from bots.shared.cutting import cut, one_line
from bots.shared.texts import Texts, size_text
from core.domain.jobs import Job
from core.i18n.messages import SHORT_ID, say

PROMPTS = (120, 80, 50, 20)  # characters of a prompt; the most for which there is room


def history_text(texts: Texts, jobs: Sequence[Job], page: int, limit: int) -> str:
    """List one page of the reader's jobs, numbered for the buttons below.

    Within ``limit``, as the platform counts, as far as shorter prompts can bring it there.
    """
    text = ""
    for room in PROMPTS:
        entries = (history_entry(texts, job, number, room) for number, job in enumerate(jobs, 1))
        text = "\n".join([history_head(texts, jobs, page), *entries])
        if texts.markup.units(texts.markup.shown(text)) <= limit:
            break
    return text


def history_head(texts: Texts, jobs: Sequence[Job], page: int) -> str:
    """Write what stands above a page of the reader's jobs."""
    if not jobs:
        return texts.say("history_none")
    return say("history_head", {"page": page}, texts.locale)


def history_entry(texts: Texts, job: Job, number: int, room: int = PROMPTS[0]) -> str:
    """Tell of one of the reader's jobs, with ``room`` characters of its prompt."""
    data = {
        "number": number,
        "mode": job.mode_word,
        "size": size_text(job),
        "seconds": 0.0 if job.asked is None else job.asked.sampling.seconds,
        "state": job.state,
        "when": texts.markup.moment(job.created_at_ms / 1000),
        "job": job.id[:SHORT_ID],
    }
    line = say("history_line" if job.asked else "history_line_unreadable", data, texts.locale)
    if job.asked is None or not job.asked.prompt:
        return line
    return f"{line}\n{texts.markup.quote(cut(one_line(job.asked.prompt), room))}"
