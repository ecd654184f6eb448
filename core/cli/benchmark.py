"""The benchmark of ``clapper calibrate``: a few clips of different sizes, timed and recorded."""

import time
import uuid
from dataclasses import replace
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from core.app.bootstrap import open_core
from core.app.core import Core
from core.cli.terminal import PlainConsole
from core.domain.modes import Mode
from core.domain.presets import Preset
from core.domain.requests import Request, Sampling
from core.duration.estimates import estimate
from core.duration.machine import Machine
from core.i18n.messages import say
from core.interfaces.executor import Order
from core.runtime.cancellation import CancelToken
from core.runtime.clock import now_ms
from core.service.estimator import median_error, timings_of
from core.settings import Settings
from core.storage.runs import RecordedRun
from core.worker.stage_timer import StageTimer

# width, height, frames: small and large, short and long, so that every rate shows
BENCHMARK_SIZES = ((768, 512, 49), (768, 512, 121), (1280, 704, 49), (1280, 704, 121))
DRAFT_SIZES = ((256, 256, 25), (384, 256, 49), (512, 320, 25), (512, 320, 73))
FPS = 24


async def run_benchmark(settings: Settings, rounds: int, console: PlainConsole) -> None:
    """Make the clips ``rounds`` times, record every run and fit the machine to them.

    The first clip is made once before and not recorded: it loads the models.

    Raises:
        SetupProblem: the executor cannot run here, or another Clapper holds the data directory.
        GenerationFailed: a clip could not be made.
    """
    async with open_core(settings) as core:
        sizes = DRAFT_SIZES if core.executor.name == "draft" else BENCHMARK_SIZES
        clips = [sizes[0], *(size for _ in range(rounds) for size in sizes)]
        before = replace(core.runs.machine)
        made: list[RecordedRun] = []
        for number, (width, height, frames) in enumerate(clips):
            size = f"{width}×{height}"
            data = {"number": number, "count": len(clips) - 1, "size": size, "frames": frames}
            console.print(say("calibrate_run" if number else "calibrate_warm", data))
            sampling = Sampling(Preset.FAST, width, height, frames, FPS, seed=number)
            # each time another prompt: the encoded text of an equal one is still there
            prompt = f"a lighthouse in a storm, take {number}"
            run = await _run(core, Request(Mode.T2V, prompt, sampling), number)
            if number:
                await core.runs.record_run(run)
                made.append(run)
        after = await core.runs.refit()
        console.print(_summary(core, before, after, made))


def _summary(core: Core, before: Machine, after: Machine, made: list[RecordedRun]) -> str:
    place = core.runs.place
    data = {
        "runs": len(made),
        "device": place.device,
        "profile": place.profile,
        "pin": place.pin[:12] or "–",
        "before": f"{median_error(before, made):.0%}",
        "after": f"{median_error(after, made):.0%}",
        "seconds": median(run.gpu_ms for run in made) / 1000,
    }
    return say("calibrate_done", data)


async def _run(core: Core, request: Request, number: int) -> RecordedRun:
    job_id = f"calibrate-{uuid.uuid4().hex}"
    expected = estimate(request, core.runs.machine)
    timer = StageTimer(time.monotonic)
    with TemporaryDirectory(prefix="calibrate-", dir=core.settings.work_folder) as folder:
        order = Order(job_id, 1, request, core.settings.media_folder, Path(folder))
        raw = await core.executor.execute(order, timer.observe, CancelToken())
    sampling = request.sampling
    return RecordedRun(
        job_id=job_id,
        attempt=number,
        recorded_at_ms=now_ms(),
        place=core.runs.place,
        mode=request.mode.value,
        preset=sampling.preset.value,
        width=sampling.width,
        height=sampling.height,
        frames=sampling.frames,
        fps=sampling.fps,
        estimate_ms=expected.gpu_ms,
        p95_ms=expected.p95_ms,
        gpu_ms=raw.gpu_ms,
        timings=timings_of(request, core.runs.machine, timer.stop()),
    )
