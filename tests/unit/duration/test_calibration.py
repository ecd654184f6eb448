import math
import random
from dataclasses import replace
from statistics import median

import pytest

from core.duration import BY_KEY, UNKNOWN, Machine, Part, Residency, load_seconds
from core.duration.calibration import Timing, calibrate
from core.duration.launching import Launching
from core.duration.sampling_plan import plan_of
from core.duration.workload import part_costs

H200 = Machine(BY_KEY["h200"], "bf16", way=Launching.PLAIN)
STRANGE = Machine(UNKNOWN, "bf16", way=Launching.PLAIN)


def errors_of(machine, runs):
    return [
        abs(machine.seconds(item.work) / item.seconds - 1) for timings in runs for item in timings
    ]


@pytest.mark.parametrize("seed", range(10))
def test_half_of_the_measured_runs_foretells_the_other_half(h200_runs, seed):
    runs = list(h200_runs)
    random.Random(seed).shuffle(runs)
    half = len(runs) // 2

    errors = errors_of(calibrate(H200, runs[:half]), runs[half:])

    assert median(errors) <= 0.15
    assert max(errors) <= 0.30


@pytest.mark.parametrize("seed", range(10))
def test_runs_of_another_placement_among_them_leave_the_median_right(all_warm_runs, seed):
    """There a stage of the same request takes from one to three and a half times as long."""
    runs = list(all_warm_runs)
    random.Random(seed).shuffle(runs)
    half = len(runs) // 2

    errors = errors_of(calibrate(H200, runs[:half]), runs[half:])

    assert median(errors) <= 0.15


def test_models_are_brought_back_in_as_many_seconds_as_measured(h200):
    expected = load_seconds(H200, Residency.RAM)

    for cold, warm in h200["reloads"]:
        assert expected == pytest.approx(cold - warm, rel=0.15)


@pytest.mark.parametrize("seed", range(5))
def test_a_profile_of_another_device_is_overruled_by_runs(h200_runs, seed):
    runs = list(h200_runs)
    random.Random(seed).shuffle(runs)
    half = len(runs) // 2

    errors = errors_of(
        calibrate(Machine(UNKNOWN, "bf16", way=Launching.PLAIN), runs[:half]), runs[half:]
    )

    assert median(errors) <= 0.15


def test_the_profile_alone_is_near_the_measurements(h200_runs):
    errors = errors_of(H200, h200_runs)

    assert median(errors) <= 0.15
    assert max(errors) <= 0.30


@pytest.mark.parametrize("first", [H200, STRANGE], ids=["h200", "unknown"])
def test_runs_whose_upscaler_travelled_foretell_one_that_stays(h200_runs, asked, first):
    kept = replace(calibrate(first, h200_runs), vram="high")
    found = {work.part: work for work in part_costs(kept.with_tiling(plan_of(asked(), "bf16")))}

    assert kept.seconds(found[Part.UPSCALE]) < 0.06


class Simulated:
    """A device that nobody has seen, with noise in every part and in every run."""

    def __init__(self, seed, ask):
        self.random = rng = random.Random(seed)
        self.ask = ask
        self.truth = Machine(
            replace(
                UNKNOWN,
                flops=10 ** rng.uniform(13.3, 15),
                bandwidth=10 ** rng.uniform(11.5, 12.7),
                memory=80e9,
                sampling_share=rng.uniform(0.2, 0.65),
                codec_share=rng.uniform(0.1, 0.8),
                fixed_s=rng.uniform(0.5, 3),
                launch_s=rng.uniform(0.02, 0.3),
                cores=rng.choice([2, 4, 8, 16]),
            )
        )

    def run(self):
        sizes = [(768, 512), (512, 768), (1280, 704), (704, 1280), (1920, 1088), (640, 640)]
        width, height = self.random.choice(sizes)
        request = self.ask(width=width, height=height, frames=8 * self.random.randint(3, 30) + 1)
        slow = self.random.gauss(0, 0.1)
        return [
            Timing(work, self.truth.seconds(work) * math.exp(self.random.gauss(slow, 0.15)))
            for work in part_costs(plan_of(request, "fp8"))
        ]


def paid(timings):
    return [item for item in timings if item.work.part.on_gpu]


def total_error(machine, timings):
    truth = sum(item.seconds for item in paid(timings))
    return abs(sum(machine.seconds(item.work) for item in paid(timings)) / truth - 1)


@pytest.mark.parametrize("seed", range(20))
def test_ten_runs_teach_an_unknown_device(asked, seed):
    device = Simulated(seed, asked)

    machine = calibrate(Machine(UNKNOWN, "bf16"), [device.run() for _ in range(10)])

    assert median(total_error(machine, device.run()) for _ in range(30)) <= 0.20
    assert machine.runs == 10


def test_disturbed_runs_weigh_little(asked):
    device = Simulated(3, asked)
    runs = [device.run() for _ in range(12)]
    calm = calibrate(Machine(UNKNOWN), runs)
    for run in runs[1], runs[6]:
        run[:] = [Timing(item.work, item.seconds * 6) for item in run]

    disturbed = calibrate(Machine(UNKNOWN), runs)

    probe = device.run()
    away = sum(disturbed.seconds(t.work) for t in paid(probe)) / sum(
        calm.seconds(t.work) for t in paid(probe)
    )
    assert 0.85 < away < 1.15


def test_a_machine_without_runs_is_its_profile():
    assert calibrate(H200, []) == H200


def test_rates_are_never_negative(h200_runs):
    for rates in calibrate(H200, h200_runs).rates.values():
        assert min(rates.a, rates.b, rates.c, rates.launch) >= 0


@pytest.mark.parametrize("seed", range(5))
def test_the_spread_covers_nineteen_of_twenty_runs(asked, seed):
    device = Simulated(seed, asked)
    machine = calibrate(Machine(UNKNOWN), [device.run() for _ in range(40)])

    below = 0
    for _ in range(100):
        timings = paid(device.run())
        expected = machine.p95(sum(machine.seconds(item.work) for item in timings))
        below += sum(item.seconds for item in timings) <= expected

    assert below >= 90


def slowed(runs, factor):
    return [[Timing(item.work, item.seconds * factor) for item in run] for run in runs]


def ratios(machine, device, count=30):
    """The estimate over the truth of undisturbed runs, and p95 over the estimate."""
    timings = [paid(device.run()) for _ in range(count)]
    totals = [sum(machine.seconds(item.work) for item in run) for run in timings]
    truths = [sum(item.seconds for item in run) for run in timings]
    estimate = median(total / truth for total, truth in zip(totals, truths, strict=True))
    return estimate, machine.p95(1.0)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(
    ("disturbed", "factor", "good"),
    [
        (5, 100, 20),
        (1, 100, 4),
        (1, 30, 6),
        (2, 100, 5),
        (3, 1000, 17),
        (4, 0.01, 20),
        (1, 0.001, 5),
        (9, 10, 31),
    ],
)
def test_disturbed_first_runs_do_not_widen_what_is_promised(asked, seed, disturbed, factor, good):
    device = Simulated(seed, asked)
    known = replace(device.truth.hardware, spread=0.15)  # its profile is right
    runs = slowed([device.run() for _ in range(disturbed)], factor)
    runs += [device.run() for _ in range(good)]

    estimate, p95 = ratios(calibrate(Machine(known), runs), device)

    assert 0.75 < estimate < 1.35
    assert p95 < 1.7


@pytest.mark.parametrize("factor", [100, 0.01])
@pytest.mark.parametrize("count", [1, 2, 5])
def test_a_few_runs_alone_do_not_overrule_a_profile_by_far(asked, count, factor):
    device = Simulated(4, asked)
    known = replace(device.truth.hardware, spread=0.15)

    estimate, p95 = ratios(
        calibrate(Machine(known), slowed([device.run() for _ in range(count)], factor)), device
    )

    assert 1 / 9 < estimate < 9
    assert p95 < 2


def test_a_machine_that_is_slow_indeed_is_learnt(asked):
    device = Simulated(4, asked)
    known = replace(device.truth.hardware, spread=0.15)
    runs = slowed([device.run() for _ in range(25)], 40)

    estimate, _ = ratios(calibrate(Machine(known), runs), device)

    assert 30 < estimate < 50
