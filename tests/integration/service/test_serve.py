import asyncio
import gc
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.metadata import EntryPoint

import pytest

import core.app.serve
from core.app.bootstrap import open_core
from core.app.core import Core
from core.app.process import on_signals
from core.app.serve import found_fronts, front_services, run_all, serve
from core.domain.jobs import JobState, ReplyTo
from core.domain.people import Requester
from core.errors.setup import BadConfiguration, NothingToServe
from core.service.front_services import FrontServices
from core.settings import Settings
from core.testing.doubles import QuickExecutor, RecordingDelivery, eventually, running, t2v
from core.testing.jobs import submit_request


@dataclass
class PlainFront:
    """A front that serves until it is cancelled, or fails as told."""

    name: str = "plain"
    fault: Exception | None = None
    is_configured: bool = True
    serving: asyncio.Event = field(default_factory=asyncio.Event)
    url: str = ""

    def configured(self, settings: Settings) -> bool:
        return self.is_configured

    async def run(self, services: FrontServices, on_ready: Callable[[], None]) -> None:
        if self.fault is not None:
            raise self.fault
        on_ready()
        self.serving.set()
        await asyncio.Event().wait()


async def test_a_front_that_fails_is_told_and_the_others_go_on(core: Core) -> None:
    told: list[str] = []
    stop = asyncio.Event()
    fine = PlainFront("studio", url="http://127.0.0.1:7860/")
    fronts = [
        fine,
        PlainFront("discord", BadConfiguration("CLAPPER_DISCORD_TOKEN", "refused")),
        PlainFront("telegram", KeyError("defect")),
    ]

    running = asyncio.create_task(run_all(core, fronts, stop, told.append))
    await fine.serving.wait()
    await asyncio.sleep(0.05)
    assert not running.done()
    stop.set()

    assert await running is False
    assert "Studio is ready: http://127.0.0.1:7860/" in told
    assert any("CLAPPER_DISCORD_TOKEN" in sentence for sentence in told)
    assert any("Telegram" in sentence and "defect" in sentence for sentence in told)
    assert not any("KeyError" in sentence for sentence in told)


async def test_what_stands_is_not_collected_while_people_are_served(core: Core) -> None:
    stop = asyncio.Event()
    front = PlainFront()
    before = gc.get_freeze_count()

    running = asyncio.create_task(run_all(core, [front], stop, lambda _: None))
    await front.serving.wait()
    held = gc.get_freeze_count()
    stop.set()
    await running

    assert held > before
    assert gc.get_freeze_count() == 0


async def test_without_any_front_left_the_service_ends(core: Core) -> None:
    front = PlainFront(fault=BadConfiguration("X", "y"))

    async with asyncio.timeout(120):
        assert await run_all(core, [front], asyncio.Event(), lambda _: None) is True


async def test_fronts_stay_up_until_the_running_job_is_delivered(
    core: Core, executor: QuickExecutor, delivery: RecordingDelivery, ann: Requester
) -> None:
    class DeliveringFront(PlainFront):
        async def run(self, services: FrontServices, on_ready: Callable[[], None]) -> None:
            services.register(delivery)
            try:
                await super().run(services, on_ready)
            finally:
                services.unregister(delivery.platform)

    front, stop = DeliveringFront(), asyncio.Event()
    executor.gate.clear()
    serving = asyncio.create_task(run_all(core, [front], stop, lambda _: None))
    await front.serving.wait()
    ticket = await submit_request(core, t2v(), ann, ReplyTo("test"), "one")
    await executor.started.wait()
    stop.set()
    await asyncio.sleep(0.05)
    executor.gate.set()
    await serving

    assert len(delivery.of(ticket.job_id)) == 1


async def test_what_ends_after_its_front_is_delivered_when_the_front_is_back(
    core: Core, delivery: RecordingDelivery, ann: Requester
) -> None:
    services = front_services(core)
    services.register(delivery)
    async with running(core):
        services.unregister(delivery.platform)
        ticket = await submit_request(core, t2v(), ann, ReplyTo("test"), "one")
        await eventually(lambda: owed(core), 10)
        assert delivery.of(ticket.job_id) == []

        services.register(delivery)
        await delivery.until(1)

    assert len(delivery.of(ticket.job_id)) == 1


async def owed(core: Core) -> bool:
    return (await core.outbox.counts()).pending == 1


async def test_fronts_come_up_once_a_slow_executor_has_started(settings: Settings) -> None:
    """Starting it holds up the event loop, and connections with it."""

    class SlowExecutor(QuickExecutor):
        def __init__(self) -> None:
            super().__init__()
            self.starts = asyncio.Event()
            self.may_go_on = asyncio.Event()

        async def warm_up(self) -> None:
            self.starts.set()
            await self.may_go_on.wait()

    executor, front, stop = SlowExecutor(), PlainFront(), asyncio.Event()
    told: list[str] = []
    async with open_core(settings, executor) as opened, asyncio.timeout(120):
        assert not executor.starts.is_set()  # a single command leaves it to the first order
        serving = asyncio.create_task(run_all(opened, [front], stop, told.append))
        await executor.starts.wait()
        assert not front.serving.is_set()
        executor.may_go_on.set()
        await front.serving.wait()
        stop.set()
        await serving

    assert told == [
        "Starting the quick executor; this can take half a minute.",
        "Plain is ready.",
    ]


async def test_nothing_configured_is_said_with_what_to_do(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    front = PlainFront("discord", is_configured=False)
    monkeypatch.setattr(core.app.serve, "found_fronts", lambda _: [front])
    told: list[str] = []

    with pytest.raises(NothingToServe):
        await serve(settings, told.append)

    assert "Discord is not configured." in told


def test_a_front_that_is_not_installed_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    absent = EntryPoint("absent", "no_such_package.front:FRONT", core.app.serve.GROUP)
    monkeypatch.setattr(core.app.serve, "entry_points", lambda group: [absent])
    told: list[str] = []

    assert found_fronts(told.append) == []
    assert told == ["Absent is not installed."]


async def test_the_first_signal_asks_and_the_second_is_the_systems(core: Core) -> None:
    stop, asked = asyncio.Event(), asyncio.Event()
    on_signals(stop, asked.set)

    os.kill(os.getpid(), signal.SIGTERM)
    async with asyncio.timeout(120):
        await stop.wait()

    assert asked.is_set()
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


SERVICE = """
import asyncio, sys
from pathlib import Path
import core.app.serve
from core.service.front_services import FrontServices
from core.settings import load_settings
class Front:
    name = "plain"
    def configured(self, core): return True
    async def run(self, core, on_ready):
        on_ready()
        await asyncio.Event().wait()
core.app.serve.found_fronts = lambda _: [Front()]
settings = load_settings(data_dir=Path(sys.argv[1]), executor="draft")
asyncio.run(core.app.serve.serve(settings, lambda sentence: print(sentence, flush=True)))
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_process_cleanly(settings: Settings, number: int) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", SERVICE, str(settings.data_dir)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "CLAPPER_DATABASE_URL": settings.database},
    )
    assert process.stdout
    with process.stdout as out:
        for line in out:
            if line.startswith("Plain is ready"):
                process.send_signal(number)
                break
        rest = out.read()

    assert process.wait(20) == 0
    assert "Stopped." in rest


async def test_a_job_of_the_real_animatic_goes_all_the_way(
    settings: Settings, delivery: RecordingDelivery, ann: Requester
) -> None:
    async with open_core(settings) as opened:
        opened.router.register(delivery)
        assert opened.executor.name == "draft"
        stop = asyncio.Event()
        work = asyncio.create_task(opened.run(stop))
        await asyncio.sleep(0)
        ticket = await submit_request(opened, t2v(), ann, ReplyTo("test"), "one")
        await delivery.until(1)
        stop.set()
        await work

        assert (await opened.jobs.get(ticket.job_id)).state is JobState.SUCCEEDED
        assert [run.job_id for run in await opened.runs.recent()] == [ticket.job_id]
