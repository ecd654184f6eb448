"""A service in which one thing hangs: run as a process by test_ending.py.

    python ending.py DATA_DIR PHASE

Says ``now`` once it hangs there, and is then to be stopped.
"""

import asyncio
import atexit
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from core.app import bootstrap, serve
from core.app.core import Core
from core.domain.jobs import Failure, Job, ReplyTo
from core.domain.media import Clip, RawClip
from core.domain.people import Requester
from core.domain.progress import ProgressSink
from core.interfaces.delivery import DeliveryAttempt, Receipt
from core.interfaces.executor import Order
from core.interfaces.terms import Term
from core.runtime.cancellation import CancelToken
from core.service.front_services import FrontServices
from core.settings import Settings
from core.testing.doubles import QuickExecutor, RecordingDelivery, t2v
from core.testing.jobs import submit_request

PHASE = sys.argv[2]
CORE: list[Core] = []


def now() -> None:
    sys.stdout.write("now\n")
    sys.stdout.flush()


async def hang() -> None:
    """Hang in a thread that hears nothing, as in a driver or on a dead disk."""
    now()
    hung = asyncio.get_running_loop().run_in_executor(None, threading.Event().wait)
    while not hung.done():
        try:
            await asyncio.wait({hung})
        except asyncio.CancelledError:
            continue


class HangingExecutor(QuickExecutor):
    async def warm_up(self) -> None:
        if PHASE == "warm_up":
            await hang()

    async def execute(
        self, order: Order, on_progress: ProgressSink, cancel: CancelToken
    ) -> RawClip:
        if PHASE == "run":
            await hang()
        if PHASE == "obedient":
            now()
            await cancel.wait()
        return await super().execute(order, on_progress, cancel)

    async def close(self) -> None:
        if PHASE == "close":
            await hang()


class HangingDelivery(RecordingDelivery):
    async def completed(self, job: Job, clip: Clip, attempt: DeliveryAttempt) -> Receipt:
        if PHASE == "delivery":
            await hang()
        return await super().completed(job, clip, attempt)

    async def failed(self, job: Job, failure: Failure, attempt: DeliveryAttempt) -> Receipt:
        return await super().failed(job, failure, attempt)


class Front:
    name = "test"

    def configured(self, settings: Settings) -> bool:
        return settings.worker.shutdown_grace_s >= 0

    async def run(self, services: FrontServices, on_ready: Callable[[], None]) -> None:
        core = CORE[0]
        if PHASE == "front_starts":
            now()
            await asyncio.to_thread(threading.Event().wait)
        services.register(HangingDelivery())
        on_ready()
        if PHASE == "encode":

            async def finish(raw: RawClip, order: Order, cancel: CancelToken) -> Clip:
                await hang()
                raise AssertionError((raw, order, cancel))

            core.worker.finish = finish
        await submit_request(core, t2v(), Requester("test", "ann"), ReplyTo("test"), "one")
        if PHASE in ("idle", "close"):
            now()
        try:
            await asyncio.Event().wait()
        finally:
            if PHASE == "front":
                await hang()


def main() -> None:
    of_core = serve.front_services

    def front_services(core: Core, term: Term | None = None) -> FrontServices:
        CORE.append(core)
        return of_core(core, term)

    atexit.register(lambda: sys.stdout.write("torn down\n"))
    serve.front_services = front_services
    serve.found_fronts = lambda _: [Front()]
    bootstrap.choose_executor = lambda *_: HangingExecutor()
    from core.cli.app import APP

    APP(["serve", "--no-supervise"], prog_name="clapper")


if __name__ == "__main__":
    assert Path(sys.argv[1]).is_absolute()
    main()
