"""The figures of the service as a Prometheus server reads them: numbers only, about nobody.

Names end in their unit, counters in ``_total``; moments are epoch seconds, so that an alert takes
the difference to ``time()``.
"""

import sys
from collections.abc import Mapping
from functools import cache

from prometheus_client import CollectorRegistry, Gauge, generate_latest
from prometheus_client.core import CounterMetricFamily
from prometheus_client.registry import Collector

from core import __version__
from core.app.core import Core
from core.runtime.tasks import outcome_of
from core.service.readiness import Readiness
from core.storage.health_figures import RowFigures
from core.storage.migration_files import MIGRATIONS, read_migrations

_ALERTS_S = 0.2  # the counts of alerts may be missing where the database is held
_POOLS_S = 0.3  # and so may the pools


async def collect(core: Core) -> bytes:
    """Return all figures of ``core`` as text of the type that fronts name, within a second.

    What is asked of the database is asked now; it is left out where that does not answer, and
    ``clapper_database_up`` is 0 then.
    """
    ready = await core.readiness.read()
    registry = CollectorRegistry()
    page = _Page(registry)
    _process(page, core, ready)
    rows = ready.reading.rows
    page.plain("clapper_database_up", "1 if the database answers", rows is not None)
    if rows is not None:
        _rows(page, core, rows, has_room=ready.reading.has_room)
        counted = await outcome_of(core.alerts.counts(), _ALERTS_S, unwind_s=0)
        totals = {kind: counts.total for kind, counts in (counted.value or {}).items()}
        registry.register(_AlertTotals(totals))
        if core.pool_figures.tells:
            pools = await outcome_of(core.pool_figures.read(), _POOLS_S, unwind_s=0)
            if pools.value is not None:
                registry.register(pools.value)
    return generate_latest(registry) + generate_latest(core.figures.registry)


class _Page:
    """Makes gauges on one registry."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry

    def plain(self, name: str, remark: str, value: float) -> None:
        Gauge(name, remark, registry=self._registry).set(value)

    def labelled(self, name: str, remark: str, label: str, values: Mapping[str, float]) -> None:
        made = Gauge(name, remark, [label], registry=self._registry)
        for value, number in values.items():
            made.labels(value).set(number)

    def info(self, name: str, remark: str, **labels: str) -> None:
        Gauge(name, remark, list(labels), registry=self._registry).labels(**labels).set(1)


class _AlertTotals(Collector):
    """Counts that outlive the process: they are read from the database."""

    def __init__(self, totals: Mapping[str, int]) -> None:
        self._totals = totals

    def collect(self) -> list[CounterMetricFamily]:
        alerts = CounterMetricFamily("clapper_alerts_total", "By kind", labels=["kind"])
        for kind, total in self._totals.items():
            alerts.add_metric([kind], total)
        lost = CounterMetricFamily("clapper_device_lost_total", "Devices that failed")
        lost.add_metric([], self._totals.get("device_lost", 0))
        return [alerts, lost]


def _process(page: _Page, core: Core, ready: Readiness) -> None:
    python = ".".join(str(part) for part in sys.version_info[:3])
    page.info(
        "clapper_build_info",
        "What runs here",
        version=__version__,
        schema=_schema(),
        python=python,
        executor=core.executor.name,
    )
    page.labelled(
        "clapper_ready", "1 if a part works", "check", {item.name: item.ok for item in ready.checks}
    )
    fronts = {name: state == "connected" for name, state in core.fronts.states.items()}
    page.labelled("clapper_front_connected", "1 if it reaches its platform", "front", fronts)
    beat = core.queue.beat_at
    if beat is not None:
        remark = "When the worker last reached the queue"
        page.plain("clapper_worker_heartbeat_timestamp_seconds", remark, beat)
    if ready.reading.free_bytes is not None:
        free = ready.reading.free_bytes
        page.plain("clapper_disk_free_bytes", "Where the data lie", free)
    restarts = core.settings.alerts.restarts
    page.plain("clapper_restarts", "Of the service by its parent process", restarts)
    page.plain("clapper_invariants_broken", "At the newest check", core.housekeeping.violations)
    page.plain("clapper_calibration_runs", "Runs behind the estimates", core.runs.machine.runs)


@cache
def _schema() -> str:
    """Return the number of the newest migration that this version knows."""
    return str(read_migrations(MIGRATIONS)[-1].number)


def _rows(page: _Page, core: Core, rows: RowFigures, *, has_room: bool) -> None:
    readiness = core.readiness
    live = {"running": rows.running, "waiting": rows.waiting}
    page.labelled("clapper_jobs", "Live jobs", "state", live)
    states = rows.deliveries
    told = {
        "owed": states.get("pending", 0) + states.get("sending", 0),
        "sent": states.get("sent", 0),
        "dead": states.get("dead", 0),
    }
    page.labelled("clapper_deliveries", "Results that are kept", "state", told)
    opened = rows.intake == "open" and has_room
    page.plain("clapper_intake_open", "1 if jobs are taken", opened)
    page.plain(
        "clapper_oldest_waiting_job_age_seconds",
        "0 if none waits",
        readiness.age_s(rows.oldest_waiting_ms),
    )
    page.plain(
        "clapper_oldest_owed_delivery_age_seconds",
        "0 if none is owed to a front that is configured",
        readiness.oldest_owed_s(rows),
    )
