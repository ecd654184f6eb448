"""Results of jobs as they are owed: a clip, drafts to choose among, or why there is none."""

from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from dataclasses import replace
from functools import partial

from core.artefacts.clips import bring_clip
from core.delivery.owed import OwedItem
from core.domain.jobs import Job, JobState
from core.errors import DeliveryImpossible, DeliveryRetry
from core.errors.artefacts import ArtefactGone, ArtefactsUnavailable
from core.interfaces.artefacts import Artefacts, names_of_clip
from core.interfaces.delivery import Delivery, DeliveryAttempt, Receipt
from core.storage.outbox import Outbox
from core.storage.owed_rows import DeliveryClaim


class OwedResults:
    """Implements :class:`core.delivery.owed.OwedKind` for the outbox."""

    def __init__(
        self,
        rows: Outbox,
        artefacts: Artefacts,
        load_drafts: Callable[[str], Awaitable[list[Job]]],
    ) -> None:
        """Take what is owed, where clips are kept, and how drafts of a group are read."""
        self.rows = rows
        self._artefacts = artefacts
        self._load_drafts = load_drafts

    async def due(self, platform: str, limit: int) -> list[OwedItem]:
        """List results that are due."""
        return [
            OwedItem(one.job.id, self.rows, partial(self._hand_over, one.job), one.job.id)
            for one in await self.rows.due(platform, limit)
        ]

    async def _hand_over(self, job: Job, delivery: Delivery, claim: DeliveryClaim) -> Receipt:
        drafts = [] if job.group is None else await self._load_drafts(job.group.id)
        if any(one.clip is not None for one in drafts):
            return await self._hand_over_drafts(delivery, drafts, claim.attempt)
        if job.state is not JobState.SUCCEEDED or job.clip is None:
            return await delivery.failed(job, job.end_reason, claim.attempt)
        with self._artefacts.in_use(*names_of_clip(job.clip)):
            if (await brought(self._artefacts, job)).clip is None:
                raise DeliveryImpossible("clip_deleted")
            return await delivery.completed(job, job.clip, claim.attempt)

    async def _hand_over_drafts(
        self, delivery: Delivery, drafts: list[Job], attempt: DeliveryAttempt
    ) -> Receipt:
        """Hand over the drafts of a group as one; those whose clips are gone count as failed.

        Raises:
            DeliveryImpossible: all of them are gone.
        """
        with ExitStack() as kept:
            for draft in drafts:
                if draft.clip is not None:
                    kept.enter_context(self._artefacts.in_use(*names_of_clip(draft.clip)))
            there: list[Job] = []
            for draft in drafts:
                there.append(await brought(self._artefacts, draft))
            if all(one.clip is None for one in there):
                raise DeliveryImpossible("clip_deleted")
            return await delivery.drafts(there, attempt)


async def brought(artefacts: Artefacts, job: Job) -> Job:
    """Return a job whose clip is on this node, or without one where it is gone.

    Raises:
        DeliveryRetry: it cannot be fetched just now.
    """
    if job.clip is None:
        return job
    try:
        await bring_clip(artefacts, job.clip)
    except ArtefactGone:
        return replace(job, clip=None)
    except ArtefactsUnavailable as error:
        raise DeliveryRetry(error.reason) from error
    return job
