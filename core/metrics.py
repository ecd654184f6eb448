"""The figures of the service as a Prometheus server reads them: numbers only, about nobody."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from core.progress import Stage
from core.storage.runs import Run

if TYPE_CHECKING:
    from core.bootstrap import Core

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_SECONDS = (0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0)
_WAITS = (1.0, 5.0, 15.0, 60.0, 180.0, 600.0, 1800.0, 3600.0, 14_400.0, 86_400.0)
_RATIOS = (0.25, 0.5, 0.67, 0.8, 0.9, 1.0, 1.1, 1.25, 1.5, 2.0, 4.0)


class RunFigures:
    """What every run leaves: counts and histograms since the process began."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        self._runs = Counter(
            "clapper_runs_total", "Ended runs", ["mode", "preset", "outcome"], registry=registry
        )
        self._waits = Histogram(
            "clapper_wait_seconds", "From request to start", buckets=_WAITS, registry=registry
        )
        self._stages = Histogram(
            "clapper_stage_seconds", "Of a run", ["stage"], buckets=_SECONDS, registry=registry
        )
        self._truth = Histogram(
            "clapper_gpu_seconds", "Device time of a clip", buckets=_SECONDS, registry=registry
        )
        self._ratio = Histogram(
            "clapper_estimate_ratio", "Estimate ÷ truth", buckets=_RATIOS, registry=registry
        )
        self._peak = Gauge(
            "clapper_device_peak_bytes", "Device memory at the peak of a run", registry=registry
        )

    def observe(self, run: Run, stages: Mapping[Stage, float]) -> None:
        """Count ``run``, whose ``stages`` took so many seconds."""
        self._runs.labels(run.mode, run.preset, run.error or "succeeded").inc()
        self._waits.observe(run.wait_ms / 1000)
        for stage, spent in stages.items():
            self._stages.labels(stage.value).observe(spent)
        if run.peak_bytes:
            self._peak.set(run.peak_bytes)
        if run.error is None and run.gpu_ms > 0:
            self._truth.observe(run.gpu_ms / 1000)
            self._ratio.observe(run.estimate_ms / run.gpu_ms)


async def collect(core: "Core") -> bytes:
    """Return all figures of ``core`` as text of :data:`CONTENT_TYPE`.

    What is asked of the database is asked now: depth of the line, what is owed, free disk.
    """
    health = await core.service.health()
    owed = await core.outbox.counts()
    registry = CollectorRegistry()

    def gauge(name: str, remark: str, **values: float) -> None:
        made = Gauge(name, remark, ["state"], registry=registry)
        for state, value in values.items():
            made.labels(state).set(value)

    def plain(name: str, remark: str, value: float) -> None:
        Gauge(name, remark, registry=registry).set(value)

    gauge("clapper_jobs", "Live jobs", running=health.running, waiting=health.waiting)
    gauge(
        "clapper_deliveries",
        "Results by what became of telling them",
        owed=owed.pending + owed.sending,
        sent=owed.sent,
        dead=owed.dead,
    )
    plain("clapper_intake_open", "1 if jobs are taken", health.intake == "open")
    plain("clapper_disk_free_bytes", "Where the data lie", health.free_bytes)
    plain("clapper_invariants_broken", "At the newest check", core.housekeeping.violations)
    plain("clapper_calibration_runs", "Runs behind the estimates", core.runs.machine.runs)
    return generate_latest(registry) + generate_latest(core.figures.registry)
