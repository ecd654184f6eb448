"""The real lender's package against a device API of our own: durations, cancels, every error."""

import asyncio
from collections.abc import Awaitable, Callable, Generator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from core.duration import Tier
from core.duration.zerogpu import DAY_S
from tests.support import lent_gpu
from webui.testing.zerogpu import Lender, Reply, Rules, lending, refused

BLACKWELL = "NVIDIA RTX PRO 6000 Blackwell Server Edition"
PROGRAM = Path(__file__).with_name("zerogpu_program.py")


Run = Callable[..., Awaitable[dict[str, Any]]]


@pytest.fixture(scope="module")
def running_lender() -> Generator[Lender]:
    with lending() as running:
        yield running


@pytest.fixture
def lender(running_lender: Lender) -> Lender:
    """The lender, who remembers nothing of the tests before."""
    for kept in (running_lender.answers, running_lender.asked, running_lender.calls):
        kept.clear()
    running_lender.rules = running_lender.book.rules = Rules()
    running_lender.leases.clear()
    return running_lender


@pytest.fixture(scope="module")
def program(
    running_lender: Lender, tmp_path_factory: pytest.TempPathFactory
) -> Generator[lent_gpu.Program]:
    with lent_gpu.running(PROGRAM, tmp_path_factory.mktemp("home"), running_lender) as process:
        yield process


@pytest.fixture
def space(program: lent_gpu.Program, lender: Lender, tmp_path: Path) -> Run:
    def play(scenario: str, **others: object) -> dict[str, Any]:
        return lent_gpu.ask(program, {"scenario": scenario, "folder": str(tmp_path), **others})

    return partial(asyncio.to_thread, play)


async def test_a_clip_comes_back_from_the_borrowed_gpu(space: Run, lender: Lender) -> None:
    answer = await space("made")

    assert answer["code"] == "made"
    assert answer["frames"] == [9, 64, 64, 3]
    assert answer["sound"] == 1
    assert answer["events"] >= 3
    assert lender.calls == ["/schedule", "/allow", "/release"]


@pytest.mark.parametrize(
    ("hardware", "card", "size", "factor"),
    [
        ("h200", "NVIDIA H200", "large", 1.0),
        ("rtx-pro-6000-half", BLACKWELL, "large", 1.5),
        ("rtx-pro-6000", BLACKWELL, "xlarge", 1.0),
    ],
)
async def test_the_lenders_package_asks_for_the_estimate_times_its_factor(
    space: Run, lender: Lender, hardware: str, card: str, size: str, factor: float
) -> None:
    answer = await space("made", card=card, hardware=hardware)
    asked = lender.asked[0]

    assert answer["code"] == "made"
    assert int(asked["durationSeconds"]) == round(answer["declared_s"] * factor)
    assert asked["gpuSize"] == size


@pytest.mark.parametrize("hardware", ["rtx-pro-6000-half", "rtx-pro-6000"])
async def test_no_clip_asks_for_more_than_the_day_of_its_visitor(
    space: Run, lender: Lender, hardware: str
) -> None:
    await space("longest", card=BLACKWELL, hardware=hardware)
    twice = 2 if hardware == "rtx-pro-6000" else 1  # a whole card counts so
    counted = [int(asked["durationSeconds"]) * twice for asked in lender.asked]

    assert len(counted) == len(Tier)
    for tier, seconds in zip(Tier, counted, strict=True):
        assert DAY_S[tier] * 0.98 < seconds <= DAY_S[tier]
    assert counted == sorted(counted)


async def test_a_cancel_reaches_the_process_with_the_gpu_within_a_second(
    space: Run, lender: Lender
) -> None:
    answer = await space("cancel")

    assert answer["code"] == "cancelled"
    assert answer["late_s"] < 1.0
    assert lender.calls[-1] == "/release"


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        (refused(-1), "gpu_duration_illegal"),
        (refused(60), "gpu_login_needed"),
        (
            refused(60, **{"X-Approve-Result": "pending-overquota-exceeded"}),
            "gpu_quota_exceeded",
        ),
        ((503, {}, b""), "gpu_unavailable"),
        ((401, {}, b""), "gpu_token_expired"),
        ((500, {}, b""), "gpu_unavailable"),
        (
            (200, {"content-type": "text/event-stream"}, b"event: failed\n\n"),
            "gpu_queue_timeout",
        ),
    ],
)
async def test_every_refusal_of_the_lender_becomes_an_error_of_ours(
    space: Run, lender: Lender, reply: Reply, code: str
) -> None:
    lender.answers.append(reply)

    assert (await space("made"))["code"] == code


@pytest.mark.parametrize(
    ("scenario", "code"),
    [
        ("dies", "gpu_worker_died"),
        ("fails", "out_of_memory"),
        ("swells", "out_of_memory"),
        ("fills", "disk_full"),
        ("large", "out_of_memory"),
        ("lost", "device_lost"),
        ("breaks", "internal_error"),
    ],
)
async def test_what_goes_wrong_beside_the_gpu_is_told_apart(
    space: Run, scenario: str, code: str
) -> None:
    assert (await space(scenario))["code"] == code


async def test_the_page_reports_its_start_and_lets_many_wait(space: Run, lender: Lender) -> None:
    answer = await space("page")

    assert answer["max_size"] == 200
    assert "/startup-report" in lender.calls
