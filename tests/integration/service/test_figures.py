"""What is recorded and exported of every run, and what is prepared beside it."""

import asyncio

from prometheus_client.parser import text_string_to_metric_families

from core.app.bootstrap import open_core
from core.app.core import Core
from core.app.metrics import collect
from core.domain.jobs import ReplyTo
from core.domain.media import RawClip
from core.domain.people import Requester
from core.domain.progress import ProgressSink, Stage
from core.errors import OutOfMemory
from core.interfaces.executor import Order
from core.runtime.cancellation import CancelToken
from core.settings import Settings
from core.testing.doubles import QuickExecutor, RecordingDelivery, running, t2v
from core.testing.jobs import submit_request


async def ask(core: Core, user: str) -> str:
    ticket = await submit_request(core, t2v(), Requester("test", user), ReplyTo("test"), user)
    return ticket.job_id


async def figures(core: Core) -> dict[str, float]:
    text = (await collect(core)).decode()
    return {
        " ".join([sample.name, *sorted(sample.labels.values())]): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


class Telling(QuickExecutor):
    """Says how much memory a run took, and prepares."""

    def __init__(self) -> None:
        super().__init__()
        self.prepared: list[str] = []
        self.ready = asyncio.Event()

    async def execute(
        self, order: Order, on_progress: ProgressSink, cancel: CancelToken
    ) -> RawClip:
        made = await super().execute(order, on_progress, cancel)
        return RawClip(made.frames, made.fps, made.sound, made.gpu_ms, made.notes, 12_345)

    async def prepare(self, order: Order, cancel: CancelToken) -> None:
        assert not order.workspace.exists()
        self.prepared.append(order.job_id)
        self.ready.set()


async def test_runs_are_recorded_with_wait_memory_and_error(
    settings: Settings, delivery: RecordingDelivery
) -> None:
    executor = Telling()
    async with open_core(settings, executor) as core:
        core.router.register(delivery)
        async with running(core), asyncio.timeout(120):
            good = await ask(core, "ann")
            await delivery.until(1)
            executor.faults.append(OutOfMemory(64, 64, 9))
            bad = await ask(core, "ben")
            await delivery.until(2)
        runs = {run.job_id: run for run in await core.runs.recent()}
        shown = await figures(core)

    assert runs[good].peak_bytes == 12_345
    assert runs[good].error is None
    assert runs[good].wait_ms >= 0
    assert runs[bad].error == "out_of_memory"
    assert runs[bad].timings == ()
    assert shown["clapper_runs_total fast succeeded t2v"] == 1
    assert shown["clapper_runs_total fast out_of_memory t2v"] == 1
    assert shown["clapper_wait_seconds_count"] == 2
    assert shown["clapper_estimate_ratio_count"] == 1
    assert shown[f"clapper_stage_seconds_count {Stage.STAGE1}"] == 2
    assert shown["clapper_device_peak_bytes"] == 12_345


async def test_line_and_deliveries_are_counted_when_asked(core: Core) -> None:
    await ask(core, "ann")
    await ask(core, "ben")

    shown = await figures(core)

    assert shown["clapper_jobs waiting"] == 2
    assert shown["clapper_jobs running"] == 0
    assert shown["clapper_deliveries owed"] == 0
    assert shown["clapper_intake_open"] == 1
    assert shown["clapper_disk_free_bytes"] > 0


async def test_inputs_of_the_next_job_are_prepared_while_one_runs(
    settings: Settings, delivery: RecordingDelivery
) -> None:
    executor = Telling()
    executor.gate.clear()
    async with open_core(settings, executor) as core:
        core.router.register(delivery)
        async with running(core), asyncio.timeout(120):
            await ask(core, "ann")
            following = await ask(core, "ben")
            await executor.ready.wait()
            assert executor.prepared == [following]
            assert [order.job_id for order in executor.orders] != executor.prepared
            executor.gate.set()
            await delivery.until(2)


async def test_a_preparation_that_fails_disturbs_nobody(
    settings: Settings, delivery: RecordingDelivery
) -> None:
    class Failing(Telling):
        async def prepare(self, order: Order, cancel: CancelToken) -> None:
            await super().prepare(order, cancel)
            raise OutOfMemory(1, 1, 1)

    executor = Failing()
    executor.gate.clear()
    async with open_core(settings, executor) as core:
        core.router.register(delivery)
        async with running(core), asyncio.timeout(120):
            await ask(core, "ann")
            await ask(core, "ben")
            await executor.ready.wait()
            executor.gate.set()
            await delivery.until(2)

    assert {message.kind for message in delivery.shown.values()} == {"completed"}
