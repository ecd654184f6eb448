"""A service whose lives end on command: run as a process by the tests beside it.

Everything is imported once; each life is a fork, so that a life begins within milliseconds. A
line of JSON on standard input is a :class:`Plan`; the answer is the exit code of that life: 0 when
all jobs of the plan have been shown, 5 where the core could not be opened, below zero when it was
killed.
"""

import asyncio
import ctypes
import gc
import json
import os
import signal
import sys
import time
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
from sqlalchemy.exc import OperationalError

from core.animatic.executor import DraftExecutor
from core.app.bootstrap import open_core
from core.app.core import Core
from core.app.logs import set_up_logging
from core.domain.jobs import ReplyTo
from core.domain.media import RawClip
from core.domain.people import Requester
from core.domain.progress import ProgressSink
from core.errors import ClapperError
from core.errors.setup import SetupProblem
from core.interfaces.executor import Order
from core.runtime.cancellation import CancelToken
from core.settings import Settings, load_settings
from core.testing.doubles import QuickExecutor, RecordingDelivery, running, t2v
from core.testing.jobs import submit_request

USERS = 40
DRAFT_EVERY = 10  # every so many jobs is drawn by the real animatic
TRIES = 200  # of one submission while the disk answers with errors
AT_ONCE = 8  # jobs of a long life
NOT_OPENED, TOO_SLOW = 5, 3


@dataclass(frozen=True)
class Plan:
    """One life.

    Attributes:
        folder: of the data directory, the acknowledgements and the book of the platform.
        jobs: that all lives of this folder shall see done.
        kill_after_s: kill -9 then.
        after, times, error: let ``after`` writes to the database pass, then fail ``times`` of them
            with this errno; 0 kills the process there.
        cancel_every: cancel every so many jobs once they are accepted.
        jump_s: the wall clock jumps so far while one job runs and the others wait.
        samples: measure the process so many times on the way, into the file ``samples``.
    """

    folder: str
    jobs: int
    kill_after_s: float | None = None
    after: int = -1
    times: int = 0
    error: int = 0
    cancel_every: int = 0
    jump_s: int = 0
    samples: int = 0


class MixedExecutor(QuickExecutor):
    """Mostly grey frames at once, now and then a real draft."""

    def __init__(self) -> None:
        super().__init__(gpu_ms=100)
        self._draft = DraftExecutor()

    async def execute(
        self, order: Order, on_progress: ProgressSink, cancel: CancelToken
    ) -> RawClip:
        if order.request.sampling.seed % DRAFT_EVERY == DRAFT_EVERY - 1:
            return await self._draft.execute(order, on_progress, cancel)
        return await super().execute(order, on_progress, cancel)


@dataclass
class CountingDelivery(RecordingDelivery):
    """Forgets what it showed long ago: remembered, a day's messages are 8 MB of their own."""

    forgotten: int = 0

    async def until(self, count: int) -> None:
        """Wait until ``count`` messages were shown."""
        await super().until(count - self.forgotten)

    def forget(self) -> None:
        """Forget all but the newest messages, which may be repeated yet."""
        for nonce in list(self.shown)[: -2 * AT_ONCE]:
            del self.shown[nonce]
            self.forgotten += 1


def settings_in(folder: Path, jobs: int) -> Settings:
    return load_settings(
        data_dir=folder,
        executor="draft",
        quota_minutes=10_000,
        max_queued=jobs,
        max_attempts=100,
        min_free_megabytes=0,
        heartbeat_s=0.2,
        shutdown_grace_s=5,
    )


def unacknowledged(acks: Path, jobs: int) -> Iterator[int]:
    acks.touch()
    done = {json.loads(line)["number"] for line in acks.read_text().splitlines()}
    return (number for number in range(jobs) if number not in done)


def user(number: int) -> Requester:
    return Requester("test", f"user-{number % USERS}")


async def accepted(core: Core, number: int) -> str:
    """Submit until there is an answer, as people do who press again."""
    for _ in range(TRIES):
        try:
            key = f"event-{number}"
            request = t2v(seed=number)
            ticket = await submit_request(core, request, user(number), ReplyTo("test"), key)
        except (ClapperError, OperationalError):
            await asyncio.sleep(0.02)
        else:
            return ticket.job_id
    raise TimeoutError(f"job {number} was never accepted")


async def submit_twice(core: Core, number: int, acks: Path) -> str:
    """Submit as a platform that repeats an event: two at once; the answers are written down."""
    ids = await asyncio.gather(accepted(core, number), accepted(core, number))
    with acks.open("a") as file:
        file.write(json.dumps({"number": number, "ids": ids}) + "\n")
        file.flush()
        os.fsync(file.fileno())
    return ids[0]


async def cancel(core: Core, job_id: str, number: int) -> None:
    try:
        await core.cancellation.cancel(job_id, user(number))
    except (ClapperError, OperationalError):
        return  # it is over, or the disk answers with errors: then it is done


async def jump(core: Core, executor: QuickExecutor, seconds: int) -> None:
    """Move the wall clock while a job runs, and let the chores of a minute and an hour see it."""
    await executor.started.wait()
    ctypes.CDLL(None).torture_shift(ctypes.c_long(seconds))
    await core.housekeeping.expire()
    await core.housekeeping.check()
    await core.housekeeping.prune()
    executor.gate.set()


def sampled(done: int) -> dict[str, int]:
    """Measure this process: memory in bytes, descriptors, threads, objects.

    What the allocator keeps of memory that was freed goes back first: it is no leak, and it depends
    on which thread happened to free it.
    """
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    process = psutil.Process()
    return {
        "done": done,
        "rss": process.memory_info().rss,
        "descriptors": process.num_fds(),
        "threads": process.num_threads(),
        "objects": len(gc.get_objects()),
    }


async def long_life(
    plan: Plan, core: Core, executor: MixedExecutor, delivery: CountingDelivery
) -> None:
    """Let a day's jobs through, a few at a time, as people ask for them.

    The doubles remember no order, no event and no message: what stays is the service's own.
    """
    step = plan.jobs // plan.samples
    with (Path(plan.folder) / "samples").open("w") as file:
        for number in range(plan.jobs):
            if number % step == 0:
                await delivery.until(number)
                await core.housekeeping.expire()
                await core.housekeeping.check()
                file.write(json.dumps(sampled(number)) + "\n")
            await accepted(core, number)
            await delivery.until(number - AT_ONCE)
            delivery.events.clear()
            delivery.forget()
            executor.orders.clear()


async def life(plan: Plan) -> None:
    folder = Path(plan.folder)
    delivery = CountingDelivery(book=folder / "book")
    executor = MixedExecutor()
    if plan.jump_s:
        executor.gate.clear()
    async with open_core(settings_in(folder / "data", plan.jobs), executor) as core:
        core.router.register(delivery)
        async with running(core):
            if plan.samples:
                await long_life(plan, core, executor, delivery)
            for number in () if plan.samples else unacknowledged(folder / "acks", plan.jobs):
                job_id = await submit_twice(core, number, folder / "acks")
                if plan.cancel_every and number % plan.cancel_every == plan.cancel_every - 1:
                    await cancel(core, job_id, number)
            if plan.jump_s:
                await jump(core, executor, plan.jump_s)
            await delivery.until(plan.jobs)


async def bounded(plan: Plan) -> int:
    try:
        async with asyncio.timeout(120 + plan.jobs):
            await life(plan)
    except SetupProblem as problem:
        sys.stderr.write(f"not opened: {problem}\n")
        return NOT_OPENED
    except TimeoutError:
        traceback.print_exc()
        return TOO_SLOW
    return 0


def born(plan: Plan) -> int:
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        if plan.after >= 0:
            after, times = ctypes.c_long(plan.after), ctypes.c_long(plan.times)
            ctypes.CDLL(None).torture_arm(after, times, ctypes.c_int(plan.error))
        code = asyncio.run(bounded(plan))
    finally:
        if code == 1:
            traceback.print_exc()
        os._exit(code)


def answer(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def main() -> None:
    set_up_logging("critical")
    answer("ready")
    for line in sys.stdin:
        plan = Plan(**json.loads(line))
        child = born(plan)
        if plan.kill_after_s is not None:
            time.sleep(plan.kill_after_s)  # a random moment is the point here
            os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        answer(str(os.waitstatus_to_exitcode(status)))


if __name__ == "__main__":
    main()
