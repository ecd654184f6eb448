"""The Studio's own figures at ``/metrics``, after the service's (:mod:`core.app.metrics`)."""

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest


class Metrics:
    """The figures of one Studio."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
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

    def render(self) -> bytes:
        """Return the Studio's figures as text."""
        return generate_latest(self.registry)
