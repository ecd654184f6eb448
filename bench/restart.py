"""Measure how long nothing is claimed after a fault: ``python bench/restart.py [--jobs N]``.

Runs the real service with its parent and an executor that breaks on demand, so models are loaded in
no time, and prints the seconds from each fault to the next order.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

LIMIT_S = 15.0
FAULTS = ("cuda", "segfault", "kill", "cuda", "segfault")


def times_of(folder: Path, jobs: int) -> list[tuple[str, float]]:
    """Run ``jobs`` jobs with the faults among them; return every event and its time."""
    prompts = [f"fine {number}" for number in range(jobs)]
    for index, fault in enumerate(FAULTS):
        prompts[(index + 1) * jobs // (len(FAULTS) + 1)] = f"{fault} once {index}"
    (folder / "plan.json").write_text(json.dumps({"prompts": prompts, "users": jobs}))
    settings = {
        "DATA_DIR": str(folder / "data"),
        "EXECUTOR": "draft",
        "QUOTA_MINUTES": "100000",
        "MAX_QUEUED": str(jobs),
        "MIN_FREE_MEGABYTES": "0",
    }
    subprocess.run(
        [sys.executable, "-m", "core.testing.faulty_service", str(folder)],
        env={**os.environ, **{f"CLAPPER_{name}": value for name, value in settings.items()}},
        stderr=subprocess.DEVNULL,
        check=True,
    )
    lines = (folder / "times").read_text().splitlines()
    return [(line.split()[0], float(line.split()[1])) for line in lines]


def main() -> None:
    """Print the table, and fail where a fault kept the device idle for too long."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=30)
    with tempfile.TemporaryDirectory() as folder:
        times = times_of(Path(folder), parser.parse_args().jobs)
    pauses: dict[str, list[float]] = {}
    for index, (event, at) in enumerate(times):
        if event.startswith("fault-"):
            pauses.setdefault(event.removeprefix("fault-"), []).append(times[index + 1][1] - at)
    for fault, found in pauses.items():
        sys.stdout.write(f"{fault:10} {len(found)} ×  median {median(found):5.1f} s  "
                         f"worst {max(found):5.1f} s\n")  # fmt: skip
    worst = max(max(found) for found in pauses.values())
    sys.stdout.write(f"worst {worst:.1f} s, limit {LIMIT_S:.0f} s\n")
    sys.exit(worst > LIMIT_S)


if __name__ == "__main__":
    main()
