"""The card before Generate: what the request becomes, takes, costs and still needs."""

import asyncio
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from core.domain.jobs import QuotaView
from core.domain.modes import Mode
from core.domain.requests import Composition, Options, Request
from core.duration import Estimate
from core.errors import ClapperError
from core.i18n.messages import explain, say
from core.models.catalog import Profile, files_for
from core.models.setup import open_store
from core.runtime.clock import now_ms
from webui.auth.visitors import Visitor
from webui.studio.service import StudioCounter
from webui.views.errors import Fix, Surroundings, error_view, fix_for

_LOOK_MS = 20_000  # how long the answer of the disk about model files is believed
_GIGA = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Row:
    """One fact of the card; ``tone`` is "", "good" or "bad"."""

    label: str
    value: str
    tone: str = ""


@dataclass(frozen=True, slots=True)
class Card:
    """The whole card; ``fix`` is what its button would change."""

    rows: tuple[Row, ...] = ()
    notes: tuple[str, ...] = ()
    error: ClapperError | None = None
    fix: Fix | None = None

    def plain(self) -> dict[str, Any]:
        """Return the card as the page wants it."""
        error = error_view(self.error, self.fix) if self.error else None
        return {
            "rows": [asdict(row) for row in self.rows],
            "notes": list(self.notes),
            "error": asdict(error) if error else None,
        }


class Preflight:
    """Looks at a request without asking for it."""

    def __init__(self, counter: StudioCounter) -> None:
        self._counter = counter
        self._store = open_store(counter.core.settings)
        self._missing: dict[Mode, tuple[int, int]] = {}  # bytes, and when that was looked up

    async def card(
        self, mode: Mode, options: Options, paths: Mapping[str, str | None], visitor: Visitor
    ) -> Card:
        """Return the card for what stands in the form of ``mode``."""
        request: Request | None = None
        rows: tuple[Row, ...] = ()
        notes: tuple[str, ...] = ()
        quota = await self._counter.quota(visitor)
        try:
            media = await self._counter.media(mode, paths, visitor)
            composition = self._counter.service.compose(mode, options, media)
            request = composition.request
            expected = self._counter.service.estimate(request)
            rows = await self._rows(composition, expected, quota)
            notes = tuple(explain(note) for note in composition.adjustments)
            self._counter.core.runs.check_budget(request, None, self._counter.service.limits)
            error = quota.refusal(expected.gpu_ms)
        except ClapperError as problem:
            error = problem.with_traceback(None)
        return Card(rows, notes, error, self.fix(error, options, request, quota))

    def fix(
        self,
        error: ClapperError | None,
        options: Options,
        request: Request | None,
        quota: QuotaView,
    ) -> Fix | None:
        """Return what would mend ``error``."""
        if error is None:
            return None
        around = Surroundings(
            self._counter.service.limits, self._counter.core.runs.machine, quota.left_ms
        )
        return fix_for(error, options, request, around)

    async def _rows(
        self, composition: Composition, expected: Estimate, quota: QuotaView
    ) -> tuple[Row, ...]:
        sampling = composition.request.sampling
        size = {"size": str(sampling.size), "frames": sampling.frames, "s": sampling.seconds}
        cost = {"cost": expected.gpu_ms, "left": quota.left_ms}
        taken = {"median": expected.total_ms, "p95": expected.p95_ms}
        rows = [
            Row(say("studio_pre_clip"), say("studio_pre_clip_value", size)),
            Row(say("studio_pre_time"), say("studio_pre_time_value", taken)),
            Row(say("studio_pre_cost"), say("studio_pre_cost_value", cost)),
        ]
        if self._counter.core.executor.name != "draft":
            rows += [await self._download(composition.request.mode), self._memory()]
        return tuple(rows)

    async def _download(self, mode: Mode) -> Row:
        missing, looked_at = self._missing.get(mode, (0, 0))
        if now_ms() - looked_at > _LOOK_MS:
            files = files_for(mode, Profile(self._counter.core.settings.models.profile))
            absent = await asyncio.to_thread(self._store.missing, files)
            missing = sum(file.size_bytes for file in absent)
            self._missing[mode] = (missing, now_ms())
        if not missing:
            return Row(say("studio_pre_files"), say("studio_pre_files_here"), "good")
        return Row(say("studio_pre_files"), say("studio_pre_files_fetch", {"size": missing}))

    def _memory(self) -> Row:
        machine = self._counter.core.runs.machine
        label = say("studio_pre_memory")
        memory = machine.hardware.memory
        if not machine.hardware.known:
            return Row(label, say("studio_pre_memory_unknown"))
        data = {"gb": round(memory / _GIGA), "streamed": round(machine.streamed)}
        if machine.streamed:
            return Row(label, say("studio_pre_memory_streams", data))
        return Row(label, say("studio_pre_memory_fits", data), "good")
