"""What the gallery shows of finished jobs, as plain data."""

from dataclasses import dataclass
from typing import Any

from core.domain.followups import Action
from core.domain.gallery import Shape
from core.domain.jobs import Job
from core.domain.modes import MODES
from core.domain.presets import Preset
from core.i18n.messages import name, say
from core.i18n.option_words import mode_title
from webui.views.job_status import ButtonView, Moment, buttons_of
from webui.views.jobs import ClipView, clip_view, facts, failure_view

_OF_DRAFTS = frozenset({Action.QUALITY, Action.AGAIN})


@dataclass(frozen=True, slots=True)
class TileView:
    """One finished job."""

    id: str
    number: int  # in the order of acceptance; where the next page begins
    mode: str
    mode_name: str
    state: str
    state_name: str
    created_ms: int  # epoch; the browser writes it in the reader's zone
    prompt: str
    facts: str
    seconds: float | None
    starred: bool
    clip: ClipView | None
    problem: str  # why there is no clip; empty where there is one
    group: str = ""  # the drafts that it was asked for with: the id of the first; empty: none
    group_number: int = 0  # its place among them, from 1
    buttons: tuple[ButtonView, ...] = ()  # of a draft: to finish it, and for as many others


@dataclass(frozen=True, slots=True)
class HistoryView:
    """One page of the gallery."""

    items: tuple[TileView, ...] = ()
    before: int | None = None  # where the next page begins; None at the end


def tile_view(job: Job, moment: Moment, *, starred: bool) -> TileView:
    """Show ``job`` as a tile; what its buttons take is as of ``moment``."""
    mode, failure = job.mode_word, failure_view(job)
    return TileView(
        id=job.id,
        number=job.number,
        mode=mode,
        mode_name=name(mode),
        state=job.state,
        state_name=name(job.state),
        created_ms=job.created_at_ms,
        prompt="" if job.asked is None else job.asked.prompt,
        facts=facts(job),
        seconds=None if job.clip is None else job.clip.frames / job.clip.fps,
        starred=starred,
        clip=clip_view(job),
        problem="" if failure is None else failure.text,
        **_among_drafts(job, moment),
    )


def _among_drafts(job: Job, moment: Moment) -> dict[str, Any]:
    if job.group is None:
        return {}
    buttons = (one for one in buttons_of(job, moment) if one.action in _OF_DRAFTS)
    found = {"group": job.group.id, "group_number": job.group.number}
    return {**found, "buttons": tuple(buttons)}


def filter_choices() -> dict[str, list[tuple[str, str]]]:
    """Return what the gallery can be filtered by: for each filter the words and values."""
    return {
        "mode": [(mode_title(mode), mode.value) for mode in MODES],
        "shape": [(say(f"gallery_shape_{shape}"), shape.value) for shape in Shape],
        "preset": [(name(preset), preset.value) for preset in Preset],
    }
