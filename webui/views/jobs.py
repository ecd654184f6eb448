"""What the page shows of jobs, as plain data: words are chosen here, the page only places them."""

from dataclasses import dataclass
from typing import Any

from core.domain.enhancement import prompt_note
from core.domain.followups import Action
from core.domain.jobs import Job, JobState
from core.domain.quota import NETWORK_LIMIT, QuotaView, Unit
from core.domain.request_words import words_note
from core.i18n.limits import limit_line
from core.i18n.messages import SHORT_ID, explain, explain_end, name, say
from webui.views.inputs import InputView, input_views
from webui.views.job_status import ButtonView, Moment, calm, status_of


@dataclass(frozen=True, slots=True)
class EndingView:
    """What was pressed and can still be taken back."""

    action: str  # cancel or delete
    text: str
    left_s: float


@dataclass(frozen=True, slots=True)
class ClipView:
    """The finished video, by addresses that only its owner can open."""

    src: str
    poster: str
    download: str
    name: str
    alt: str


@dataclass(frozen=True, slots=True)
class PreviewView:
    """What a clip is becoming: so many moments of it, one below the other in one picture."""

    src: str  # another one for every picture; only its owner can open it
    moments: int


@dataclass(frozen=True, slots=True)
class ErrorView:
    """What went wrong, why, and the click that mends it."""

    code: str
    title: str
    text: str
    fix: str = ""  # label of the button; empty where there is nothing to press


@dataclass(frozen=True, slots=True)
class JobView:
    """One job for the page."""

    id: str
    short: str
    mode: str
    mode_name: str
    state: str
    state_name: str
    live: bool
    created_ms: int
    prompt: str
    facts: str
    headline: str
    fraction: float | None = None  # None: nothing to measure yet
    stage: str = ""
    step: str = ""
    ready_in_s: float | None = None
    charged: str = ""
    clip: ClipView | None = None
    preview: PreviewView | None = None  # the newest one, while it is made
    error: ErrorView | None = None
    buttons: tuple[ButtonView, ...] = ()
    width: int = 0  # px of the clip, also before there is one; 0: unknown
    height: int = 0
    fps: float = 0.0
    parent: str = ""  # the job whose clip this one came from; empty: none, or nobody knows
    made_by: str = ""  # the button that asked for it, a member of Action; empty: it was typed
    group: str = ""  # the drafts that it was asked for with: the id of the first; empty: none
    group_number: int = 0  # its place among them, from 1
    group_size: int = 0
    group_label: str = ""  # in words
    elapsed_s: float | None = None  # since its start; None before and after
    calm: bool = False  # it ended as its owner wanted: no problem
    ending: EndingView | None = None
    inputs: tuple[InputView, ...] = ()
    words: str = ""  # that a model was given in place of the prompt; empty: the prompt itself


@dataclass(frozen=True, slots=True)
class QuotaLine:
    """What is left to spend."""

    text: str
    share: float  # 0…1 of the allowance that is left


@dataclass(frozen=True, slots=True)
class StateView:
    """Everything that changes on the page by itself."""

    job: JobView | None
    mine: tuple[JobView, ...]  # live ones, in the order they run
    line: str
    quota: QuotaLine
    model: str
    account: str = ""  # the name of who is signed in
    kept: bool = True  # False: whoever asks is a new guest with every request
    missing: ErrorView | None = None  # the job that was asked for: unknown, or somebody else's
    operator: bool = False  # may see the operators' page, which asks again
    drafts: tuple[JobView, ...] = ()  # of the job, itself among them, in their order
    newest: int = 0  # number of the newest job: one from elsewhere may be over before it is seen


def job_view(job: Job, moment: Moment | None = None) -> JobView:
    """Show ``job`` as the page does; buttons that the limits of ``moment`` refuse are left out."""
    moment = moment or Moment()
    status = status_of(job, moment)
    size = None if job.asked is None else job.asked.sampling.finished
    mode = job.mode_word
    return JobView(
        id=job.id,
        short=job.id[:SHORT_ID],
        mode=mode,
        mode_name=name(mode),
        state=job.state,
        state_name=name(job.state),
        live=not job.state.terminal,
        created_ms=job.created_at_ms,
        prompt="" if job.asked is None else job.asked.prompt,
        facts=facts(job),
        headline=status.headline,
        fraction=status.fraction,
        stage=status.stage,
        step=status.step,
        ready_in_s=status.ready_in_s,
        charged=say("studio_charged", {"cost": job.charged_ms or 0}),
        clip=clip_view(job),
        preview=_preview_view(job, moment),
        error=failure_view(job),
        buttons=() if moment.ending else status.buttons,
        width=size.width if size else 0,
        height=size.height if size else 0,
        fps=job.asked.sampling.fps if job.asked else 0.0,
        **lineage(job),
        elapsed_s=status.elapsed_s,
        calm=calm(job),
        ending=_ending_view(moment),
        inputs=input_views(job),
        words=_model_words(job, moment),
    )


def lineage(job: Job) -> dict[str, Any]:
    """Return what ``job`` was made from, as far as that is its owner's, and its drafts."""
    found: dict[str, Any] = {}
    if job.origin is not None:
        found["made_by"] = job.origin.action
        if job.origin.action != Action.REMIX:  # of somebody else's job nothing is said
            found["parent"] = job.origin.parent_id or ""
    if job.group is not None:
        found |= {"group": job.group.id, "group_number": job.group.number}
        found["group_size"] = job.group.size
        data = {"number": job.group.number, "size": job.group.size}
        found["group_label"] = say("draft_of", data)
    return found


def _preview_view(job: Job, moment: Moment) -> PreviewView | None:
    preview = moment.preview
    if preview is None or job.state is not JobState.RUNNING:
        return None
    return PreviewView(f"previews/{job.id}.webp?v={preview.tag}", preview.moments)


def _model_words(job: Job, moment: Moment) -> str:
    """Return what the prompt enhancer wrote; empty where nothing was, or not yet."""
    if job.state is JobState.RUNNING:
        return moment.prompt.words if moment.prompt else ""
    note = prompt_note(job)
    return str(note.data.get("prompt", "")) if note else ""


def _ending_view(moment: Moment) -> EndingView | None:
    ending = moment.ending
    if ending is None:
        return None
    left_s = max(0.0, (ending.due_ms - moment.now_ms) / 1000)
    return EndingView(ending.action, say(f"studio_ending_{ending.action}"), left_s)


def facts(job: Job) -> str:
    """Return the settings of ``job`` on one line; empty where they cannot be read any more."""
    if job.asked is None:
        return ""
    sampling = job.asked.sampling
    data = {
        "preset": sampling.preset,
        "size": str(sampling.size),
        "seconds": sampling.seconds,
        "fps": sampling.fps,
        "seed": sampling.seed,
    }
    notes = (words_note(job.asked), prompt_note(job))
    style = job.asked.style
    told = [] if style is None else [say("studio_style", {"name": style.name})]
    told += [explain(note) for note in notes if note and note.code != "prompt_enhanced"]
    return " · ".join([say("studio_facts", data), *told])


def clip_view(job: Job) -> ClipView | None:
    """Return where the clip is, None where there is none."""
    if job.state is not JobState.SUCCEEDED or job.clip is None:
        return None
    prompt = "" if job.asked is None else job.asked.prompt
    data = {"mode": job.mode_word, "prompt": prompt}
    code = "studio_alt" if prompt else "studio_alt_plain"
    return ClipView(
        src=f"clips/{job.id}.mp4",
        poster=f"clips/{job.id}.png",
        download=f"clips/{job.id}.mp4?download=1",
        name=f"clapper-{job.mode_word}-{job.id[:SHORT_ID]}.mp4",
        alt=say(code, data),
    )


def failure_view(job: Job) -> ErrorView | None:
    """Return why there is no clip, None where there is one or may still be."""
    if not job.state.terminal or job.state is JobState.SUCCEEDED:
        return None
    failure = job.end_reason
    title = say("studio_no_clip", {"state": job.state})
    return ErrorView(failure.code, title, explain_end(failure, job.charged_ms))


def quota_line(view: QuotaView) -> QuotaLine:
    """Return what is left of ``view``; guests are told that they share it."""
    if view.tier:
        return _day_line(view)
    data = {"left": view.account_left_ms, "limit": view.limit_ms, "resets": view.resets_at_ms}
    code = "studio_quota"
    if view.shared:
        data["yours"], code = view.left_ms, "studio_quota_guests"
    code = f"{code}_fresh" if view.resets_at_ms is None else code
    further = [limit_line(one) for one in view.others if one.name != NETWORK_LIMIT]  # in "yours"
    most = min(one.limit for one in view.balances if one.unit is Unit.GPU_MS)
    return QuotaLine(" · ".join((say(code, data), *further)), view.left_ms / most if most else 0.0)


def _day_line(view: QuotaView) -> QuotaLine:
    """Return what is left of the day that the GPU's lender gives, as far as it was used here."""
    resets = max((one.resets_at_ms or 0 for one in view.balances), default=0)
    data = {"tier": view.tier, "left": view.left_ms, "limit": view.limit_ms, "resets": resets}
    code = "studio_day" if view.left_ms < view.limit_ms and resets else "studio_day_fresh"
    return QuotaLine(say(code, data), view.left_ms / view.limit_ms if view.limit_ms else 0.0)
