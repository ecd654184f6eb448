"""The decoder's tiles follow the memory of the device, and shrink when it runs out."""

from dataclasses import replace

import pytest

from core.comfy.job_run import ExecutionPlan
from core.comfy.tiles import WHOLE, first_tile, smaller_tile
from core.domain.dimensions import Size
from core.domain.requests import Request
from core.duration import UNKNOWN, Machine, estimate
from core.duration.sampling_plan import plan_of
from core.duration.workload import Part
from core.models.catalog import Profile
from core.testing.doubles import t2v

SIZES = [Size(768, 512), Size(1280, 704), Size(1920, 1088)]


def asked(size: Size, frames: int = 121) -> Request:
    request = t2v()
    sampling = replace(request.sampling, width=size.width, height=size.height, frames=frames)
    return replace(request, sampling=sampling)


def machine(gigabytes: float, profile: str = "fp8", vram: str = "auto") -> Machine:
    return Machine(replace(UNKNOWN, memory=gigabytes * 1e9), profile, vram)


@pytest.mark.parametrize(
    ("gigabytes", "tiles"),
    [
        (12, [576, 576, 576]),
        (16, [WHOLE, 640, 640]),
        (24, [WHOLE, 768, 768]),
        (32, [WHOLE, WHOLE, 896]),
        (48, [WHOLE, WHOLE, 1152]),
        (96, [WHOLE, WHOLE, WHOLE]),
    ],
)
def test_whole_frames_where_they_fit_else_the_largest_tiles(
    gigabytes: float, tiles: list[int]
) -> None:
    found = [first_tile(asked(size), machine(gigabytes), careful=False) for size in SIZES]

    assert found == tiles


def test_more_memory_never_means_smaller_tiles_nor_a_longer_clip_larger_ones() -> None:
    def side(gigabytes: float, frames: int) -> int:
        tile = first_tile(asked(SIZES[2], frames), machine(gigabytes), careful=False)
        return tile or 10_000

    for frames in (25, 121, 241):
        sides = [side(memory, frames) for memory in range(8, 100, 2)]
        assert sides == sorted(sides)
    for memory in (12, 24, 48):
        sides = [side(memory, frames) for frames in (241, 121, 25)]
        assert sides == sorted(sides)


def test_the_estimate_counts_the_tiles_that_the_graph_gets() -> None:
    request, small = asked(SIZES[2]), machine(24)
    cut = small.tiling(plan_of(request, "fp8"))

    assert cut is not None
    assert cut.px == first_tile(request, small, careful=False)

    uncut = Machine(replace(UNKNOWN, memory=200e9), "fp8")
    seconds = [estimate(request, of).seconds(Part.DECODE) for of in (uncut, small)]
    assert seconds[1] > seconds[0]


@pytest.mark.parametrize(("gigabytes", "tile"), [(12, 576), (24, 768), (96, 768)])
@pytest.mark.parametrize(("profile", "vram"), [("fp8", "low"), ("low", "auto"), ("low", "normal")])
def test_where_memory_is_to_be_saved_no_tile_is_large_and_the_estimate_knows(
    gigabytes: float, tile: int, profile: str, vram: str
) -> None:
    request, careful = asked(SIZES[2]), machine(gigabytes, profile, vram)
    plan = careful.with_tiling(plan_of(request, profile))

    assert first_tile(request, careful, careful=True) == tile
    assert plan.tiling is not None
    assert plan.tiling.px == tile


def test_saving_memory_costs_time_where_frames_would_have_fitted() -> None:
    request = asked(SIZES[2])
    careless, careful = (
        estimate(request, machine(96, vram=vram)).seconds(Part.DECODE) for vram in ("auto", "low")
    )

    assert careful > careless


def test_without_a_known_device_frames_are_decoded_whole_unless_told_otherwise() -> None:
    request = asked(SIZES[2])

    assert ExecutionPlan(Profile.FP8).first_tile(request) == WHOLE
    assert ExecutionPlan(Profile.FP8, careful=True).first_tile(request) == 768


@pytest.mark.parametrize(
    ("size", "tile", "smaller"),
    [
        (SIZES[0], WHOLE, 384),
        (SIZES[1], WHOLE, 640),
        (SIZES[2], WHOLE, 768),
        (SIZES[2], 768, 384),
        (SIZES[0], 1024, 384),
        (SIZES[2], 256, 256),
    ],
)
def test_after_memory_ran_out_the_next_try_needs_less(size: Size, tile: int, smaller: int) -> None:
    assert smaller_tile(asked(size), tile) == smaller
