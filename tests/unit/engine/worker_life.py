"""A service in a process of its own, whose executor says which jobs it has, and waits if told to.

Arguments: a data directory, the address of the rows, and ``hold`` or ``go``. Ends by SIGTERM.
"""

import asyncio
import signal
import sys
from pathlib import Path

from core.app.bootstrap import open_core
from core.app.logs import set_up_logging
from core.domain.media import RawClip
from core.domain.progress import ProgressSink
from core.interfaces.executor import Order
from core.runtime.cancellation import CancelToken
from core.settings import load_settings
from core.testing.copied_clips import copied_clips
from core.testing.doubles import QuickExecutor


class TellingExecutor(QuickExecutor):
    """Writes the id of each job that gets the device."""

    async def execute(
        self, order: Order, on_progress: ProgressSink, cancel: CancelToken
    ) -> RawClip:
        print("order", order.job_id, flush=True)  # noqa: T201  # to the test
        return await super().execute(order, on_progress, cancel)


async def main(folder: str, address: str, what: str) -> None:
    executor, stop = TellingExecutor(), asyncio.Event()
    if what == "hold":
        executor.gate.clear()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    settings = load_settings(
        artefacts_shared=True,
        data_dir=Path(folder),
        database_url=address,
        executor="draft",
        min_free_megabytes=0,
    )
    async with open_core(settings, executor) as core:
        core.worker.finish = copied_clips(core.worker.finish)
        print("ready", flush=True)  # noqa: T201
        await core.run(stop)


set_up_logging("info")  # to standard error: what is written here is read by the test
asyncio.run(main(*sys.argv[1:]))
