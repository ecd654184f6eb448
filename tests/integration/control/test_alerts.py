"""Alerts over an hour, a restart, a crash and a database that takes nothing: each told, once."""

import asyncio
import errno
import sqlite3
from collections import deque
from collections.abc import Callable
from contextlib import suppress

import pytest

from bots.shared import accounts
from core.app.alert_watch import AlertWatch
from core.app.bootstrap import open_core
from core.app.core import Core
from core.domain.jobs import ReplyTo
from core.domain.people import Requester
from core.errors import DeliveryImpossible
from core.service.front_services import AccountNotice
from core.settings import Settings
from core.storage import alerts
from core.testing.doubles import (
    ManualClock,
    QuickExecutor,
    RecordingDelivery,
    eventually,
    running,
    t2v,
)
from core.testing.jobs import submit_request

ANN = Requester("test", "ann")
HOUR_S = 3600


def watch_of(core: Core) -> AlertWatch:
    return AlertWatch(core.alerts, core.readiness, core.housekeeping, 0)


async def told(core: Core) -> list[tuple[str, str]]:
    """Return every alert that is owed, with how many more there were."""
    owed = await core.community.notices.owed("discord")
    return [(one.code.removeprefix("alert_"), one.data["swallowed"]) for one in owed]


async def test_what_was_swallowed_is_told_when_the_hour_is_over_also_by_the_next_process(
    settings_with: Callable[..., Settings],
) -> None:
    clock, settings = ManualClock(), settings_with(operators="discord:1")
    async with open_core(settings, QuickExecutor(), clock=clock) as core:
        for _ in range(3):
            await core.alerts.send("restarted", {"count": 1})
        await watch_of(core).look()
        assert await told(core) == [("restarted", "0")]
    clock.forward(HOUR_S)
    async with open_core(settings, QuickExecutor(), clock=clock) as core:
        for _ in range(3):
            await watch_of(core).look()

        assert await told(core) == [("restarted", "0"), ("restarted", "1")]
        assert (await core.alerts.counts())["restarted"].total == 3


async def test_trouble_that_began_again_within_the_hour_is_told_unless_it_is_over(
    settings_with: Callable[..., Settings],
) -> None:
    clock, settings = ManualClock(), settings_with(operators="discord:1", min_free_megabytes=0)
    async with open_core(settings, QuickExecutor(), clock=clock) as core:
        watch = watch_of(core)
        for broken in (1, 0, 2, 0):
            core.housekeeping.violations = broken
            await watch.look()
        clock.forward(HOUR_S)
        await watch.look()
        assert await told(core) == [("invariant", "0")], "it is over"

        for broken in (1, 0, 2):
            core.housekeeping.violations = broken
            await watch.look()
        clock.forward(HOUR_S)
        await watch.look()
        await watch.look()

        assert await told(core) == [("invariant", "0"), ("invariant", "1"), ("invariant", "0")]


async def test_what_the_database_does_not_take_is_told_once_it_does(
    settings_with: Callable[..., Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full(*_: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    settings = settings_with(operators="discord:1", min_free_megabytes=10**9)
    async with open_core(settings, QuickExecutor()) as core:
        watch = watch_of(core)
        with monkeypatch.context() as patched:
            patched.setattr(alerts, "write", full)
            await watch.look()
            await core.alerts.send("device_lost", {"reason": "doubt"})
            await core.alerts.send("device_lost", {"reason": "stuck"})
            await watch.look()
            assert await told(core) == []

        await watch.look()
        await watch.look()

        assert sorted(await told(core)) == [("device_lost", "1"), ("disk", "0")]


async def test_a_dead_delivery_is_told_also_where_the_process_dies_right_after_it(
    settings_with: Callable[..., Settings],
) -> None:
    async def dies() -> None:
        pass

    settings = settings_with(operators="discord:1", min_free_megabytes=0)
    async with open_core(settings, QuickExecutor()) as core:
        core.outbox.on_dead = dies
        refusing = RecordingDelivery(faults=deque([DeliveryImpossible("gone")]))
        core.router.register(refusing)
        async with running(core):
            await submit_request(core, t2v(), ANN, ReplyTo("test"), "one")

            async def given_up() -> bool:
                return (await core.outbox.counts()).dead == 1

            await eventually(given_up)
        assert await told(core) == []
    stop = asyncio.Event()
    stop.set()
    async with open_core(settings, QuickExecutor()) as core:
        for _ in range(2):
            await watch_of(core).run(stop)

        assert await told(core) == [("delivery_dead", "0")]


async def test_a_clip_that_a_quota_of_the_disk_refuses_is_told(
    settings_with: Callable[..., Settings],
) -> None:
    settings = settings_with(operators="discord:1", min_free_megabytes=0)
    executor = QuickExecutor()
    executor.faults += [OSError(errno.EDQUOT, "Disk quota exceeded") for _ in range(2)]
    async with open_core(settings, executor) as core:
        delivery = RecordingDelivery()
        core.router.register(delivery)
        async with running(core):
            for key in ("one", "two"):
                await submit_request(core, t2v(), ANN, ReplyTo("test"), key)
            await delivery.until(2)

            async def both() -> bool:
                counts = (await core.alerts.counts()).get("no_room")
                return counts is not None and counts.total == 2

            await eventually(both)

        assert await told(core) == [("no_room", "0")]


async def test_a_notice_that_was_sent_is_not_sent_again_because_it_cannot_be_noted(
    settings_with: Callable[..., Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[str] = []

    async def send(notice: AccountNotice) -> None:
        sent.append(notice.code)

    monkeypatch.setattr(accounts, "RETRY_S", 0.02)
    async with open_core(settings_with(operators="discord:1"), QuickExecutor()) as core:
        notices, noted = core.community.notices, core.community.notices.told
        tries: list[int] = []

        async def refused(notice: AccountNotice) -> None:
            tries.append(notice.id)
            if len(tries) < 3:
                raise sqlite3.OperationalError("database or disk is full")
            await noted(notice)

        monkeypatch.setattr(notices, "told", refused)
        await core.alerts.send("disk", {"free_bytes": 1})
        telling = asyncio.create_task(accounts.tell(notices, "discord", send))

        async def none_owed() -> bool:
            assert not telling.done()
            return not await told(core)

        await eventually(none_owed)
        await core.alerts.send("device_lost", {"reason": "doubt"})
        await eventually(none_owed)
        telling.cancel()
        with suppress(asyncio.CancelledError):
            await telling

    assert sent == ["alert_disk", "alert_device_lost"]
