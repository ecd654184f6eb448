"""Bring an attempt's inputs to this node and its clip from it, beside what the device does.

Where folders keep everything, both are done before they begin.
"""

import asyncio
from collections.abc import Coroutine
from contextlib import AbstractContextManager
from typing import Any

import structlog

from core.artefacts.clips import discard
from core.domain.jobs import Job
from core.domain.media import Clip
from core.errors import MediaGone
from core.errors.artefacts import ArtefactGone
from core.interfaces.artefacts import Artefacts, name_of_input, names_of_clip, names_of_inputs
from core.runtime.tasks import cancel_and_wait, outcome_of, run_shielded
from core.worker.attempt import JobAttempt
from core.worker.limited import wait_within
from core.worker.rules import WorkerRules

log = structlog.get_logger(__name__)

DISCARD_S = 10.0  # a bucket that does not answer for so long is not waited for


class ArtefactTransfers:
    """Fetches and uploads within the time of an attempt."""

    def __init__(self, artefacts: Artefacts) -> None:
        self._artefacts = artefacts

    @property
    def shared(self) -> bool:
        """Return whether there is anything to fetch or upload."""
        return self._artefacts.shared

    def inputs_in_use(self, job: Job) -> AbstractContextManager[None]:
        """Keep the inputs of ``job`` on this node until the block ends."""
        return self._artefacts.in_use(*names_of_inputs(job))

    async def prefetch(self, job: Job) -> None:
        """Have the inputs of ``job`` on this node, which is probably the next.

        Raises:
            MediaGone: one is not there any more.
            ArtefactsUnavailable: one cannot be fetched just now.
        """
        if not self.shared:
            return
        for role, file in job.request.media().items():
            try:
                await self._artefacts.local(name_of_input(file))
            except ArtefactGone:
                raise MediaGone(role) from None

    async def fetch(self, attempt: JobAttempt, rules: WorkerRules) -> None:
        """Have the inputs of the attempt on this node.

        Raises:
            Cancelled: somebody, or the time limit, stopped the attempt.
            MediaGone: one is not there any more.
            ArtefactsUnavailable: one cannot be fetched just now.
        """
        if self.shared:
            await self._within(self.prefetch(attempt.job), attempt, rules.finish_timeout_s)

    async def upload(self, attempt: JobAttempt, clip: Clip, rules: WorkerRules) -> None:
        """Put the clip and its poster where all nodes look, or leave nothing of them.

        Raises:
            Cancelled: somebody, or the time limit, stopped it.
            ArtefactsUnavailable: it cannot be kept there just now.
        """
        if not self.shared:
            return
        kept = False
        try:
            await self._within(self._put(clip), attempt, rules.finish_timeout_s)
            kept = True
        finally:
            if not kept:
                await run_shielded(outcome_of(self.discard(clip), DISCARD_S))

    async def discard(self, clip: Clip) -> None:
        """Delete a clip that no row names, wherever it is kept."""
        await discard(self._artefacts, *names_of_clip(clip))

    async def _put(self, clip: Clip) -> None:
        for name, path in zip(names_of_clip(clip), (clip.path, clip.poster), strict=True):
            await self._artefacts.put(name, path)

    async def _within(
        self, call: Coroutine[Any, Any, None], attempt: JobAttempt, limit_s: float
    ) -> None:
        """Run ``call`` within its time, stopped where the attempt is cancelled.

        Raises:
            Cancelled: it was.
        """
        transfer = asyncio.create_task(outcome_of(call))
        try:
            await wait_within(transfer, attempt, limit_s)
        finally:
            await cancel_and_wait(transfer)
        attempt.cancel.raise_if_cancelled()
        error = transfer.result().error
        if error is not None:
            raise error
