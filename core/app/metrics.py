"""The figures of the service as a Prometheus server reads them: numbers only, about nobody."""

from prometheus_client import CollectorRegistry, Gauge, generate_latest

from core.app.core import Core


async def collect(core: Core) -> bytes:
    """Return all figures of ``core`` as text of the type that fronts name.

    What is asked of the database is asked now: depth of the line, what is owed, free disk.
    """
    health = await core.health.read()
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
