"""What probes are told of a worker behind the gate: it has no rows, and no front."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, nullcontext
from time import monotonic

from prometheus_client import CollectorRegistry, Gauge, generate_latest

from core.app.health_server import Probes, health_server
from core.app.preflight import LOOPBACK
from core.gate.client import GateClient
from core.service.readiness import HealthCheck, Readiness, Reading
from core.settings import Settings
from core.worker.worker import Worker

SILENCE_S = 90.0  # the gate answers each long poll within 25 s


class GateWorkerHealth:
    """Looks at the gate's answers and at the device."""

    def __init__(
        self, client: GateClient, worker: Worker, seconds: Callable[[], float] = monotonic
    ) -> None:
        """Take who calls the gate, and what makes the clips."""
        self._client = client
        self._worker = worker
        self._seconds = seconds

    async def read(self) -> Readiness:
        """Return how everything is."""
        answered = self._client.answered_at_s
        silent_s = None if answered is None else round(self._seconds() - answered, 1)
        reached = silent_s is not None and silent_s <= SILENCE_S
        checks = (
            HealthCheck("gate", reached, {"silent_s": silent_s}),
            HealthCheck("device", self._worker.watch.lost is None),
        )
        return Readiness(checks, Reading(None, None, has_room=True))

    async def figures(self) -> bytes:
        """Return the same as figures."""
        registry = CollectorRegistry()
        parts = Gauge("clapper_ready", "1 if a part works", ["check"], registry=registry)
        for check in (await self.read()).checks:
            parts.labels(check.name).set(check.ok)
        running = Gauge("clapper_jobs_running", "On the device", registry=registry)
        running.set(self._worker.on_device is not None)
        return generate_latest(registry)


def gate_worker_health(
    settings: Settings, client: GateClient, worker: Worker
) -> AbstractAsyncContextManager[int | None]:
    """Answer probes on loopback inside the block, where the settings name a port; gives the port.

    Raises:
        BadConfiguration: the port is taken.
    """
    port, token = settings.health.port, settings.metrics.token
    if port is None:
        return nullcontext()
    health = GateWorkerHealth(client, worker)
    secret = token.get_secret_value() if token else ""
    return health_server(LOOPBACK, port, Probes(health.read, health.figures, secret))
