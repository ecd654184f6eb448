"""A day of jobs in one process: memory, descriptors and threads stay what they were."""

import json
from pathlib import Path

import pytest

from tests.torture.conftest import Lives

pytestmark = pytest.mark.xdist_group("torture")
SLICE, LONG, DAY = 40, 2_000, 20_000  # jobs
SAMPLES = 10
WARM = SAMPLES // 3  # by then a slice, too, has drawn its first real draft (``DRAFT_EVERY``)
SPARE = 16 * 2**20  # bytes; 4 MiB were seen in 40 jobs, and in 2 000
CACHED = 3_000  # objects: caches of statements fill


@pytest.mark.timeout(7200)
def test_memory_descriptors_and_threads_stay_flat_over_a_day_of_jobs(
    program: Lives, pytestconfig: pytest.Config, tmp_path: Path
) -> None:
    jobs = LONG if pytestconfig.getoption("--torture") else SLICE
    jobs = DAY if pytestconfig.getoption("--day") else jobs

    assert program.live(tmp_path, jobs, samples=SAMPLES) == 0

    lines = (tmp_path / "samples").read_text().splitlines()
    warm, *later = [json.loads(line) for line in lines][WARM:]
    program.counts["jobs"] += jobs
    for sample in later:
        assert sample["rss"] <= warm["rss"] + SPARE, lines
        assert sample["descriptors"] <= warm["descriptors"] + 8, lines
        assert sample["threads"] <= warm["threads"] + 4, lines
    grown = later[-1]["objects"] - warm["objects"]
    assert grown <= CACHED, lines
