"""How right is the estimate? Against one H200's measurements, and on devices nobody has seen.

    python bench/estimate.py [--splits 50] [--plot docs/images/estimate.png]

Fits half of the measured runs and asks for the other half, for every split; then lets simulated
unknown devices make ten runs each and asks for thirty more.
"""

import argparse
import random
import sys
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "unit" / "duration")]
sys.path[:] = [entry for entry in sys.path if entry != str(ROOT / "bench")]  # has a queue.py

import tomllib  # noqa: E402  # after the path is set

import conftest as table  # noqa: E402  # the table, and its plans, as the tests read them
import test_calibration as devices  # noqa: E402  # the simulated devices, likewise

from core.cli.plot import draw_plot  # noqa: E402  # after the path is set
from core.duration import BY_KEY, UNKNOWN, Machine, Part  # noqa: E402  # after the path is set
from core.duration.calibration import Timing, calibrate  # noqa: E402  # after the path is set
from core.duration.launching import Launching  # noqa: E402  # after the path is set

Runs = list[list[Timing]]


def split(runs: Runs, seed: int) -> tuple[Runs, Runs]:
    shuffled = list(runs)
    random.Random(seed).shuffle(shuffled)
    return shuffled[: len(runs) // 2], shuffled[len(runs) // 2 :]


def show(name: str, runs: Runs, blank: Machine, splits: int) -> None:
    """Print the errors of all splits, together and by part."""
    medians: list[float] = []
    by_part: dict[Part, list[float]] = {}
    for seed in range(splits):
        known, asked = split(runs, seed)
        machine = calibrate(blank, known)
        timings = [item for run in asked for item in run]
        errors = [abs(machine.seconds(item.work) / item.seconds - 1) for item in timings]
        medians.append(median(errors))
        for item, error in zip(timings, errors, strict=True):
            by_part.setdefault(item.work.part, []).append(error)
    worst = max(max(errors) for errors in by_part.values())
    print(
        f"{name}: median {median(medians):.1%}, worst split {max(medians):.1%}, worst {worst:.0%}"
    )
    for part, errors in by_part.items():
        print(f"    {part:<8} median {median(errors):.1%}, worst {max(errors):.0%}")


def learnt() -> list[float]:
    """Return each simulated device's median error after ten runs."""
    found: list[float] = []
    for seed in range(20):
        device = devices.Simulated(seed, table.ask)
        machine = calibrate(Machine(UNKNOWN, "bf16"), [device.run() for _ in range(10)])
        found.append(median(devices.total_error(machine, device.run()) for _ in range(30)))
    return found


def plot(runs: Runs, blank: Machine, splits: int, path: Path) -> None:
    """Draw every stage as it was foretold by the runs it was not among."""
    points = [
        (item.seconds, machine.seconds(item.work))
        for seed in range(splits)
        for known, asked in [split(runs, seed)]
        for machine in [calibrate(blank, known)]
        for run in asked
        for item in run
    ]
    title = f"Stages of one H200, each foretold by runs it was not among ({splits} splits)"
    draw_plot(points, ("measured, seconds", "foretold, seconds"), title, path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--splits", type=int, default=50)
    parser.add_argument("--plot", type=Path)
    given = parser.parse_args()
    text = (ROOT / "tests" / "unit" / "duration" / "h200.toml").read_text("utf-8")
    measured = tomllib.loads(text)
    kept = table.runs_of(measured, "rows")
    mixed = kept + table.runs_of(measured, "default_placement")
    h200 = Machine(BY_KEY["h200"], "bf16", way=Launching.PLAIN)  # as the table was measured
    unknown = Machine(UNKNOWN, "bf16", way=Launching.PLAIN)
    show("from the H200's profile", kept, h200, given.splits)
    show("with runs of the other placement", mixed, h200, given.splits)
    show("from the profile of an unknown device", kept, unknown, given.splits)
    errors = learnt()
    print(f"ten runs: median {median(errors):.1%}, {min(errors):.1%} to {max(errors):.1%}")
    if given.plot is not None:
        plot(kept, h200, given.splits, given.plot)


if __name__ == "__main__":
    main()
