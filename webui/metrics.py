"""What a Prometheus server reads at ``/metrics``: numbers only, nothing about anybody."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from core.views import Health

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Metrics:
    """The figures of one Studio."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._jobs = Gauge("clapper_jobs", "Live jobs", ["state"], registry=self.registry)
        self._intake = Gauge("clapper_intake_open", "1 if jobs are taken", registry=self.registry)
        self._free = Gauge("clapper_disk_free_bytes", "Free disk", registry=self.registry)
        self._faults = Gauge("clapper_invariants_broken", "Found last", registry=self.registry)
        self.accepted = Counter(
            "clapper_studio_jobs_total",
            "Jobs taken by the Studio",
            ["mode"],
            registry=self.registry,
        )
        self.refused = Counter(
            "clapper_studio_refusals_total", "Refused, by code", ["code"], registry=self.registry
        )
        self.looks = Histogram(
            "clapper_studio_state_seconds", "Time of a status update", registry=self.registry
        )

    def render(self, health: Health, broken: int) -> bytes:
        """Return all figures as text; ``broken`` is how many invariants did not hold."""
        self._jobs.labels("running").set(health.running)
        self._jobs.labels("waiting").set(health.waiting)
        self._intake.set(health.intake == "open")
        self._free.set(health.free_bytes)
        self._faults.set(broken)
        return generate_latest(self.registry)
