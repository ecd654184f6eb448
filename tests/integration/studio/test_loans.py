"""The real lender's package against a device API that counts, refuses and kills."""

import asyncio
from collections.abc import Awaitable, Callable, Generator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.support import lent_gpu
from webui.testing.zerogpu import Lender, Rules, SharedClock, lending

BLACKWELL = "NVIDIA RTX PRO 6000 Blackwell Server Edition"
PROGRAM = Path(__file__).with_name("zerogpu_program.py")
COLD = {"start_s": 8.0, "load_s": 27.0, "run_s": 14.0}  # the median of a fast clip of 5 s

Jobs = Callable[..., Awaitable[dict[str, Any]]]


@pytest.fixture(scope="module")
def clock(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("clock") / "seconds"


@pytest.fixture(scope="module")
def running_lender(clock: Path) -> Generator[Lender]:
    with lending(Rules(kills=True), SharedClock(clock)) as running:
        yield running


@pytest.fixture
def lender(running_lender: Lender) -> Lender:
    """The lender, who remembers nothing of the tests before."""
    return strict(running_lender)


def strict(lender: Lender, **more: Any) -> Lender:
    """Let ``lender`` forget, and hold its borrowers to more."""
    for kept in (lender.answers, lender.asked, lender.calls, lender.leases):
        kept.clear()
    lender.rules = lender.book.rules = Rules(kills=True, **more)
    return lender


@pytest.fixture(scope="module")
def program(
    running_lender: Lender, tmp_path_factory: pytest.TempPathFactory
) -> Generator[lent_gpu.Program]:
    with lent_gpu.running(PROGRAM, tmp_path_factory.mktemp("home"), running_lender) as process:
        yield process


@pytest.fixture
def jobs(program: lent_gpu.Program, lender: Lender, clock: Path, tmp_path: Path) -> Jobs:
    def play(*paces: dict[str, float], **others: object) -> dict[str, Any]:
        shared = {"clock": str(clock), "lender": lender.url}
        asked = {"card": BLACKWELL, "paces": paces, **shared, **others}
        return lent_gpu.ask(program, {"scenario": "paced", "folder": str(tmp_path), **asked})

    return lambda *paces, **others: asyncio.to_thread(partial(play, *paces, **others))


def asked_s(lender: Lender) -> list[int]:
    return [int(asked["durationSeconds"]) for asked in lender.asked]


async def test_a_cold_start_is_lent_for_and_a_warm_worker_costs_less(
    jobs: Jobs, lender: Lender
) -> None:
    answer = await jobs(COLD, COLD)

    first, second = asked_s(lender)
    assert [job["code"] for job in answer["jobs"]] == ["made", "made"]
    assert [lease.how for lease in lender.leases] == ["released", "released"]
    assert [lease.warm for lease in lender.leases] == [False, True]
    assert first > 8 + 27 + 14
    assert 14 < second < first / 2
    assert answer["jobs"][0]["stages"] == ["start", "load", "stage1"]
    assert answer["jobs"][1]["stages"] == ["stage1"]


async def test_a_new_worker_where_a_warm_one_was_expected_hands_the_loan_back(
    jobs: Jobs, lender: Lender
) -> None:
    strict(lender, keep_s=0.0)
    answer = await jobs(COLD, COLD)

    cold, warm, again = asked_s(lender)
    assert [job["code"] for job in answer["jobs"]] == ["made", "made"]
    assert warm < cold == again
    assert not any(lease.how == "killed" for lease in lender.leases)
    handed_back = lender.leases[1]
    assert handed_back.spent_s(0) < warm / 2


async def test_the_second_try_is_as_long_as_the_first_one_shows_that_it_must_be(
    jobs: Jobs, lender: Lender
) -> None:
    slow = {**COLD, "run_s": 90.0}
    answer = await jobs(slow)

    first, second = asked_s(lender)
    needed_s = 8 + 27 + 90
    assert [lease.how for lease in lender.leases] == ["killed", "released"]
    assert first < needed_s <= second < 1.5 * needed_s
    assert answer["jobs"][0]["code"] == "made"
    counted_ms = lender.counted_s() * 1000
    assert answer["jobs"][0]["lent_ms"] == pytest.approx(counted_ms, rel=0.1)


async def test_a_start_that_was_cut_off_is_tried_for_twice_as_long_as_it_took(
    jobs: Jobs, lender: Lender
) -> None:
    slow = {**COLD, "load_s": 90.0}
    answer = await jobs(slow)

    first, second = asked_s(lender)
    assert answer["jobs"][0]["code"] == "made"
    assert second >= 2 * first
    assert [lease.how for lease in lender.leases] == ["killed", "released"]


async def test_what_the_day_does_not_hold_is_not_tried_again_and_told(
    jobs: Jobs, lender: Lender
) -> None:
    answer = await jobs({**COLD, "run_s": 200.0}, tier="anonymous")

    job = answer["jobs"][0]
    assert [lease.how for lease in lender.leases] == ["killed"]
    assert job["code"] == "gpu_time_exceeded"
    assert job["granted_s"] == pytest.approx(asked_s(lender)[0], abs=1)
    assert 0 < job["reached"] < 50
    assert job["lent_ms"] == pytest.approx(lender.counted_s() * 1000, rel=0.1)


@pytest.mark.parametrize(("card", "factor"), [(BLACKWELL, 1.5), ("", 1.0)])
async def test_a_cut_off_is_told_from_a_crash_by_what_the_platform_grants(
    jobs: Jobs, lender: Lender, card: str, factor: float
) -> None:
    cut = await jobs({**COLD, "run_s": 900.0}, card=card, tier="anonymous")
    crashed = await jobs({**COLD, "crash_at": 0.5}, card=card, tier="anonymous")

    seconds = set(asked_s(lender))
    assert cut["jobs"][0]["code"] == "gpu_time_exceeded"
    assert crashed["jobs"][0]["code"] == "gpu_worker_died"
    assert seconds == {round(cut["declared_s"] * factor)}
    assert crashed["jobs"][0]["lent_ms"] == pytest.approx(
        lender.leases[-1].spent_s(0) * 1000, rel=0.1
    )


async def test_too_long_a_call_is_learnt_and_the_largest_that_fits_is_named(
    jobs: Jobs, lender: Lender
) -> None:
    strict(lender, call_s=92)
    quick = {"run_s": 5.0}
    answer = await jobs(quick, {**quick, "crash_at": 0.0}, quick, frames=241)
    first = asked_s(lender)
    lender.asked.clear()
    refused = await jobs(quick, quick, frames=481)

    assert [job["code"] for job in answer["jobs"]] == [
        "made",
        "gpu_worker_died",
        "made",
    ]
    assert first[0] > 92 >= first[1] == first[3]
    assert len(first) == 4  # the last job, on a new worker again, knew
    assert [job["code"] for job in refused["jobs"]] == ["gpu_call_too_long"] * 2
    assert refused["jobs"][0]["limit_s"] == 90
    assert 0 < refused["jobs"][0]["seconds"] < 20
    assert len(lender.asked) == 2  # 120 s were tried, too; the second job was not asked for
    assert refused["jobs"][0]["lent_ms"] is None
