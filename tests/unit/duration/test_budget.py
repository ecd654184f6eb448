from dataclasses import replace

import pytest

from core.domain.dimensions import FRAME_STRIDE
from core.domain.followups import options_of
from core.domain.keyframes import check_times, picture_frames
from core.domain.limits import RequestLimits
from core.domain.modes import MODES, Mode
from core.domain.options import Options
from core.domain.presets import Preset
from core.domain.request_builder import compose
from core.duration import (
    BY_KEY,
    GpuSize,
    LoanTerms,
    Machine,
    Tier,
    WorkerState,
    check_budget,
    estimate,
    largest_fitting,
    lease,
    p95_ms,
    ready_seconds,
)
from core.duration.zerogpu import DAY_S, budget_ms, median_budget_ms
from core.errors import NothingFits, TooCostly
from core.i18n.messages import explain
from tests.unit.domain.test_keyframes import pictures

HALF = Machine(BY_KEY["rtx-pro-6000-half"], "fp8")
FULL = Machine(BY_KEY["rtx-pro-6000"], "bf16")


def test_what_fits_is_left_alone(asked):
    request = asked()

    assert largest_fitting(request, estimate(request, HALF).gpu_ms, HALF) == request


@pytest.mark.parametrize("mode", [mode for mode in Mode if not MODES[mode].continues])
@pytest.mark.parametrize("budget", [8_000, 20_000, 60_000])
def test_the_largest_setting_fits_and_the_next_one_does_not(asked, mode, budget):
    request = asked(mode, width=1920, height=1088, frames=241, preset=Preset.QUALITY)

    found = largest_fitting(request, budget, HALF)

    assert found is not None
    assert estimate(found, HALF).gpu_ms <= budget
    longer = replace(found.sampling, frames=found.sampling.frames + FRAME_STRIDE)
    if longer.frames <= request.sampling.frames:
        assert estimate(replace(found, sampling=longer), HALF).gpu_ms > budget


def test_a_film_that_goes_on_becomes_shorter_and_keeps_its_size(asked):
    request = asked(Mode.EXTEND, width=768, height=512, frames=241)
    shorter = estimate(asked(Mode.EXTEND, width=768, height=512, frames=121), HALF).gpu_ms

    found = largest_fitting(request, shorter, HALF)

    assert found is not None
    assert found.sampling == replace(request.sampling, frames=121)


def test_a_doubled_clip_becomes_shorter_in_its_own_steps(asked):
    plain = asked(Mode.T2V, frames=241)
    request = replace(plain, sampling=replace(plain.sampling, fps=48, doubled=True))

    found = largest_fitting(request, estimate(request, HALF).gpu_ms * 0.6, HALF)

    assert found is not None
    assert found.sampling.doubled
    assert estimate(request, HALF).gpu_ms > estimate(asked(Mode.T2V, frames=121), HALF).gpu_ms


def test_speech_is_made_smaller_before_it_is_cut(asked):
    request = asked(Mode.LIPSYNC, width=1920, height=1088, preset=Preset.QUALITY)
    budget = estimate(asked(Mode.LIPSYNC, width=768, height=448), HALF).gpu_ms * 1.05

    found = largest_fitting(request, budget, HALF)

    assert found is not None
    assert found.sampling.frames == request.sampling.frames
    assert found.sampling.width < 1920


def test_a_refusal_names_what_fits(asked):
    request = asked(width=1920, height=1088, preset=Preset.QUALITY)
    with pytest.raises(TooCostly) as caught:
        check_budget(request, 30_000, HALF)

    fits = caught.value
    assert f"{fits.width}×{fits.height}" in explain(fits)
    frames = round(fits.seconds * 24) // 8 * 8 + 1
    assert estimate(asked(width=fits.width, height=fits.height, frames=frames), HALF).gpu_ms < 31e3


def test_an_exhausted_budget_fits_nothing(asked):
    assert largest_fitting(asked(), 100, HALF) is None
    with pytest.raises(NothingFits) as caught:
        check_budget(asked(), 100, HALF)
    assert "not even the smallest" in explain(caught.value)


def test_the_service_grants_half_again_what_is_declared_for_the_half_card(asked):
    answer = estimate(asked(width=768, height=512), HALF)
    asked_for = lease(answer, HALF)

    assert asked_for.declared_s * 1.5 >= answer.p95_ms / 1000
    assert asked_for.counted_s == asked_for.declared_s * 1.5
    assert asked_for.limit_s == 1600


def test_a_whole_card_counts_twice(asked):
    asked_for = lease(estimate(asked(), FULL), FULL, Tier.FREE)

    assert asked_for.counted_s == asked_for.declared_s * 2
    assert asked_for.limit_s == 150


@pytest.mark.parametrize("tier", Tier)
def test_no_declaration_goes_beyond_the_day(asked, tier):
    huge = estimate(asked(width=1920, height=1088, frames=481), HALF)
    asked_for = lease(huge, HALF, tier)

    assert asked_for.counted_s <= DAY_S[tier]
    assert asked_for.fits == (huge.p95_ms / 1000 + ready_seconds(HALF) < DAY_S[tier])


@pytest.mark.parametrize("tier", [Tier.ANONYMOUS, Tier.FREE])
def test_what_fits_the_day_can_be_declared(asked, tier):
    request = asked(width=1920, height=1088, frames=481, preset=Preset.QUALITY)

    found = largest_fitting(request, budget_ms(HALF, tier), HALF, cost=p95_ms)

    assert found is not None
    assert found != request
    assert lease(estimate(found, HALF), HALF, tier).fits


@pytest.mark.parametrize("machine", [HALF, FULL])
@pytest.mark.parametrize("tier", Tier)
def test_what_is_refused_for_a_tier_is_what_its_day_cannot_be_asked_for(asked, machine, tier):
    ready_s = ready_seconds(machine, WorkerState(warm=True))
    budget = median_budget_ms(machine, tier, ready_s)
    sizes = [(512, 320), (768, 512), (1280, 704), (1920, 1088)]

    found = {
        (answer.gpu_ms <= budget, lease(answer, machine, tier, ready_s).fits)
        for width, height in sizes
        for frames in range(49, 482, 48)
        for answer in [estimate(asked(width=width, height=height, frames=frames), machine)]
    }

    assert found <= {(True, True), (False, False)}
    assert (True, True) in found


@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize("preset", Preset)
def test_a_cold_worker_is_lent_for_long_enough_and_a_warm_one_for_less(asked, mode, preset):
    answer = estimate(asked(mode, preset=preset), HALF)
    disk_s = 38.6e9 / HALF.hardware.disk_bandwidth  # all fp8 files that a run may need
    needed_s = answer.gpu_ms / 1000 + 16 + disk_s  # the slowest start that was measured

    cold, warm = (lease(answer, HALF, ready_s=ready_seconds(HALF, WorkerState(warm=known)))
                  for known in (False, True))  # fmt: skip

    assert cold.declared_s * 1.5 >= needed_s
    assert warm.declared_s < cold.declared_s
    assert warm.declared_s * 1.5 >= answer.p95_ms / 1000


def test_what_was_done_before_the_fork_and_lies_in_memory_is_not_waited_for():
    known = [
        WorkerState(),
        WorkerState(imported=True),
        WorkerState(imported=True, cached=0.5),
        WorkerState(imported=True, cached=1.0),
        WorkerState(warm=True),
    ]
    seconds = [ready_seconds(HALF, state) for state in known]

    assert seconds == sorted(seconds, reverse=True)
    assert ready_seconds(HALF, WorkerState(disk=0.5e9)) > seconds[0]
    assert ready_seconds(HALF, WorkerState(disk=1e12)) > ready_seconds(HALF, WorkerState(warm=True))


def test_the_terms_say_what_is_granted_and_how_much_of_it_at_once(asked):
    answer = estimate(asked(width=1920, height=1088, frames=241), HALF)

    plain = lease(answer, HALF, LoanTerms(loan=GpuSize(factor=1.0)))
    short = lease(answer, HALF, LoanTerms(call_s=240))
    spent = lease(answer, HALF, LoanTerms(Tier.FREE, left_s=90))

    assert plain.declared_s > lease(answer, HALF).declared_s
    assert (short.limit_s, spent.limit_s) == (160, 60)
    assert not short.fits


@pytest.mark.parametrize("share", [0.7, 0.4, 0.1, 0.03])
def test_pictures_of_a_shorter_clip_are_reached_at_the_same_shares_of_it(share: float) -> None:
    files = pictures(3)
    typed = Options.of({"seed": 1, "seconds": 10.0, "times": "0, 2.5, 10", "preset": "quality"})
    request = compose(Mode.KEYFRAME, typed, files, RequestLimits()).request

    found = largest_fitting(request, estimate(request).gpu_ms * share)

    assert found is not None
    assert found.sampling.frames < request.sampling.frames
    check_times(found)
    first, second, last = picture_frames(found).values()
    assert (first, last) == (0, found.sampling.frames - 1)
    assert second == pytest.approx(found.sampling.frames / 4, abs=1)
    again = compose(Mode.KEYFRAME, options_of(found, RequestLimits()), files, RequestLimits())
    assert picture_frames(again.request) == picture_frames(found)
