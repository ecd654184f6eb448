import math
import random
from dataclasses import replace

import pytest

from core.domain.progress import Stage, Working
from core.duration import BY_KEY, DRAFT, UNKNOWN, Machine, Part, estimate
from core.duration.calibration import Timing
from core.duration.sampling_plan import plan_of
from core.duration.workload import part_costs
from core.service.estimator import REFIT_EVERY, RunBook, last_place, median_error, timings_of
from core.storage.database import open_database
from core.storage.runs import RecordedRun, RunPlace, recent_runs
from core.testing.doubles import ManualClock
from core.worker.stage_timer import StageTimer

PLACE = RunPlace("Contoso Graphics 3000", "fp8", "bb131be9")


@pytest.fixture
async def database(tmp_path, new_database):
    async with open_database(new_database(tmp_path), tmp_path) as database:
        yield database


def run_of(request, number, truth, *, noise=None, place=PLACE, error=None) -> RecordedRun:
    rng = random.Random(number)
    timings = tuple(
        Timing(work, truth.seconds(work) * math.exp(rng.gauss(0, noise or 0.0)))
        for work in part_costs(plan_of(request, "fp8"))
    )
    seconds = sum(item.seconds for item in timings if item.work.part.on_gpu)
    sampling = request.sampling
    return RecordedRun(
        job_id=f"{number:032x}",
        attempt=1,
        recorded_at_ms=1000 + number,
        place=place,
        mode=request.mode.value,
        preset=sampling.preset.value,
        width=sampling.width,
        height=sampling.height,
        frames=sampling.frames,
        fps=sampling.fps,
        estimate_ms=1000,
        p95_ms=2000,
        gpu_ms=round(seconds * 1000),
        wait_ms=500,
        peak_bytes=7,
        error=error,
        timings=timings,
    )


async def test_a_run_comes_back_as_it_was_recorded(database, asked):
    run = run_of(asked(), 1, Machine())
    book = RunBook(database, PLACE)

    await book.record_run(run)
    await book.record_run(run)

    (found,) = await book.recent()
    assert replace(found, timings=()) == replace(run, timings=())
    assert {t.work.part: t for t in found.timings} == {t.work.part: t for t in run.timings}


async def test_recorded_runs_make_the_estimate_right_and_outlive_the_process(database, asked):
    truth = Machine(replace(UNKNOWN, flops=200e12, bandwidth=1e12, memory=80e9))
    book = RunBook(database, PLACE, ManualClock())
    await book.open()
    request = asked()
    before = book.estimate(request)
    sizes = [(768, 512, 49), (768, 512, 121), (1280, 704, 49), (1280, 704, 121), (512, 512, 241)]
    for number in range(2 * REFIT_EVERY):
        width, height, frames = sizes[number % len(sizes)]
        sized = asked(width=width, height=height, frames=frames)
        await book.record_run(run_of(sized, number, truth, noise=0.15))

    wanted = estimate(request, truth).gpu_ms
    assert not before.known
    assert before.gpu_ms > 3 * wanted
    assert book.estimate(request).gpu_ms == pytest.approx(wanted, rel=0.2)
    assert median_error(book.machine, await book.recent()) < 0.2

    again = RunBook(database, PLACE)
    await again.open()
    assert again.estimate(request) == book.estimate(request)
    assert again.estimate(request).known


async def test_fits_are_kept_apart_by_device_files_and_pin(database, asked):
    other = replace(PLACE, pin="another")
    fast = Machine(replace(UNKNOWN, flops=500e12))
    for place, truth in ((PLACE, fast), (other, Machine())):
        book = RunBook(database, place)
        for number in range(REFIT_EVERY):
            run = run_of(asked(), number, truth, place=place)
            await book.record_run(replace(run, job_id=place.pin + run.job_id))

    books = [RunBook(database, place) for place in (PLACE, other)]
    for book in books:
        await book.open()
    first, second = (book.estimate(asked()).gpu_ms for book in books)
    assert 2 * first < second


async def test_failed_runs_are_kept_but_teach_nothing(database, asked):
    book = RunBook(database, PLACE)
    for number in range(REFIT_EVERY):
        await book.record_run(run_of(asked(), number, Machine(), error="out_of_memory"))

    assert (await book.refit()).runs == 0
    assert len(await book.recent()) == REFIT_EVERY


async def test_the_newest_run_names_the_place(database, asked):
    assert await last_place(database) is None
    book = RunBook(database, PLACE)
    await book.record_run(run_of(asked(), 1, Machine()))
    await book.record_run(replace(run_of(asked(), 2, Machine()), place=replace(PLACE, pin="new")))

    assert await last_place(database) == replace(PLACE, pin="new")
    async with database.transaction() as connection:
        assert len(await recent_runs(connection, 1)) == 1


def test_stages_are_timed_from_events_and_split_as_expected(asked):
    now = [10.0]
    timer = StageTimer(lambda: now[0])
    for stage, seconds in (
        (Stage.TEXT, 1),
        (Stage.STAGE1, 2),
        (Stage.STAGE1, 3),
        (Stage.DECODE, 4),
    ):
        timer.observe(Working(stage, 1, 2, 0.5))
        now[0] += seconds
    spent = timer.stop()
    machine = Machine(BY_KEY["h200"], "bf16")

    found = {item.work.part: item.seconds for item in timings_of(asked(), machine, spent)}

    assert spent == {Stage.TEXT: 1, Stage.STAGE1: 5, Stage.DECODE: 4}
    assert found[Part.STAGE1] == 5
    assert found[Part.DECODE] + found[Part.AUDIO_DECODE] == pytest.approx(4)
    assert Part.STAGE2 not in found


def test_a_drawn_run_is_timed_by_its_drawing(asked):
    (timing,) = timings_of(asked(), DRAFT, {Stage.PREPARE: 0.1, Stage.STAGE1: 5.0})

    assert timing.work.part is Part.STAGE1
    assert timing.seconds == 5.0
