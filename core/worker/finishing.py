"""The part of an attempt in the encoder: within its time, and left behind where it never ends."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeAlias

import structlog

from core.domain.media import Clip, RawClip
from core.domain.progress import Stage, Working
from core.interfaces.executor import Order
from core.runtime.cancellation import CancelToken
from core.runtime.progress_hub import ProgressHub
from core.worker.attempt import JobAttempt
from core.worker.device_watch import DeviceWatch
from core.worker.limited import run_limited
from core.worker.rules import WorkerRules

log = structlog.get_logger(__name__)

Finish: TypeAlias = Callable[[RawClip, Order, CancelToken], Awaitable[Clip]]


class ClipFinisher:
    """Encodes what the device made."""

    def __init__(self, hub: ProgressHub, watch: DeviceWatch) -> None:
        self._hub = hub
        self._watch = watch

    async def finish(
        self,
        finish: Finish,
        attempt: JobAttempt,
        raw: RawClip,
        order: Order,
        rules: WorkerRules,
        unwind_s: Callable[[], float],
    ) -> Clip:
        """Encode ``raw`` with ``finish`` within its time.

        Raises:
            Cancelled: somebody, or the time limit, stopped it.
        """
        attempt.cancel.raise_if_cancelled()
        begins = 1 - order.shares.get(Stage.ENCODE, 0.0)
        attempt.publish(self._hub, Working(Stage.ENCODE, 0, 1, begins))

        async def finished() -> Clip:
            return await finish(raw, order, attempt.cancel)

        def leave(run: "asyncio.Task[Clip]") -> None:
            log.error("encoder_does_not_stop", job_id=order.job_id)
            run.cancel()
            run.add_done_callback(self._returned)
            self._watch.left_behind(rules.most_stuck)

        limit_s = rules.finish_timeout_s
        return (await run_limited(finished(), attempt, limit_s, unwind_s, leave)).result()

    def _returned(self, run: "asyncio.Task[Clip]") -> None:
        self._watch.returned()
        if not run.cancelled() and run.exception() is None:  # a clip that nobody waits for
            asyncio.get_running_loop().run_in_executor(None, _remove, run.result())


def _remove(clip: Clip) -> None:
    for path in (clip.path, clip.poster):
        path.unlink(missing_ok=True)
