"""A service that is killed on command: run as a process by test_kill.py.

Everything is imported once; each life is a fork, so that a life begins within milliseconds.
Commands on standard input: ``live <seconds>`` starts a life and kills it after that time,
``finish`` starts one that may complete. The answer is the exit code of the life.
"""

import asyncio
import json
import os
import signal
import sys
import time
import traceback
from collections.abc import Iterator
from pathlib import Path

from core.animatic.executor import DraftExecutor
from core.app.bootstrap import open_core
from core.app.core import Core
from core.app.logs import set_up_logging
from core.domain.jobs import ReplyTo
from core.domain.media import RawClip
from core.domain.people import Requester
from core.domain.progress import ProgressSink
from core.interfaces.executor import Order
from core.runtime.cancellation import CancelToken
from core.settings import Settings, load_settings
from core.testing.doubles import QuickExecutor, RecordingDelivery, running, t2v
from core.testing.jobs import submit_request

USERS, JOBS_EACH = 40, 5
JOBS = USERS * JOBS_EACH
DRAFT_EVERY = 10  # every so many jobs is drawn by the real animatic


class TortureExecutor(QuickExecutor):
    """Mostly grey frames at once, now and then a real draft."""

    def __init__(self) -> None:
        super().__init__(gpu_ms=100)
        self._draft = DraftExecutor()

    async def execute(
        self, order: Order, on_progress: ProgressSink, cancel: CancelToken
    ) -> RawClip:
        if order.request.sampling.seed % DRAFT_EVERY == 0:
            return await self._draft.execute(order, on_progress, cancel)
        return await super().execute(order, on_progress, cancel)


def settings_in(folder: Path) -> Settings:
    return load_settings(
        data_dir=folder,
        executor="draft",
        quota_minutes=10_000,
        max_queued=JOBS_EACH,
        max_attempts=100,
        min_free_megabytes=0,
        heartbeat_s=0.2,
        shutdown_grace_s=5,
    )


def unacknowledged(acks: Path) -> Iterator[int]:
    done = {json.loads(line)["number"] for line in acks.read_text().splitlines()}
    return (number for number in range(JOBS) if number not in done)


async def submit_twice(core: Core, number: int, acks: Path) -> None:
    """As a platform that repeats an event: two at once; the answers are written down."""
    requester = Requester("test", f"user-{number % USERS}")
    tickets = await asyncio.gather(
        *(
            submit_request(core, t2v(seed=number), requester, ReplyTo("test"), f"event-{number}")
            for _ in range(2)
        )
    )
    with acks.open("a") as file:
        ids = [ticket.job_id for ticket in tickets]
        file.write(json.dumps({"number": number, "ids": ids}) + "\n")
        file.flush()
        os.fsync(file.fileno())


async def life(folder: Path) -> None:
    delivery = RecordingDelivery(book=folder / "book")
    async with open_core(settings_in(folder / "data"), TortureExecutor()) as core:
        core.router.register(delivery)
        async with running(core):
            for number in unacknowledged(folder / "acks"):
                await submit_twice(core, number, folder / "acks")
            await delivery.until(JOBS)


def born(folder: Path) -> int:
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        asyncio.run(life(folder))
        code = 0
    finally:
        if code:
            traceback.print_exc()
        os._exit(code)


def answer(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def main(folder: Path) -> None:
    set_up_logging("warning")
    answer("ready")
    for line in sys.stdin:
        verb, _, seconds = line.strip().partition(" ")
        child = born(folder)
        if verb == "live":
            time.sleep(float(seconds))
            os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        answer(str(os.waitstatus_to_exitcode(status)))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
