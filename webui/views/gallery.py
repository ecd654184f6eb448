"""What the gallery shows of finished jobs, as plain data."""

from dataclasses import dataclass

from core.domain.gallery import Shape
from core.domain.jobs import Job
from core.domain.modes import MODES
from core.domain.presets import Preset
from core.i18n.messages import name, say
from core.i18n.option_words import mode_title
from webui.views.jobs import ClipView, clip_view, facts, failure_view


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


@dataclass(frozen=True, slots=True)
class HistoryView:
    """One page of the gallery."""

    items: tuple[TileView, ...] = ()
    before: int | None = None  # where the next page begins; None at the end


def tile_view(job: Job, *, starred: bool) -> TileView:
    """Show ``job`` as a tile."""
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
    )


def filter_choices() -> dict[str, list[tuple[str, str]]]:
    """Return what the gallery can be filtered by: for each filter the words and values."""
    return {
        "mode": [(mode_title(mode), mode.value) for mode in MODES],
        "shape": [(say(f"gallery_shape_{shape}"), shape.value) for shape in Shape],
        "preset": [(name(preset), preset.value) for preset in Preset],
    }
