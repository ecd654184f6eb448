"""Probes, metrics and alerts of a service that runs, on a port of its own."""

import asyncio
import json
import sqlite3
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, closing
from time import monotonic

import pytest
from prometheus_client.parser import text_string_to_metric_families

from core.app.alert_watch import AlertWatch
from core.app.bootstrap import open_core
from core.app.core import Core
from core.app.health_server import Probes, health_server
from core.app.metrics import collect
from core.domain.jobs import ReplyTo
from core.domain.people import Requester
from core.errors import DeliveryImpossible, DeviceLost
from core.errors.setup import BadConfiguration, ServiceUnreadable
from core.errors.storage import StorageUnavailable
from core.i18n.messages import languages, say
from core.settings import DATABASE_NAME, Settings
from core.testing.doubles import ManualClock, QuickExecutor, RecordingDelivery, eventually, t2v
from core.testing.jobs import submit_request
from tests.support.databases import unwritable

ANN = Requester("test", "ann")


async def got(
    port: int, path: str, method: str = "GET", **headers: str
) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body of a request."""
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return await raw(port, "\r\n".join([*lines, "", ""]).encode())


async def raw(port: int, data: bytes) -> tuple[int, dict[str, str], bytes]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(data)
    answer = await reader.read()
    writer.close()
    head, _, body = answer.partition(b"\r\n\r\n")
    first, *rest = head.decode().split("\r\n")
    fields = dict(line.split(": ", 1) for line in rest)
    return int(first.split()[1]), fields, body


@asynccontextmanager
async def probed(core: Core, token: str = "") -> AsyncGenerator[int]:
    probes = Probes(core.readiness.read, lambda: collect(core), token)
    async with health_server("127.0.0.1", 0, probes) as port:
        yield port


def figures(text: bytes) -> dict[str, float]:
    """Every sample by its name and labels."""
    found: dict[str, float] = {}
    for family in text_string_to_metric_families(text.decode()):
        for sample in family.samples:
            labels = ",".join(f"{name}={value}" for name, value in sorted(sample.labels.items()))
            found[f"{sample.name}{{{labels}}}" if labels else sample.name] = sample.value
    return found


async def ready_now(port: int) -> bool:
    return (await got(port, "/readyz"))[0] == 200


async def test_probes_answer_without_the_studio(service: Core) -> None:
    async with probed(service) as port:
        await eventually(lambda: ready_now(port))
        live, ready = await got(port, "/livez"), await got(port, "/readyz")
        figures_of = await got(port, "/metrics")

    assert live[0] == 200
    assert json.loads(live[2])["ok"] is True
    body = json.loads(ready[2])
    assert body["ok"] is True
    assert [check["name"] for check in body["checks"]] == [
        *("database", "queue", "worker", "device", "disk", "deliveries", "fronts")
    ]
    assert figures_of[1]["Content-Type"].startswith("text/plain; version=")


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"POST /livez HTTP/1.1\r\nHost: localhost\r\n\r\n", 405),
        (b"HEAD /livez HTTP/1.1\r\nHost: localhost\r\n\r\n", 200),
        (b"GET http://localhost/livez?x HTTP/1.1\r\nHost: localhost\r\n\r\n", 200),
        (b"HEAD /nothing HTTP/1.1\r\nHost: localhost\r\n\r\n", 404),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", 404),
        (b"GET /livez/.. HTTP/1.1\r\nHost: localhost\r\n\r\n", 404),
        (b"GET /livez HTTP/1.1\r\nHost: evil.example\r\n\r\n", 421),
        (b"GET /metrics HTTP/1.1\r\nHost: localhost.evil.example:80\r\n\r\n", 421),
        (b"GET /livez HTTP/1.1\r\nHost: [::1]:80\r\n\r\n", 200),
        (b"GET /livez?x=1 HTTP/1.0\r\n\r\n", 200),
        (b"\x16\x03\x01\r\n\r\n", 400),
        (b"GET /livez\r\n\r\n", 400),
        (b"GET /" + b"x" * 9000 + b" HTTP/1.1\r\n\r\n", 400),
    ],
    ids=range(13),
)
async def test_only_questions_of_this_machine_are_answered(
    service: Core, data: bytes, status: int
) -> None:
    async with probed(service) as port:
        assert (await raw(port, data))[0] == status


async def test_the_metrics_ask_for_the_token(service: Core) -> None:
    async with probed(service, "secret-of-sixteen-characters") as port:
        without = await got(port, "/metrics")
        wrong = await got(port, "/metrics", Authorization="Bearer wrong")
        right = await got(port, "/metrics", Authorization="bearer secret-of-sixteen-characters")

    assert (without[0], wrong[0], right[0]) == (401, 401, 200)


async def test_a_port_that_is_taken_is_told(service: Core) -> None:
    async with probed(service) as port:
        probes = Probes(service.readiness.read, lambda: collect(service))
        with pytest.raises(BadConfiguration, match="CLAPPER_HEALTH_PORT"):
            async with health_server("127.0.0.1", port, probes):
                pass


@pytest.mark.sqlite
async def test_answers_come_within_a_second_while_somebody_else_holds_the_database(
    service: Core, settings: Settings
) -> None:
    with closing(sqlite3.connect(settings.data_dir / DATABASE_NAME)) as other:
        other.execute("BEGIN IMMEDIATE")
        async with probed(service) as port:
            for path in ("/livez", "/readyz", "/metrics", "/readyz"):
                began = monotonic()
                status, _, body = await got(port, path)
                assert monotonic() - began < 4, path  # who waits for the lock takes 5 s
                assert status == (503 if path == "/readyz" else 200)
                if path == "/readyz":
                    assert "database" in json.loads(body)["troubles"]
                if path == "/metrics":
                    assert figures(body)["clapper_database_up"] == 0
            with pytest.raises(ServiceUnreadable):
                await service.readiness.service_health()
        other.rollback()


async def test_a_loop_that_stands_still_is_not_ready_and_still_answered(service: Core) -> None:
    import threading

    async with probed(service) as port:
        go, held = threading.Event(), threading.Event()

        def stand_still() -> None:
            held.set()
            go.wait(30)

        def ask() -> tuple[int, bytes]:
            held.wait(30)
            try:
                status, _, body = asyncio.run(got(port, "/readyz"))
                return status, body
            finally:
                go.set()

        asking = asyncio.get_running_loop().run_in_executor(None, ask)
        asyncio.get_running_loop().call_soon(stand_still)
        status, body = await asking

    assert (status, json.loads(body)["troubles"]) == (503, ["loop"])


async def test_what_is_not_well_is_named(service: Core) -> None:
    service.fronts.starts("discord")
    assert "fronts" in (await service.readiness.read()).troubles
    service.fronts.note("discord", "connected")
    assert "fronts" not in (await service.readiness.read()).troubles
    service.fronts.note("discord", "disconnected")
    assert "fronts" in (await service.readiness.read()).troubles
    service.fronts.ended("discord")
    service.fronts.note("discord", "connected")
    assert "fronts" in (await service.readiness.read()).troubles


async def test_a_lost_device_is_not_ready(service: Core) -> None:
    service.worker.watch.lose(DeviceLost("doubt"))

    ready = await service.readiness.read()

    assert "device" in ready.troubles


async def test_a_worker_without_a_sign_a_late_queue_and_a_late_delivery_are_not_ready(
    settings_with: Callable[..., Settings],
) -> None:
    clock = ManualClock()
    settings = settings_with(health_queue_minutes=10, health_delivery_minutes=30)
    async with open_core(settings, QuickExecutor(), clock=clock) as core:
        core.fronts.starts("test")
        core.fronts.note("test", "connected")
        assert (await core.readiness.read()).troubles == ("worker",)
        ticket = await submit_request(core, t2v(), ANN, ReplyTo("test"), "one")
        await core.cancellation.cancel(ticket.job_id, ANN)
        await submit_request(core, t2v(), ANN, ReplyTo("test"), "two")
        clock.forward(601)
        assert (await core.readiness.read()).troubles == ("queue", "worker")
        clock.forward(1200)
        assert (await core.readiness.read()).troubles == ("queue", "worker", "deliveries")
        page = figures(await collect(core))
    assert page["clapper_oldest_waiting_job_age_seconds"] == 1801
    assert page["clapper_oldest_owed_delivery_age_seconds"] == 1801
    assert page["clapper_ready{check=queue}"] == 0


async def test_a_delivery_to_a_front_that_is_not_configured_does_not_count(core: Core) -> None:
    ticket = await submit_request(core, t2v(), ANN, ReplyTo("elsewhere"), "one")
    await core.cancellation.cancel(ticket.job_id, ANN)

    rows = (await core.readiness.read()).reading.rows

    assert rows is not None
    assert rows.oldest_owed_ms.keys() == {"elsewhere"}
    assert core.readiness.oldest_owed_s(rows) == 0


async def test_figures_follow_the_conventions_and_old_names_stay(
    settings: Settings,
) -> None:
    stop = asyncio.Event()
    async with open_core(settings, QuickExecutor()) as core:
        core.router.register(RecordingDelivery())
        working = asyncio.create_task(core.run(stop))
        ticket = await submit_request(core, t2v(), ANN, ReplyTo("test"), "one")

        async def sent() -> bool:
            return figures(await collect(core))["clapper_deliveries_sent_total"] == 1

        await eventually(sent)
        await core.housekeeping.check()
        page = figures(await collect(core))
        await core.cancellation.delete(await core.jobs.get(ticket.job_id))
        after = figures(await collect(core))
        stop.set()
        await working

    for name in (
        "clapper_jobs{state=waiting}",
        "clapper_deliveries{state=owed}",
        "clapper_deliveries{state=sent}",
        "clapper_deliveries{state=dead}",
        "clapper_deliveries_dead_total",
        "clapper_intake_open",
        "clapper_disk_free_bytes",
        "clapper_invariants_broken",
        "clapper_calibration_runs",
        "clapper_device_lost_total",
        "clapper_restarts",
        "clapper_database_up",
        "clapper_worker_heartbeat_timestamp_seconds",
        "clapper_housekeeping_seconds_count{chore=check}",
    ):
        assert name in page, name
    build = next(name for name in page if name.startswith("clapper_build_info"))
    assert "version=" in build
    assert "schema=" in build
    assert after["clapper_deliveries{state=sent}"] == 0
    assert after["clapper_deliveries_sent_total"] == 1


async def test_an_alert_reaches_each_operator_once_an_hour_and_outlives_the_process(
    settings_with: Callable[..., Settings],
) -> None:
    clock = ManualClock()
    settings = settings_with(operators="discord:1,telegram:2")
    async with open_core(settings, QuickExecutor(), clock=clock) as core:
        alerts = core.alerts
        for _ in range(3):
            await alerts.send("device_lost", {"reason": "doubt"})
        await alerts.send("disk", {"free_bytes": 5})
    async with open_core(settings, QuickExecutor(), clock=clock) as core:
        owed = await core.community.notices.owed("discord")
        await core.alerts.send("device_lost", {"reason": "doubt"})
        again = await core.community.notices.owed("discord")
        clock.forward(3600)
        await core.alerts.send("device_lost", {"reason": "stuck"})
        later = await core.community.notices.owed("telegram")
        page = figures(await collect(core))

    assert [notice.code for notice in owed] == ["alert_device_lost", "alert_disk"]
    assert len(again) == 2
    assert [(item.code, item.data["swallowed"]) for item in later] == [
        ("alert_device_lost", "0"),
        ("alert_disk", "0"),
        ("alert_device_lost", "3"),
    ]
    assert page["clapper_device_lost_total"] == 5
    assert page["clapper_alerts_total{kind=disk}"] == 1


async def test_alerts_are_off_by_setting(settings_with: Callable[..., Settings]) -> None:
    settings = settings_with(operators="discord:1", alerts=False)
    async with open_core(settings, QuickExecutor()) as core:
        await core.alerts.send("disk", {"free_bytes": 5})

        assert await core.community.notices.owed("discord") == []


async def test_a_dead_delivery_a_full_disk_and_a_broken_invariant_are_told(
    settings_with: Callable[..., Settings],
) -> None:
    settings = settings_with(operators="discord:1", min_free_megabytes=0)
    stop = asyncio.Event()
    async with open_core(settings, QuickExecutor()) as core:
        refusing = RecordingDelivery()
        refusing.faults.append(DeliveryImpossible("gone"))
        core.router.register(refusing)
        working = asyncio.create_task(core.run(stop))
        await submit_request(core, t2v(), ANN, ReplyTo("test"), "one")

        async def told() -> bool:
            return bool(await core.community.notices.owed("discord"))

        await eventually(told)
        stop.set()
        await working
        watch = AlertWatch(core.alerts, core.readiness, core.housekeeping, 0)
        core.housekeeping.violations = 2
        await watch.look()
        await watch.look()
        kinds = [item.code for item in await core.community.notices.owed("discord")]

    assert kinds == ["alert_delivery_dead", "alert_invariant"]


@pytest.mark.sqlite
async def test_that_rows_could_not_be_written_is_told_when_it_is_over(
    settings_with: Callable[..., Settings],
) -> None:
    settings = settings_with(operators="discord:1", min_free_megabytes=0)
    async with open_core(settings, QuickExecutor()) as core:
        watch = AlertWatch(core.alerts, core.readiness, core.housekeeping, 0)
        with unwritable(core.database.engine):
            with pytest.raises(StorageUnavailable):
                await submit_request(core, t2v(), ANN, ReplyTo("test"), "one")
            await watch.look()
        await watch.look()
        await watch.look()
        (told,) = await core.community.notices.owed("discord")

    assert (told.code, told.data["reason"]) == ("alert_database", "storage_full")
    for language in languages():
        assert "storage_full" not in say(told.code, told.data, language)


async def test_a_restart_after_a_crash_and_a_closed_disk_are_told(
    settings_with: Callable[..., Settings],
) -> None:
    settings = settings_with(operators="discord:1", min_free_megabytes=10**9, restarts=2)
    stop = asyncio.Event()
    stop.set()
    async with open_core(settings, QuickExecutor()) as core:
        restarts = core.settings.alerts.restarts
        watch = AlertWatch(core.alerts, core.readiness, core.housekeeping, restarts)
        await watch.run(stop)
        await watch.look()
        found = await core.community.notices.owed("discord")

    assert [(item.code, item.data.get("count")) for item in found] == [
        ("alert_restarted", "2"),
        ("alert_disk", None),
    ]
