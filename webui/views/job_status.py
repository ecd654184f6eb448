"""How far a job is, in words, and the buttons under it with what a press takes."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from core.domain.clip_preview import ClipPreview
from core.domain.dimensions import Size
from core.domain.followups import Action, actions_for
from core.domain.jobs import Forecast, Job, JobState
from core.domain.limits import RequestLimits
from core.domain.progress import Downloading, Progress, Waiting, Working
from core.domain.prompt_preview import PromptPreview
from core.i18n.messages import name, say
from core.service.preview import ActionPrice
from webui.studio.endings import Ending

TOO_LARGE = frozenset(
    {
        "out_of_memory",
        "timed_out",
        "gpu_time_exceeded",
        "gpu_worker_died",
        "gpu_duration_illegal",
        "gpu_call_too_long",
        "gpu_quota_exceeded",
    }
)
# its facts are always there, and so is the clip
_SHOWN_OTHERWISE = frozenset({Action.DETAILS, Action.FETCH})
_LABELS = {Action.EDIT: "gallery_reuse"}  # it fills the form of the page
_SECOND_MS = 1000
_PRICED = frozenset({Action.AGAIN, Action.LONGER, Action.QUALITY, Action.SMALLER})


@dataclass(frozen=True, slots=True)
class ButtonView:
    """One thing that can be done with a job."""

    action: str
    label: str
    primary: bool = False
    price: str = ""  # what a press takes; empty where it takes nothing, or nobody knows


@dataclass(frozen=True, slots=True)
class Moment:
    """What is known of a job besides its row."""

    progress: Progress | None = None
    forecast: Forecast | None = None
    now_ms: int = 0
    limits: RequestLimits | None = None  # in force
    price: Callable[[Job, Action], ActionPrice | None] | None = None
    ending: Ending | None = None
    preview: ClipPreview | None = None  # while it is made
    prompt: PromptPreview | None = None  # that it is made by, as above


@dataclass(frozen=True, slots=True)
class JobStatus:
    """How far a job is, in words."""

    headline: str
    fraction: float | None = None
    stage: str = ""
    step: str = ""
    ready_in_s: float | None = None
    buttons: tuple[ButtonView, ...] = ()
    elapsed_s: float | None = None


def status_of(job: Job, moment: Moment) -> JobStatus:
    """Return how far ``job`` is, and what can be done with it."""
    if job.state.terminal:
        return _finished(job, moment)
    cancel = buttons_of(job, moment)
    forecast = moment.forecast
    ready = forecast.ready_in_s if forecast else None
    match moment.progress:
        case Working(stage, step, steps, fraction) if job.state is JobState.RUNNING:
            return JobStatus(
                say("studio_running", {"mode": job.mode_word}),
                fraction,
                name(stage),
                say("studio_step", {"step": step, "steps": max(step, steps)}),
                _remaining(job, moment, fraction, ready),
                cancel,
                _elapsed(job, moment),
            )
        case Downloading(file, done, total) as event:
            share = done / total if total else 0.0
            data = {"file": file, "done": done, "total": total, "left": event.left_bytes}
            return JobStatus(say("studio_downloading", data), share, buttons=cancel)
        case Waiting(position, _) if forecast is None:
            data = {"position": position}
        case _:
            data = {"position": forecast.position if forecast else 0}
    if job.state is JobState.RUNNING:
        elapsed = _elapsed(job, moment)
        starting = say("studio_starting")
        return JobStatus(starting, ready_in_s=ready, buttons=cancel, elapsed_s=elapsed)
    code = "studio_next" if data["position"] <= 1 else "studio_waiting"
    return JobStatus(say(code, data), ready_in_s=ready, buttons=cancel)


def _remaining(job: Job, moment: Moment, fraction: float, expected_s: float | None) -> float | None:
    """Return the seconds left: by the pace so far once there is one, else as expected."""
    if fraction >= 0.1 and job.started_at_ms is not None:
        spent = max(0, moment.now_ms - job.started_at_ms) / 1000
        return spent * (1 - fraction) / fraction
    return expected_s


def _elapsed(job: Job, moment: Moment) -> float | None:
    if job.state is not JobState.RUNNING or job.started_at_ms is None:
        return None
    return max(0, moment.now_ms - job.started_at_ms) / 1000


def _finished(job: Job, moment: Moment) -> JobStatus:
    if job.state is JobState.SUCCEEDED:
        return JobStatus(
            say("studio_done", {"mode": job.mode_word}), 1.0, buttons=buttons_of(job, moment)
        )
    buttons = buttons_of(job, moment)
    if job.failure is not None and job.failure.code in TOO_LARGE and job.asked is not None:
        price = _price(job, Action.SMALLER, moment)
        label = say("studio_smaller_label")
        smaller = ButtonView(Action.SMALLER, label, primary=True, price=price)
        buttons = (smaller, *(replace(button, primary=False) for button in buttons))
    headline = say("studio_no_clip", {"state": job.state})
    return JobStatus(say("studio_cancelled") if calm(job) else headline, buttons=buttons)


def calm(job: Job) -> bool:
    """Tell whether ``job`` ended because its owner wanted it: that is no problem."""
    if job.state is not JobState.CANCELLED:
        return False
    return job.failure is None or job.failure.data.get("by", "owner") == "owner"


def buttons_of(job: Job, moment: Moment) -> tuple[ButtonView, ...]:
    """List the buttons of ``job``, the ones that take GPU time with what they take."""
    limits = moment.limits if job.state.terminal else None
    return tuple(
        ButtonView(
            action,
            _label(job, action),
            primary=action is Action.AGAIN,
            price=_price(job, action, moment),
        )
        for action in actions_for(job, limits)
        if action not in _SHOWN_OTHERWISE
    )


def _label(job: Job, action: Action) -> str:
    if action is Action.QUALITY and job.group is not None:
        return say("finish_label", {"number": job.group.number})
    return say(_LABELS.get(action, f"{action}_label"))


def _price(job: Job, action: Action, moment: Moment) -> str:
    price = moment.price(job, action) if moment.price and action in _PRICED else None
    if price is None:
        return ""
    sized = job.asked is not None and price.size != job.asked.sampling.finished
    return price_words(price.cost_ms, price.size if sized else None)


def price_words(cost_ms: int, size: Size | None = None) -> str:
    """Return what a press takes, with the ``size`` of the clip where that is news."""
    cost = say("studio_price" if cost_ms >= _SECOND_MS else "studio_price_least", {"cost": cost_ms})
    return cost if size is None else f"{size} · {cost}"
