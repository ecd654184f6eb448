from dataclasses import replace
from math import log
from statistics import NormalDist

import pytest

from core.domain.modes import Mode
from core.domain.progress import Stage
from core.duration import (
    BY_KEY,
    DRAFT,
    HARDWARE,
    UNKNOWN,
    Machine,
    Part,
    Residency,
    estimate,
    hardware_for,
)
from core.duration.decode_tiles import tile_for
from core.duration.workload import SamplingPlan
from core.errors import NotAChoice

H200 = Machine(BY_KEY["h200"], "bf16")


def test_nineteen_of_twenty_runs_stay_below_the_p95():
    machine = replace(H200, spread=0.3)
    share = NormalDist(0, 0.3).cdf(log(machine.p95(10.0) / 10.0))

    assert share == pytest.approx(0.95, abs=0.001)


def test_a_clip_is_decoded_whole_where_four_times_what_it_needs_is_free():
    plan = SamplingPlan(1280, 704, 121, 24, ())
    measured = 1.5 * 1024**3  # what it adds to the peak

    assert tile_for(plan, 4 * measured) is None
    tile = tile_for(plan, 3 * measured)
    assert tile is not None
    assert 8 <= tile.side < 1280 // 32


@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize("machine", [H200, Machine(), DRAFT], ids=["h200", "unknown", "draft"])
def test_every_mode_has_an_estimate_everywhere(asked, mode, machine):
    answer = estimate(asked(mode), machine)

    assert 0 < answer.gpu_ms < answer.p95_ms
    assert answer.gpu_ms <= answer.total_ms
    assert sum(answer.shares().values()) == pytest.approx(1)
    assert answer == estimate(asked(mode), machine)


def test_the_second_stage_is_most_of_the_bar(asked):
    shares = estimate(asked(), H200).shares()

    assert shares[Stage.STAGE2] == max(shares.values())


def test_a_slower_device_is_estimated_slower(asked):
    order = ["h200", "rtx-pro-6000", "rtx-pro-6000-half", "4090", "3090", "unknown"]
    found = [estimate(asked(), Machine(BY_KEY[key])).gpu_ms for key in order]

    assert found == sorted(found)


def test_an_unknown_device_is_assumed_slow_and_says_so(asked):
    machine = Machine(hardware_for("Contoso Graphics 3000"))
    answer = estimate(asked(), machine)

    assert not answer.known
    assert machine.hardware is UNKNOWN
    gpus = [item for item in HARDWARE if item.known and item.key not in {"draft", "m-series"}]
    assert answer.gpu_ms > max(estimate(asked(), Machine(item)).gpu_ms for item in gpus)


@pytest.mark.parametrize(
    ("name", "memory", "key"),
    [
        ("NVIDIA H200", None, "h200"),
        ("NVIDIA H100 80GB HBM3", None, "h100"),
        ("NVIDIA A100-SXM4-80GB", None, "a100"),
        ("NVIDIA GeForce RTX 4090", None, "4090"),
        ("NVIDIA GeForce RTX 4070 Ti SUPER", None, "4070-ti-super"),
        ("NVIDIA GeForce RTX 5070 Ti", None, "5070-ti"),
        ("NVIDIA GeForce RTX 4060 Ti", None, "4060-ti"),
        ("NVIDIA GeForce RTX 3060", None, "3060"),
        ("NVIDIA RTX PRO 6000 Blackwell Server Edition", 102e9, "rtx-pro-6000"),
        ("NVIDIA RTX PRO 6000 Blackwell Server Edition", 50e9, "rtx-pro-6000-half"),
        ("mps", None, "m-series"),
        ("Apple M3 Max", None, "m-series"),
        ("cpu", None, "unknown"),
    ],
)
def test_devices_are_found_by_the_name_that_they_report(name, memory, key):
    assert hardware_for(name, memory).key == key


def test_loading_is_estimated_but_not_charged(asked):
    warm = estimate(asked(), H200)
    cold = estimate(asked(), H200, Residency.DISK)

    assert cold.gpu_ms == warm.gpu_ms
    assert cold.seconds(Part.LOAD) > estimate(asked(), H200, Residency.RAM).seconds(Part.LOAD) > 5
    assert warm.seconds(Part.LOAD) == 0


def test_weights_that_do_not_fit_are_streamed_in_every_forward(asked):
    roomy = Machine(replace(BY_KEY["4090"], memory=96e9), "bf16")
    tight = Machine(BY_KEY["4090"], "bf16")

    slower = estimate(asked(), tight).seconds(Part.STAGE1)
    assert slower > estimate(asked(), roomy).seconds(Part.STAGE1) + 8


@pytest.mark.parametrize(
    ("key", "profile", "vram", "keeps"),
    [
        ("h200", "bf16", "auto", True),
        ("h100", "fp8", "auto", True),
        ("h100", "bf16", "auto", False),
        ("rtx-pro-6000", "bf16", "auto", True),
        ("4090", "fp8", "auto", False),
        ("4090", "fp8", "high", True),
        ("h200", "bf16", "normal", False),
        ("h200", "bf16", "low", False),
        ("draft", "draft", "auto", False),
    ],
)
def test_models_stay_on_the_device_where_all_have_room_or_it_is_asked_for(
    key, profile, vram, keeps
):
    assert Machine(BY_KEY[key], profile, vram).keeps is keeps


def test_an_upscaler_that_stays_costs_hundredths_of_a_second_one_that_travels_what_was_measured(
    asked, h200
):
    request = asked(width=1280, height=704)
    stays, travels = (
        estimate(request, Machine(BY_KEY["h200"], "bf16", vram)) for vram in ("high", "auto")
    )
    measured = [
        dict(zip(h200["columns"], row, strict=True))["upscale"]
        for row in h200["rows"]
        if row[:4] == ["t2v", 2, 1280, 704]
    ]

    assert 0.005 < stays.seconds(Part.UPSCALE) < 0.04
    assert travels.seconds(Part.UPSCALE) == pytest.approx(sum(measured) / len(measured), rel=0.1)
    assert travels.seconds(Part.STAGE2) == stays.seconds(Part.STAGE2)


def test_an_unknown_set_of_files_is_refused():
    with pytest.raises(NotAChoice, match="fp16"):
        Machine(BY_KEY["h200"], "fp16")
