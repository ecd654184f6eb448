"""The seam to the line of jobs, as a worker sees it: take one, keep it alive, say how it ended.

Whoever runs a job owns it by the token that came with it; every call with another token finds
nothing to change and says so.
"""

from collections.abc import Callable
from typing import Protocol

from core.domain.jobs import Failure, Job, RequeueReason
from core.domain.media import Clip
from core.domain.progress import Progress
from core.domain.requests import Request


class WorkQueue(Protocol):
    """Hands out jobs and takes their outcomes; each call may be repeated where its answer is lost.

    All of them raise :class:`core.errors.ClapperError` where the rows cannot be reached just now.
    """

    async def claim(
        self, prefer: Callable[[Request], bool] | None = None, *, ahead: bool = False
    ) -> Job | None:
        """Start the job whose turn it is: next attempt, fresh token, lease.

        Args:
            prefer: whether the models of a request are loaded; among the jobs that are equally
                due one of those goes first.
            ahead: the device is busy; the attempt has it only from :meth:`begin` on. Until then it
                costs nothing, and is not counted if it is lost.

        Returns:
            The running job; None where nobody waits who may run.
        """
        ...

    async def next_up(self) -> Job | None:
        """Look which job would be claimed next; None where nobody waits, or it may not be seen."""
        ...

    async def begin(self, job_id: str, token: str) -> int | None:
        """Note that an attempt that was claimed ahead has the device now.

        Returns:
            The time, epoch milliseconds; None where the attempt lost the job.
        """
        ...

    async def beat(self, job_id: str, token: str, progress: Progress | None = None) -> bool:
        """Extend the lease and note ``progress``; False where the attempt lost the job."""
        ...

    async def settle(self, job_id: str, token: str, clip: Clip, actual_ms: int) -> bool:
        """End an attempt with its clip, and charge device time (ms).

        Returns:
            Whether the job has this clip now, also where it had it already; where it has not,
            nobody will ever ask for the clip.
        """
        ...

    async def fail(
        self, job_id: str, token: str, failure: Failure, charge_ms: int = 0, off_device_ms: int = 0
    ) -> bool:
        """End an attempt without a clip; refund all but ``charge_ms``. False if it lost the job.

        Args:
            job_id: which.
            token: of the attempt.
            failure: why.
            charge_ms: what is not refunded.
            off_device_ms: the part of its time in which models were loaded or a clip was encoded.
        """
        ...

    async def requeue(
        self, job_id: str, token: str, why: RequeueReason = RequeueReason.LOST
    ) -> bool:
        """Put an attempt's job back in line; ``why`` decides what is counted.

        False where the attempt lost the job.
        """
        ...

    async def note_ending(self) -> None:
        """Note that the worker ends on purpose: what runs now is not to blame if it is cut off."""
        ...
