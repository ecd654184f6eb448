"""What the buttons under a job offer: those that the limits allow, with what a press takes."""

from collections.abc import Callable
from dataclasses import dataclass

from core.domain.followups import Action
from core.domain.jobs import Job
from core.domain.limits import RequestLimits
from core.i18n.messages import say
from core.service.preview import ActionPrice

LEAST_MS = 1000  # of GPU time; less is no number worth reading


@dataclass(frozen=True, slots=True)
class Offers:
    """What is in force for the buttons of every job."""

    limits: RequestLimits | None = None  # buttons that they would refuse are not shown
    price: Callable[[Job, Action], ActionPrice | None] = lambda _job, _action: None

    def cost_ms(self, job: Job, action: Action) -> int | None:
        """Return the GPU time that a press takes; None where it takes none, or nobody knows."""
        price = self.price(job, action)
        return None if price is None else price.cost_ms

    def label(self, job: Job, action: Action, locale: str | None, number: int = 0) -> str:
        """Write a button: what takes more than the clip did says how much.

        ``number`` is that of the draft which it finishes.
        """
        code = "finish_label" if number else f"{action}_label"
        label = say(code, {"number": number}, locale)
        takes = action is Action.QUALITY or (action is Action.AGAIN and job.group is not None)
        return priced(label, self.cost_ms(job, action) if takes else None, locale)


def priced(label: str, cost_ms: int | None, locale: str | None) -> str:
    """Write on a button what a press takes of GPU time; nothing where nobody knows."""
    if cost_ms is None:
        return label
    code = "priced_label" if cost_ms >= LEAST_MS else "priced_label_least"
    return say(code, {"label": label, "cost": cost_ms}, locale)


NO_OFFERS = Offers()
