"""Preview a request before anybody asks for it: what it becomes, takes, costs and still needs."""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from core.domain.adjustments import Adjustment
from core.domain.dimensions import Size
from core.domain.followups import Action, next_request
from core.domain.jobs import Job
from core.domain.limits import RequestLimits
from core.domain.media import MediaFile
from core.domain.modes import Mode
from core.domain.options import Options
from core.domain.quota import QuotaView
from core.domain.request_builder import compose
from core.domain.requests import Composition, Request
from core.domain.styles import FilledOptions
from core.duration import Estimate, largest_fitting
from core.duration.memory import largest_with_room
from core.errors import ClapperError, NothingFits, QuotaExceeded, TooCostly, TooLargeForDevice
from core.models.catalog import FAMILY, ModelFile, Profile
from core.runtime.clock import Clock, now_ms
from core.service.adopted_graphs import judged_by_graph
from core.service.estimator import RunBook

MISSING_FILES_MS = 20_000  # how long the disk's answer about model files is believed
_WITHOUT_MODELS = "draft"  # the executor that draws its clips itself
_SMALLER = 0.5  # share of the work that "Try it smaller" asks for


@dataclass(frozen=True, slots=True)
class MemoryFit:
    """Whether the model fits into the device's memory; sizes in bytes."""

    known: bool  # False: the device is none that is measured, and the rest is assumed
    device_bytes: float
    streamed_bytes: float  # of the model, that cross the bus in every step; 0: all of it fits


@dataclass(frozen=True, slots=True)
class RequestPreview:
    """What a request would be answered, had it been submitted at this moment."""

    quota: QuotaView
    composition: Composition | None = None  # None: refused before it was a request
    estimate: Estimate | None = None  # None likewise
    cost_ms: int = 0  # what the quota must hold
    download_bytes: int | None = None  # of model files that are missing; None: none are needed
    memory: MemoryFit | None = None  # None: no model runs here
    refusal: ClapperError | None = None
    fitting: Request | None = None  # the largest like it that cost would not refuse

    @property
    def adjustments(self) -> tuple[Adjustment, ...]:
        """Return what was changed to make the request possible."""
        return self.composition.adjustments if self.composition else ()


@dataclass(frozen=True, slots=True)
class ActionPrice:
    """What one press of a button asks for."""

    cost_ms: int  # what the quota must hold
    size: Size  # of the clip that it makes


class Previewer:
    """Answers what a request would be answered; reserves and keeps nothing."""

    def __init__(
        self,
        limits: RequestLimits,
        runs: RunBook,
        missing: Callable[[Iterable[ModelFile]], Iterable[ModelFile]],
        profile: Profile,
        executor: str,
        clock: Clock = now_ms,
        workflows: Path | None = None,
    ) -> None:
        """Take what the answer depends on.

        Args:
            limits: ranges of a request's values.
            runs: what a request takes on this machine, and what its device is lent for.
            missing: which model files are not on this machine; asks the disk, in a thread.
            profile: of the model files in use.
            executor: its name; "draft" needs no model.
            clock: epoch milliseconds.
            workflows: folder of adopted workflows; None where none of them is used.
        """
        self._limits = limits
        self._runs = runs
        self._missing = missing
        self._profile = profile
        self._executor = executor
        self._clock = clock
        self._workflows = workflows
        # of what a request needs: bytes missing, and when that was so
        self._looked_up: dict[tuple[ModelFile, ...], tuple[int, int]] = {}

    async def composed(
        self,
        mode: Mode,
        options: Options,
        media: Mapping[str, MediaFile],
        filled: FilledOptions | None = None,
    ) -> Composition:
        """Compose a request, and say what an adopted graph makes nothing of.

        Raises:
            ClapperError: it is refused.
        """
        made = compose(mode, options, media, self._limits, filled)
        if self._workflows is None:
            return made
        return await asyncio.to_thread(judged_by_graph, made, self._workflows)

    async def preview(
        self,
        mode: Mode,
        options: Options,
        media: Mapping[str, MediaFile],
        quota: QuotaView,
        filled: FilledOptions | None = None,
    ) -> RequestPreview:
        """Preview a request of one person.

        Args:
            mode: what is made from what.
            options: what was typed.
            media: admitted files by role; they stay the caller's.
            quota: what the person may still spend.
            filled: what was typed with what others chose, where they did.
        """
        try:
            composition = await self.composed(mode, options, media, filled)
        except ClapperError as refusal:
            return RequestPreview(quota, refusal=refusal.with_traceback(None))
        request = composition.request
        try:
            estimate = self._runs.estimate(request)
        except ClapperError as refusal:  # nobody knows what it takes
            told = refusal.with_traceback(None)
            return RequestPreview(quota, composition, refusal=told)
        needs_models = self._executor != _WITHOUT_MODELS
        cost_ms = self._runs.cost_ms(estimate) * (1 + len(composition.drafts))
        refusal = self._refusal(request, cost_ms, quota)
        return RequestPreview(
            quota,
            composition,
            estimate,
            cost_ms,
            await self._download_bytes(request) if needs_models else None,
            self._memory(request) if needs_models else None,
            refusal,
            self._fitting(request, refusal, quota),
        )

    def smaller(self, request: Request) -> Request:
        """Return the largest request like ``request`` with at most half of its work.

        Raises:
            NothingFits: it is the smallest already.
        """
        cost = self._runs.estimate(request).gpu_ms
        machine = self._runs.machine_for(request)
        found = largest_fitting(request, cost * _SMALLER, machine, self._limits)
        if found is None or found == request:
            raise NothingFits(cost, cost // 2)
        return found

    def price(self, job: Job, action: Action) -> ActionPrice | None:
        """Return what one press of a button of ``job`` costs.

        Returns:
            None where it makes no clip, is not possible now, or nobody knows what it takes.
        """
        with suppress(ClapperError):
            if action is Action.SMALLER:
                request = self.smaller(job.request)
            else:
                request = next_request(job, action, self._limits)
            if request is not None:
                cost_ms = self._runs.cost_ms(self._runs.estimate(request)) * _takes(job, action)
                return ActionPrice(cost_ms, request.sampling.finished)
        return None

    def _refusal(self, request: Request, cost_ms: int, quota: QuotaView) -> ClapperError | None:
        try:
            self._runs.check_budget(request, None, self._limits, quota.tier)
        except ClapperError as refusal:
            return refusal.with_traceback(None)
        return quota.refusal(cost_ms)

    def _fitting(
        self, request: Request, refusal: ClapperError | None, quota: QuotaView
    ) -> Request | None:
        match refusal:
            case QuotaExceeded():
                budget_ms = quota.left_ms
            case TooCostly(limit_ms=lent_ms):
                budget_ms = min(lent_ms, quota.left_ms)
            case TooLargeForDevice():
                machine = self._runs.machine_for(request)
                return largest_with_room(request, machine, self._limits)
            case _:
                return None
        found = self._runs.largest(request, budget_ms, self._limits)
        return None if found == request else found

    async def _download_bytes(self, request: Request) -> int:
        files = FAMILY.files_of(request, self._profile)
        missing, looked_at = self._looked_up.get(files, (0, 0))
        if self._clock() - looked_at > MISSING_FILES_MS:
            absent = await asyncio.to_thread(self._missing, files)
            missing = sum(file.size_bytes for file in absent)
            self._looked_up[files] = (missing, self._clock())
        return missing

    def _memory(self, request: Request) -> MemoryFit:
        machine = self._runs.machine_for(request)
        return MemoryFit(machine.hardware.known, machine.hardware.memory, machine.streamed)


def _takes(job: Job, action: Action) -> int:
    """Return how many clips a press makes: of drafts to choose among, as many again."""
    return job.group.size if action is Action.AGAIN and job.group is not None else 1
