"""What chats say of drafts that were asked for together, to choose among."""

from collections.abc import Sequence

from bots.shared.captions import Telling, caption
from bots.shared.offers import LEAST_MS, Offers
from bots.shared.texts import SHORT_ID, Texts
from core.domain.followups import Action, actions_for
from core.domain.jobs import Job
from core.i18n.messages import explain, say


def drafts_caption(texts: Texts, jobs: Sequence[Job], telling: Telling, limit: int) -> str:
    """Write what is said beside the drafts: each by its number, and why one is missing."""
    first, cost = jobs[0], sum(job.charged_ms or 0 for job in jobs)
    body = say("drafts_head", _shape(first), texts.locale) if first.asked else ""
    lines = [_line(texts, number, job) for number, job in enumerate(jobs, 1)]
    end = say("result_cost", {"cost": cost, "job": first.id[:SHORT_ID]}, texts.locale)
    return caption(texts, first, telling, limit, [*lines, end], body=body)


def _shape(job: Job) -> dict[str, object]:
    request = job.request
    return {
        "mode": request.mode,
        "size": str(request.sampling.size),
        "finished": str(request.sampling.finished),
        "seconds": request.sampling.seconds,
    }


def _line(texts: Texts, number: int, job: Job) -> str:
    if job.clip is not None and job.asked is not None:
        data = {"number": number, "seed": job.asked.sampling.seed}
        return say("draft_line", data, texts.locale)
    why = explain(job.end_reason, texts.locale)
    return texts.say("draft_missing", number=number, why=why)


def finishable(jobs: Sequence[Job], offers: Offers) -> list[tuple[int, Job]]:
    """List the drafts that can be finished, with their numbers."""
    return [
        (number, job)
        for number, job in enumerate(jobs, 1)
        if job.clip is not None and Action.QUALITY in actions_for(job, offers.limits)
    ]


def of_drafts(job: Job, text: str, locale: str | None, offers: Offers, *, new: bool = False) -> str:
    """Say in front of the state of a draft which of how many it is.

    What all of them take, and finishing one, is said in the first answer (``new``) and while it
    waits, when it can be cancelled for nothing.
    """
    if job.group is None:
        return text
    data = {"number": job.group.number, "size": job.group.size}
    told = f"{say('draft_of', data, locale)} · {text}"
    if not (new or job.state.waiting):
        return told
    return f"{told}\n{_price(job, job.group.size, locale, offers)}"


def _price(job: Job, count: int, locale: str | None, offers: Offers) -> str:
    finish = offers.cost_ms(job, Action.QUALITY)
    all_of_them, one = (max(LEAST_MS, ms) for ms in (job.estimate_ms * count, finish or 0))
    data = {"count": count, "cost": all_of_them, "finish": one}
    return say("drafts_price" if finish is None else "drafts_price_finish", data, locale)
