"""How long does the device wait between jobs, with encoding and upload each as long as its work?

    python bench/pipeline.py [--jobs 6] [--work-s 3 1 0.2] [--comfy CHECKOUT] [--json]

The same jobs twice through the same core (database, worker, router): together, so that encoding
and upload run beside the next job, and in sequence, each submitted when the one before it was
delivered. The device's work is a wait of fixed length, reported in steps as sampling is; with
``--comfy`` it is a real ComfyUI with tiny random models, and encoding and upload last as long as
its median job. Idle is the time between the end of one job's device work and the start of the next,
as a share of the whole.
"""

import argparse
import asyncio
import importlib
import itertools
import json
import os
import platform
import statistics
import sys
import tempfile
import time
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
if str(ROOT) not in sys.path:  # a bare copy of the tree, nothing installed
    sys.path.insert(0, str(ROOT))
HERE = str(Path(__file__).resolve().parent)
sys.path[:] = [entry for entry in sys.path if entry != HERE]  # bench/queue.py is not that queue

import structlog  # noqa: E402  # after the path is set

from core.app.bootstrap import open_core  # noqa: E402  # after the path is set
from core.app.core import Core  # noqa: E402  # after the path is set
from core.domain.jobs import Job, ReplyTo  # noqa: E402  # after the path is set
from core.domain.media import Clip, RawClip  # noqa: E402  # after the path is set
from core.domain.modes import Mode  # noqa: E402  # after the path is set
from core.domain.people import Requester  # noqa: E402  # after the path is set
from core.domain.presets import Preset  # noqa: E402  # after the path is set
from core.domain.progress import ProgressSink, Stage, Working  # noqa: E402  # after the path is set
from core.domain.requests import Request, Sampling  # noqa: E402  # after the path is set
from core.interfaces.delivery import DeliveryAttempt, Receipt  # noqa: E402  # after the path is set
from core.interfaces.executor import Executor, Order  # noqa: E402  # after the path is set
from core.runtime.cancellation import CancelToken  # noqa: E402  # after the path is set
from core.settings import load_settings  # noqa: E402  # after the path is set
from core.testing.doubles import RecordingDelivery, grey_clip, running  # noqa: E402  # after the path is set
from core.testing.jobs import submit_request  # noqa: E402  # after the path is set

STEPS = 11  # as the two sampling stages of a clip
WAYS = ("in sequence", "together")


@dataclass
class Timed:
    """An executor, and when its device worked."""

    inner: Executor
    spans: list[tuple[float, float]] = field(default_factory=list)

    @property
    def name(self) -> str:
        """Return the inner one's."""
        return self.inner.name

    async def execute(
        self, order: Order, on_progress: ProgressSink, cancel: CancelToken
    ) -> RawClip:
        """Note when it began and ended."""
        began = time.perf_counter()
        clip = await self.inner.execute(order, on_progress, cancel)
        self.spans.append((began, time.perf_counter()))
        return clip

    async def close(self) -> None:
        """Close the inner one."""
        await self.inner.close()


@dataclass
class FixedWork:
    """A device that takes ``seconds`` for every job."""

    seconds: float
    name: str = "quick"

    async def execute(
        self, order: Order, on_progress: ProgressSink, cancel: CancelToken
    ) -> RawClip:
        """Wait, and give grey frames."""
        began = time.perf_counter()
        on_device = 1 - order.shares.get(Stage.ENCODE, 0.0)
        for step in range(STEPS):
            on_progress(Working(Stage.STAGE1, step, STEPS, on_device * step / STEPS))
            due = began + self.seconds * (step + 1) / STEPS
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            cancel.raise_if_cancelled()
        return grey_clip(order.request.sampling, round(self.seconds * 1000))

    async def close(self) -> None:
        """Do nothing."""


class SlowUpload(RecordingDelivery):
    """A platform whose uploads take a while."""

    seconds = 0.0

    async def completed(self, job: Job, clip: Clip, attempt: DeliveryAttempt) -> Receipt:
        """Take it after ``seconds``."""
        await asyncio.sleep(self.seconds)
        return await super().completed(job, clip, attempt)


@dataclass(frozen=True)
class Row:
    """One way of running the jobs."""

    executor: str
    way: str
    jobs: int
    work_s: float  # median of the device
    seconds_a_job: float
    idle_share: float
    gap_ms: float  # median, from job to job
    longest_gap_ms: float


def request(number: int, side: int) -> Request:
    prompt = "a lighthouse at dusk"
    return Request(Mode.T2V, prompt, Sampling(Preset.FAST, side, side, 17, 24, seed=number))


async def submit(core: Core, number: int, side: int) -> None:
    requester = Requester("test", str(number))
    reply_to = ReplyTo("test", {"to": "1"})
    await submit_request(core, request(number, side), requester, reply_to, str(number))


async def measure(executor: Executor, jobs: int, work_s: float, way: str, side: int) -> Row:
    timed = Timed(executor)
    with tempfile.TemporaryDirectory() as folder:
        settings = load_settings(
            data_dir=Path(folder), executor="draft", quota_minutes=10_000, min_free_megabytes=0
        )
        async with open_core(settings, timed, announce=lambda _: None) as core:
            upload = SlowUpload()
            upload.seconds = work_s
            core.router.register(upload)
            finish = core.worker.finish

            async def encode(raw: RawClip, order: Order, cancel: CancelToken) -> Clip:
                began = time.perf_counter()
                clip = await finish(raw, order, cancel)
                await asyncio.sleep(max(0.0, work_s - (time.perf_counter() - began)))
                return clip

            core.worker.finish = encode
            async with running(core):
                for number in range(jobs):
                    await submit(core, number, side)
                    if way == "in sequence":
                        await upload.until(number + 1)
                await upload.until(jobs)
    return row_of(timed, way)


def row_of(timed: Timed, way: str) -> Row:
    spans = timed.spans
    gaps = [after[0] - before[1] for before, after in itertools.pairwise(spans)]
    whole = spans[-1][1] - spans[0][0]
    return Row(
        executor=timed.name,
        way=way,
        jobs=len(spans),
        work_s=round(statistics.median(end - began for began, end in spans), 3),
        seconds_a_job=round(whole / len(spans), 3),
        idle_share=round(sum(gaps) / whole, 4),
        gap_ms=round(statistics.median(gaps) * 1000, 1),
        longest_gap_ms=round(max(gaps) * 1000, 1),
    )


async def fixed(asked: argparse.Namespace) -> list[Row]:
    return [
        await measure(FixedWork(work_s), asked.jobs, work_s, way, 64)
        for work_s in asked.work_s
        for way in WAYS
    ]


async def comfy(asked: argparse.Namespace) -> list[Row]:
    """Return the rows of a real ComfyUI on the processor; it is warmed up first."""
    from bench.comfy_gpu import AllThere
    from core.comfy.device import device_kind
    from core.comfy.executor import ComfyExecutor, ComfyOptions
    from core.comfy.job_run import ExecutionPlan
    from core.comfy.paths import ComfyPaths
    from core.comfy.testing.network_shapes import TINY
    from core.comfy.testing.random_weights import RandomWeightsWriter
    from core.comfy.testing.small_text_encoder import shrink_text_encoder
    from core.models.catalog import Profile

    class Kept(ComfyExecutor):
        async def close(self) -> None:
            """Stay open for the next way."""

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        place = ComfyPaths(
            asked.comfy.absolute(), folder / "packs", folder / "base", folder / "models"
        )
        executor = Kept(place, AllThere(), ExecutionPlan(Profile.FP8), ComfyOptions(device_kind()))
        await executor.warm_up()
        torch = importlib.import_module("torch")
        torch.set_num_threads(1)  # tiny tensors: more threads only wait for each other
        shrink_text_encoder()
        family = await asyncio.to_thread(RandomWeightsWriter(torch, TINY).family, place.models)
        executor.plan = replace(executor.plan, family=family)
        await measure(executor, 3, 0.0, "in sequence", 256)  # finds its kernels and its memory
        work_s = (await measure(executor, 5, 0.0, "in sequence", 256)).work_s
        rows = [await measure(executor, asked.jobs, work_s, way, 256) for way in WAYS]
        await ComfyExecutor.close(executor)
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=6)
    parser.add_argument("--work-s", type=float, nargs="+", default=[3.0, 1.0, 0.2])
    found = os.environ.get("CLAPPER_COMFYUI_DIR")
    parser.add_argument("--comfy", type=Path, default=Path(found) if found else None)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    rows = asyncio.run(fixed(asked))
    if asked.comfy is not None:
        rows += asyncio.run(comfy(asked))
    if asked.json:
        print(json.dumps([asdict(row) for row in rows]))
        return
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    print("executor  way          jobs  work s   s/job    idle  gap ms  longest ms")
    for row in rows:
        print(
            f"{row.executor:<9} {row.way:<12} {row.jobs:>4} {row.work_s:>7} {row.seconds_a_job:>7}"
            f" {row.idle_share:>7.1%} {row.gap_ms:>7} {row.longest_gap_ms:>11}"
        )


if __name__ == "__main__":
    main()
