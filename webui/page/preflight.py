"""The card before Generate: what the request becomes, takes, costs and still needs, in words."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from core.domain.dimensions import Size
from core.domain.modes import Mode
from core.domain.options import Options
from core.domain.presets import Enhance
from core.errors import ClapperError
from core.i18n.messages import explain, say
from core.service.preview import MemoryFit, RequestPreview
from webui.auth.visitors import Visitor
from webui.studio.sent_files import SentFile
from webui.studio.service import StudioService
from webui.views.errors import Fix, error_view, fix_for, fix_of
from webui.views.job_status import price_words

_GIGA = 1_000_000_000


@dataclass(frozen=True, slots=True)
class CardRow:
    """One fact of the card; ``tone`` is "", "good" or "bad"."""

    label: str
    value: str
    tone: str = ""


@dataclass(frozen=True, slots=True)
class Card:
    """The whole card; ``fix`` is what its button would change."""

    rows: tuple[CardRow, ...] = ()
    notes: tuple[str, ...] = ()
    error: ClapperError | None = None
    fix: Fix | None = None
    size: Size | None = None  # of the clip, as far as it is known
    price: str = ""  # what Generate takes

    def plain(self) -> dict[str, Any]:
        """Return the card as the page wants it."""
        error = error_view(self.error, self.fix) if self.error else None
        return {
            "rows": [asdict(row) for row in self.rows],
            "notes": list(self.notes),
            "error": asdict(error) if error else None,
            "price": self.price,
            "shape": asdict(self.size) if self.size else None,
        }


class Preflight:
    """Looks at a request without asking for it."""

    def __init__(self, service: StudioService) -> None:
        self._service = service

    async def card(
        self, mode: Mode, options: Options, paths: Mapping[str, SentFile], visitor: Visitor
    ) -> Card:
        """Make the card for what stands in the form of ``mode``."""
        try:
            preview = await self._service.preview(mode, options, paths, visitor)
        except ClapperError as refusal:  # a file cannot be used
            return self.refused(refusal, options)
        notes = (*(explain(note) for note in preview.adjustments), *self._of_enhancer(preview))
        fix = fix_of(preview, options, self._service.limits)
        return Card(rows_of(preview), notes, preview.refusal, fix, *_asked(preview))

    def _of_enhancer(self, preview: RequestPreview) -> tuple[str, ...]:
        """Say what becomes of a prompt that is to be enhanced: where its words can be read."""
        asked = preview.composition and preview.composition.request.sampling.enhance
        if asked is not Enhance.ON:
            return ()
        none = self._service.drafts_only
        return (say("studio_enhancer_none" if none else "studio_enhancer_shown"),)

    def refused(self, error: ClapperError, options: Options | None = None) -> Card:
        """Make the card for what was refused before it was a request."""
        fix = fix_for(error, options or Options(), self._service.limits)
        return Card(error=error.with_traceback(None), fix=fix)


def _asked(preview: RequestPreview) -> tuple[Size | None, str]:
    """Return the size of the clip, and what pressing Generate takes."""
    if preview.composition is None or preview.estimate is None:
        return None, ""
    return preview.composition.request.sampling.finished, price_words(preview.cost_ms)


def rows_of(preview: RequestPreview) -> tuple[CardRow, ...]:
    """List the facts of a request; none where it is not one yet."""
    if preview.composition is None or preview.estimate is None:
        return ()
    sampling, expected = preview.composition.request.sampling, preview.estimate
    size = {"size": str(sampling.size), "frames": sampling.frames, "s": sampling.seconds}
    cost = {"cost": preview.cost_ms, "left": preview.quota.left_ms}
    cost_code = "studio_pre_cost_lent" if preview.quota.tier else "studio_pre_cost_value"
    taken = {"median": expected.total_ms, "p95": expected.p95_ms}
    rows = [
        CardRow(say("studio_pre_clip"), say("studio_pre_clip_value", size)),
        CardRow(say("studio_pre_time"), say("studio_pre_time_value", taken)),
        CardRow(say("studio_pre_cost"), say(cost_code, cost)),
    ]
    if preview.download_bytes is not None:
        rows.append(_download_row(preview.download_bytes))
    if preview.memory is not None:
        rows.append(_memory_row(preview.memory))
    return tuple(rows)


def _download_row(missing_bytes: int) -> CardRow:
    if not missing_bytes:
        return CardRow(say("studio_pre_files"), say("studio_pre_files_here"), "good")
    return CardRow(say("studio_pre_files"), say("studio_pre_files_fetch", {"size": missing_bytes}))


def _memory_row(memory: MemoryFit) -> CardRow:
    label = say("studio_pre_memory")
    if not memory.known:
        return CardRow(label, say("studio_pre_memory_unknown"))
    data = {
        "gb": round(memory.device_bytes / _GIGA),
        "streamed": round(memory.streamed_bytes),
    }
    if memory.streamed_bytes:
        return CardRow(label, say("studio_pre_memory_streams", data))
    return CardRow(label, say("studio_pre_memory_fits", data), "good")
