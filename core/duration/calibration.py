"""Learn this machine's rates from its recorded runs.

Non-negative least squares on relative errors, part by part, drawn towards the hardware profile:
with no runs the profile speaks, with many the runs do. A run that was disturbed (a cold start,
another process on the card) weighs little, in the rates and in the spread: weights fall with the
distance from the others. The first runs have no others to be compared with, so they may only draw
the rates so far from the profile.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from statistics import median

import numpy as np
from numpy.typing import NDArray

from core.duration.machine import Machine, Rates
from core.duration.nnls import nnls
from core.duration.workload import Part, PartCost

PRIOR_RUNS = 0.5  # the profile weighs as much as so many runs
LONE_PRIOR = 4.0  # runs after which the spread is learnt rather than assumed
SOFTNESS = 0.25  # log distance at which a run counts half
WIDE = 5.0  # … of a whole run: so many median distances, where that is farther
FAR = 4.0  # times what is expected; what is farther away counts as if it were there
ROUNDS = 8
FIRST_LIMIT = 4.0  # a first run says at most so many times what a profile of spread 0.15 says …
ENOUGH_RUNS = 15  # … and this many runs whatever they measured
_OF_THE_HOST = {Part.VIDEO_ENCODE, Part.UPSCALE}  # its bytes do not go faster on a faster device
SMALLEST_S = 1e-4  # shorter timings say nothing

_Vector = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Timing:
    """What one part of one run really took."""

    work: PartCost
    seconds: float


@dataclass(frozen=True, slots=True)
class _Row:
    effort: float
    moved: float
    passes: float
    seconds: float


def calibrate(machine: Machine, runs: Sequence[Sequence[Timing]]) -> Machine:
    """Fit the rates of ``machine`` to ``runs``.

    Args:
        machine: the device and its files; rates that it has already are ignored.
        runs: the timings of each recorded run, oldest first; only of this device and these files.

    Returns:
        The calibrated machine; unchanged where nothing was recorded.
    """
    blank = replace(machine, rates={}, spread=None, runs=0)
    if not runs:
        return blank
    runs = _bounded(blank, runs)
    timings = [item for run in runs for item in run]
    speed = _speed(blank, timings)
    rates: dict[Part, Rates] = {}
    for part in Part:
        rows = [_row(blank, item) for item in timings if item.work.part is part]
        first = blank.first_rates(part) if part is not Part.LOAD else None
        if first is None:
            continue
        scale = 1.0 if part in _OF_THE_HOST else speed
        first = Rates(first.a * speed, first.b * scale, first.c, first.launch)
        rates[part] = fit_rates(rows, first) if rows else first
    fitted = replace(blank, rates=rates, runs=len(runs))
    return replace(fitted, spread=_spread(fitted, runs))


def _bounded(machine: Machine, runs: Sequence[Sequence[Timing]]) -> list[list[Timing]]:
    """Return the timings that say something, near the profile as long as few runs are known.

    How far they may be from it follows how sure it is: one of an unknown device says little.
    """
    said = [[item for item in run if item.seconds > SMALLEST_S] for run in runs]
    if len(runs) >= ENOUGH_RUNS:
        return said
    first = FIRST_LIMIT * max(1.0, machine.hardware.spread / 0.15) ** 0.8
    limit = first ** (ENOUGH_RUNS / (ENOUGH_RUNS - len(runs)))
    return [[replace(item, seconds=_near(item, machine, limit)) for item in run] for run in said]


def _near(timing: Timing, machine: Machine, limit: float) -> float:
    if timing.work.part is Part.LOAD:  # from a cold disk, from a warm one: nothing is learnt of it
        return timing.seconds
    expected = machine.seconds(timing.work)
    return min(max(timing.seconds, expected / limit), expected * limit)


def _row(machine: Machine, timing: Timing) -> _Row:
    return _Row(*machine.features(timing.work), timing.seconds)


def _speed(machine: Machine, timings: Iterable[Timing]) -> float:
    """Return how many times slower sampling is than the profile says; parts not yet seen get it."""
    ratios = [
        math.log(item.seconds / machine.seconds(item.work))
        for item in timings
        if item.work.part in {Part.STAGE1, Part.STAGE2}
    ]
    return math.exp(median(ratios)) if ratios else 1.0


def fit_rates(rows: Sequence[_Row], first: Rates) -> Rates:
    """Fit rates to ``rows`` and, where these leave a choice, stay near ``first``.

    Each round solves for factors of ``first``, all ≥ 0, with the relative errors of the round
    before deciding how much each row counts and whether its launches bound it.
    """
    seconds = np.array([row.seconds for row in rows])
    start = np.array([first.a, first.b, first.c, first.launch])
    active = start > 0
    rates = first
    for _ in range(ROUNDS):
        expected = np.array([rates.seconds(r.effort, r.moved, r.passes) for r in rows])
        away = np.log(seconds / expected)
        centre = float(np.median(away)) if rates is first else 0.0
        weights = 1 / (1 + ((away - centre) / SOFTNESS) ** 2)
        table = np.array([_terms(row, rates) for row in rows]) * start
        usual = expected * math.exp(centre)
        norm = np.sqrt(weights) / usual
        held = np.clip(seconds, usual / FAR, usual * FAR)
        factors = _solve(table[:, active] * norm[:, None], held * norm)
        found = np.zeros(4)
        found[active] = factors * start[active]
        rates = Rates(*(float(value) for value in found))
    return rates


def _terms(row: _Row, rates: Rates) -> list[float]:
    bound = rates.launch * row.passes > rates.a * row.effort + rates.b * row.moved
    if bound:
        return [0.0, 0.0, 1.0, row.passes]
    return [row.effort, row.moved, 1.0, 0.0]


def _solve(table: _Vector, target: _Vector) -> _Vector:
    """Return the factors ≥ 0 that fit best, drawn to 1."""
    count = table.shape[1]
    pull = math.sqrt(PRIOR_RUNS / count)
    stacked = np.vstack([table, pull * np.eye(count)])
    wanted = np.concatenate([target, np.full(count, pull)])
    return nnls(stacked, wanted)


def _spread(machine: Machine, runs: Sequence[Sequence[Timing]]) -> float:
    """Return the standard deviation of log(GPU seconds of a run), drawn to the profile's.

    Disturbed runs weigh as little as in the fit; what counts as far away follows how far apart
    most runs are, so that a machine whose runs differ gets a wide spread.
    """
    errors: list[float] = []
    for run in runs:
        paid = [item for item in run if item.work.part.on_gpu]
        expected = sum(machine.seconds(item.work) for item in paid)
        if paid and expected > 0:
            errors.append(math.log(sum(item.seconds for item in paid) / expected))
    assumed = LONE_PRIOR * machine.hardware.spread**2
    typical = median(abs(error) for error in errors) if errors else 0.0
    softness = min(max(SOFTNESS, WIDE * typical), 4 * SOFTNESS)
    weights = [1 / (1 + (error / softness) ** 2) ** 2 for error in errors]
    learnt = sum(weight * error**2 for weight, error in zip(weights, errors, strict=True))
    return math.sqrt((assumed + learnt) / (LONE_PRIOR + sum(weights)))
