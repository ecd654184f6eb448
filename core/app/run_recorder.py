"""From what a worker says of an attempt to the history of runs and the figures of operators."""

from core.app.run_metrics import RunFigures
from core.runtime.clock import Clock
from core.service.estimator import RunBook, timings_of
from core.storage.runs import RecordedRun
from core.worker.attempt import RunRecord
from core.worker.outcome_writer import Record


def run_recorder(runs: RunBook, figures: RunFigures, clock: Clock) -> Record:
    """Make what the worker calls after each attempt that had the device."""

    async def record(ran: RunRecord) -> None:
        run = _run_of(ran, runs, clock())
        figures.observe(run, ran.stages)
        await runs.record_run(run)

    return record


def _run_of(ran: RunRecord, runs: RunBook, now: int) -> RecordedRun:
    job, request, sampling = ran.job, ran.job.request, ran.job.request.sampling
    return RecordedRun(
        job_id=job.id,
        attempt=job.attempt,
        recorded_at_ms=now,
        place=runs.place,
        mode=request.mode,
        preset=sampling.preset,
        width=sampling.width,
        height=sampling.height,
        frames=sampling.frames,
        fps=sampling.fps,
        estimate_ms=job.estimate_ms,
        p95_ms=runs.estimate(request).p95_ms,
        gpu_ms=ran.gpu_ms,
        wait_ms=max(0, (job.started_at_ms or now) - job.created_at_ms),
        peak_bytes=ran.peak_bytes,
        error=ran.error,
        timings=() if ran.error else timings_of(request, runs.machine, ran.stages),
    )
