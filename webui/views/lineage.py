"""What the page shows of the clips around one: what it was made from, and what was made from it."""

from dataclasses import dataclass

from core.domain.jobs import Job
from core.i18n.messages import name, say
from core.service.user_gallery import JobLineage
from webui.views.jobs import ClipView, clip_view


@dataclass(frozen=True, slots=True)
class RelativeView:
    """One job of them."""

    id: str
    mode_name: str
    made_by: str  # the words of the button that asked for it; empty: it was typed
    state_name: str
    prompt: str
    clip: ClipView | None
    created_ms: int


@dataclass(frozen=True, slots=True)
class LineageView:
    """All of them."""

    parent: RelativeView | None
    children: tuple[RelativeView, ...]


def lineage_view(lineage: JobLineage) -> LineageView:
    """Show ``lineage``."""
    parent = None if lineage.parent is None else _relative(lineage.parent)
    return LineageView(parent, tuple(_relative(child) for child in lineage.children))


def _relative(job: Job) -> RelativeView:
    return RelativeView(
        id=job.id,
        mode_name=name(job.mode_word),
        made_by="" if job.origin is None else say(f"gallery_by_{job.origin.action}"),
        state_name=name(job.state),
        prompt="" if job.asked is None else job.asked.prompt,
        clip=clip_view(job),
        created_ms=job.created_at_ms,
    )
