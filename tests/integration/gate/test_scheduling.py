"""What a rented machine is given, what it fetches beforehand, and what is learned of its runs."""

import asyncio
import socket
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx2
import pytest

from core.app.gate_health import SILENCE_S, GateWorkerHealth
from core.app.gate_worker import open_gate_worker
from core.demo.samples import write_png
from core.domain.media import MediaKind, RawClip
from core.domain.modes import Mode
from core.domain.presets import Preset
from core.domain.progress import ProgressSink, Stage, Working
from core.domain.requests import Request, Sampling
from core.gate.client import GateClient
from core.gate.kinds import kinds_that, preference
from core.interfaces.executor import Order
from core.runtime.cancellation import CancelToken
from core.storage.runs import recent_runs
from core.testing.doubles import QuickExecutor, RecordingDelivery, eventually, t2v, tiny
from core.worker.device_watch import DeviceWatch
from tests.conftest import settings_in
from tests.integration.gate.conftest import ANN, Front
from tests.support.settings import changed


class Warm(QuickExecutor):
    """Has the models of one mode in its memory."""

    resident = "i2v"

    def model_set(self, request: Request) -> str:
        return request.mode.value


class Halfway(QuickExecutor):
    """Tells at once that the better half is done, so that its pace is known."""

    async def execute(
        self, order: Order, on_progress: ProgressSink, cancel: CancelToken
    ) -> RawClip:
        on_progress(Working(Stage.STAGE1, 6, 10, 0.6))
        return await super().execute(order, on_progress, cancel)


async def picture_of(front: Front, folder: Path, shade: int = 90) -> Request:
    path = write_png(folder / f"{shade}.png", 64, 64, shade)
    file = await front.core.admission.admit(path, "image", MediaKind.IMAGE, ANN)
    return Request(mode=Mode.I2V, prompt="it moves", sampling=tiny(), files=(file,))


def test_kinds_are_those_that_are_preferred_and_say_nothing_else() -> None:
    fast = kinds_that(lambda request: request.sampling.preset is Preset.FAST)

    assert set(fast) == {f"{mode} fast" for mode in Mode}
    prefers = preference(fast)
    assert prefers is not None
    assert prefers(t2v())
    slow = Sampling(Preset.QUALITY, 64, 64, 9, 24, 1)
    assert not prefers(Request(mode=Mode.T2V, prompt="a", sampling=slow))
    assert preference(None) is None


async def test_a_machine_gets_the_job_whose_models_it_has_of_those_equally_due(
    front: Front, tmp_path: Path
) -> None:
    first = await front.submit(t2v(), "text")
    second = await front.submit(await picture_of(front, tmp_path), "picture")
    async with front.machine("one") as client:
        job = await client.claim(lambda request: request.mode is Mode.I2V)
        assert job is not None
        assert job.id == second
        other = await client.claim(lambda request: request.mode is Mode.A2V)
        assert other is not None
        assert other.id == first


async def test_a_worker_says_which_kinds_its_executor_is_warm_for(
    front: Front, tmp_path: Path, delivery: RecordingDelivery
) -> None:
    await front.submit(t2v(), "text")
    await front.submit(await picture_of(front, tmp_path), "picture")
    executor = Warm()
    async with front.worker(executor), asyncio.timeout(60):
        await delivery.until(2)

    assert [order.request.mode for order in executor.orders] == [Mode.I2V, Mode.T2V]


async def test_inputs_of_the_next_job_come_while_the_device_is_busy(
    front: Front, tmp_path: Path, delivery: RecordingDelivery, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.app.gate_worker.LEAD_S", 10_000.0)  # no pace is known here
    executor = Halfway()
    executor.gate.clear()
    async with front.worker(executor), asyncio.timeout(60):
        await front.submit(t2v(), "first")
        await executor.started.wait()
        request = await picture_of(front, tmp_path)
        await front.submit(request, "second")
        place = tmp_path / "rented" / "data" / "media" / request.files[0].name

        async def fetched() -> bool:
            return place.exists()

        await eventually(fetched)
        assert len(executor.orders) == 1  # the first one still has the device
        executor.gate.set()
        await delivery.until(2)


async def test_what_runs_took_is_in_the_history_of_their_device(
    front: Front, executor: QuickExecutor, delivery: RecordingDelivery
) -> None:
    async with front.worker(executor), asyncio.timeout(60):
        job_id = await front.submit()
        await delivery.until(1)

        async def told() -> bool:
            return bool(await _runs(front))

        await eventually(told)

    [run] = await _runs(front)
    assert (run.job_id, run.gpu_ms, run.error) == (job_id, 100, None)
    assert run.place.device == "draft"


async def _runs(front: Front) -> list[Any]:
    async with front.core.database.snapshot() as connection:
        return await recent_runs(connection, 10)


async def test_a_run_is_told_once_by_who_made_it_and_never_longer_than_it_was(
    front: Front, executor: QuickExecutor, delivery: RecordingDelivery
) -> None:
    told: list[tuple[GateClient, str, str]] = []
    tell = GateClient.tell_run

    async def kept(self: GateClient, job_id: str, token: str, run: Any) -> None:
        told.append((self, job_id, token))
        await tell(self, job_id, token, (10_000_000, {}, None))  # hours, of a second

    GateClient.tell_run = kept
    try:
        async with front.worker(executor), asyncio.timeout(60):
            await front.submit()
            await delivery.until(1)

            async def said() -> bool:
                return bool(told)

            await eventually(said)
            [(client, job_id, key)] = told
            await tell(client, job_id, key, (1, {}, None))
            async with front.machine("other") as other:
                await tell(other, job_id, key, (1, {"stage1": 0.1}, None))
    finally:
        GateClient.tell_run = tell

    assert await _runs(front) == []


async def test_probes_of_a_worker_say_whether_the_gate_answers(
    front: Front, executor: QuickExecutor, tmp_path: Path
) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    rented = changed(
        settings_in(tmp_path / "probed"),
        gate_url=front.address,
        gate_token=await front.nodes.admit("probed"),
        health_port=port,
    )
    address = f"http://127.0.0.1:{port}"
    async with open_gate_worker(rented, executor), httpx2.AsyncClient(trust_env=False) as client:
        ready = await client.get(f"{address}/readyz")
        assert ready.status_code == 200
        assert {check["name"] for check in ready.json()["checks"]} == {"gate", "device"}
        assert (await client.get(f"{address}/livez")).status_code == 200
        assert 'clapper_ready{check="gate"} 1.0' in (await client.get(f"{address}/metrics")).text


async def test_probes_tell_a_gate_that_stopped_answering(front: Front) -> None:
    now = [1000.0]
    async with front.machine("one") as client:
        health = GateWorkerHealth(client, _worker(), lambda: now[0])
        assert (await health.read()).troubles == ("gate",)  # it never did yet
        client.answered_at_s = 990.0
        assert (await health.read()).ok
        now[0] += 2 * SILENCE_S
        assert (await health.read()).troubles == ("gate",)


def _worker() -> Any:
    return SimpleNamespace(watch=DeviceWatch(own=False), on_device=None)
