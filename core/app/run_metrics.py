"""What runs leave for a Prometheus server: counts and histograms since the process began."""

from collections.abc import Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from core.domain.progress import Stage
from core.storage.runs import RecordedRun

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

    def observe(self, run: RecordedRun, stages: Mapping[Stage, float]) -> None:
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
