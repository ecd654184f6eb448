"""Estimates of a process without a device come from the devices that have registered."""

from dataclasses import dataclass, field, replace

import pytest

from core.domain.limits import RequestLimits
from core.domain.nodes import NodeDevice, Pool
from core.domain.presets import Preset
from core.domain.requests import Sampling
from core.duration import BY_KEY, Machine, estimate
from core.errors import TooCostly, TooLargeForDevice
from core.errors.nodes import NoWorkerYet
from core.service.estimator import REFIT_EVERY, RunBook
from core.service.pool_estimates import NO_PLACE, PoolRunBook
from core.storage.runs import Fit, RunPlace, save_fit
from core.testing.doubles import t2v

GIB = 1024**3
SMALL = NodeDevice("NVIDIA GeForce RTX 4090", "fp8", "abc", 16 * GIB)
LARGE = NodeDevice("NVIDIA H200", "fp8", "abc", 141 * GIB)
SLOW = NodeDevice("NVIDIA GeForce RTX 3090", "fp8", "abc", 24 * GIB)


@dataclass
class Registered:
    """The nodes, as far as estimates ask."""

    known: list[Pool] = field(default_factory=list[Pool])

    def pools(self) -> tuple[Pool, ...]:
        return tuple(self.known)


def request(width=768, height=512, frames=121):
    return replace(t2v(), sampling=Sampling(Preset.BALANCED, width, height, frames, 24, 1))


HUGE = request(1920, 1088, 241)


@pytest.fixture
def nodes():
    return Registered()


@pytest.fixture
def runs(room, nodes):
    return PoolRunBook(room.database, NO_PLACE, nodes, room.clock)


def seconds(device, asked):
    hardware = replace(BY_KEY[{SMALL: "4090", LARGE: "h200", SLOW: "3090"}[device]],
                       memory=device.vram_bytes)  # fmt: skip
    return estimate(asked, Machine(hardware, "fp8")).gpu_ms


async def test_before_a_worker_ever_came_nobody_knows(runs):
    await runs.open()

    for ask in (runs.estimate, runs.pool_of, runs.machine_for):
        with pytest.raises(NoWorkerYet):
            ask(request())


async def test_request_goes_to_the_least_pool_with_room_for_it(runs, nodes):
    nodes.known = [Pool("small", (SMALL,)), Pool("large", (LARGE,))]
    await runs.open()

    assert runs.pool_of(request()) == "small"
    assert runs.pool_of(HUGE) == "large"
    assert runs.estimate(request()).gpu_ms == seconds(SMALL, request())
    assert runs.estimate(HUGE).gpu_ms == seconds(LARGE, HUGE)


async def test_pool_with_workers_is_preferred_to_one_whose_workers_are_gone(runs, nodes):
    nodes.known = [Pool("small", (SMALL,), slots=0), Pool("large", (LARGE,))]

    assert runs.pool_of(request()) == "large"
    nodes.known = [Pool("small", (SMALL,), slots=0), Pool("large", (LARGE,), slots=0)]
    assert runs.pool_of(request()) == "small"


async def test_request_with_room_nowhere_waits_for_the_largest(runs, nodes):
    nodes.known = [Pool("a", (SMALL,)), Pool("b", (SMALL,))]

    assert runs.pool_of(HUGE) == "b"


async def test_job_that_only_absent_devices_fit_waits_for_them(runs, nodes):
    nodes.known = [Pool("small", (SMALL,)), Pool("large", (LARGE,), slots=0)]

    assert runs.pool_of(HUGE) == "large"


async def test_slowest_device_of_a_pool_speaks_for_it(runs, nodes):
    nodes.known = [Pool("mixed", (SLOW, LARGE))]
    await runs.open()

    assert runs.estimate(request()).gpu_ms == seconds(SLOW, request())


async def test_what_workers_learnt_of_a_device_counts(room, runs, nodes):
    nodes.known = [Pool("large", (LARGE,))]
    before = seconds(LARGE, request())
    place = RunPlace(LARGE.device, LARGE.profile, LARGE.pin)
    slow = estimate(request(), Machine(BY_KEY["3090"], "fp8"))
    rates = {
        item.part: replace(Machine(BY_KEY["3090"]).rates.get(item.part) or _prior(item.part))
        for item in slow.stages
        if item.part.on_gpu
    }
    async with room.database.transaction() as connection:
        await save_fit(connection, place, Fit(rates, 0.2, REFIT_EVERY), 1)
    await runs.open()

    assert runs.estimate(request()).gpu_ms > 2 * before
    assert runs.machine.runs == REFIT_EVERY
    assert runs.place == place


def _prior(part):
    from core.duration.machine import prior

    return prior(part, BY_KEY["3090"])


async def test_budget_is_checked_against_the_pool_that_makes_it(runs, nodes):
    nodes.known = [Pool("small", (SLOW,)), Pool("large", (LARGE,))]
    asked = request(1280, 704)
    cost = runs.cost_ms(runs.estimate(asked))

    runs.check_budget(asked, cost, RequestLimits())
    with pytest.raises(TooCostly) as refused:
        runs.check_budget(asked, cost - 1, RequestLimits())
    assert refused.value.need_ms == cost == seconds(SLOW, asked)


async def test_device_of_a_newer_program_is_estimated_all_the_same(runs, nodes):
    nodes.known = [Pool("new", (NodeDevice("NVIDIA Z900", "int3", "", 999 * GIB),))]
    await runs.open()

    assert runs.estimate(request()).gpu_ms > 0


async def test_own_device_of_a_service_is_what_its_own_runs_say(room, nodes):
    place = RunPlace(LARGE.device, LARGE.profile, LARGE.pin)
    nodes.known = [Pool("default", (LARGE,))]
    runs = PoolRunBook(room.database, place, nodes, room.clock, LARGE.vram_bytes)
    await runs.open()
    runs.machine = Machine(BY_KEY["3090"], "fp8")

    assert runs.machine_for(request()) is runs.machine


async def test_one_process_has_one_pool(room):
    runs = RunBook(room.database, RunPlace("draft", "draft", ""), room.clock)

    assert runs.pool_of(request()) == "default"
    assert runs.machine_for(request()) is runs.machine


def test_nothing_is_too_large_for_a_device_that_draws(nodes, room):
    nodes.known = [Pool("a", (NodeDevice("draft", "draft"),)), Pool("b", (LARGE,))]

    assert PoolRunBook(room.database, NO_PLACE, nodes).pool_of(HUGE) == "a"


async def test_what_has_no_room_is_refused_before_its_cost_is_asked_for(room):
    place = RunPlace("some card of 12 GB", "small", "")
    runs = RunBook(room.database, place, room.clock, 12 * GIB)
    unknown = RunBook(room.database, place, room.clock)

    with pytest.raises(TooLargeForDevice):
        runs.check_budget(request(1920, 1088, 481), None, RequestLimits())
    unknown.check_budget(
        request(1920, 1088, 481), None, RequestLimits()
    )  # nobody said how much memory there is
