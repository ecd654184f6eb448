from dataclasses import replace

import pytest

from core.domain.modes import Mode
from core.domain.presets import Preset, Sync
from core.domain.progress import Stage
from core.duration.sampling_plan import plan_of
from core.duration.workload import (
    Part,
    SamplingPlan,
    SamplingStage,
    Tiling,
    Tokens,
    attention_flops,
    forward_flops,
    part_costs,
    voxels,
)

# one forward over these video tokens with 126 of audio, counted operation by operation on modules
# of the model's sizes without weights
COUNTED = [(1536, 47.98e12), (6144, 198.91e12), (16320, 650.53e12)]
# picture size, frames (25 fps), FLOP of one forward and the share of self-attention in it
FORWARDS = [
    (384, 256, 121, 47.9e12, 0.04),
    (768, 512, 121, 198.9e12, 0.15),
    (640, 352, 121, 108.8e12, 0.09),
    (1280, 704, 121, 537.0e12, 0.29),
    (640, 352, 241, 225.4e12, 0.16),
    (1280, 704, 241, 1322.5e12, 0.44),
    (960, 544, 121, 275.4e12, 0.19),
    (1920, 1088, 121, 1714.7e12, 0.49),
]


@pytest.mark.parametrize(("video", "flops"), COUNTED)
def test_a_forward_costs_what_a_counter_counts(video, flops):
    assert forward_flops(Tokens(video, 126)) == pytest.approx(flops, rel=0.001)


@pytest.mark.parametrize(("width", "height", "frames", "flops", "share"), FORWARDS)
def test_a_forward_follows_the_clip(width, height, frames, flops, share):
    tokens = Tokens(voxels(width, height, frames), round(frames / 25 * 25))
    found = forward_flops(tokens)

    assert found == pytest.approx(flops, rel=0.01)
    assert attention_flops(tokens) / found == pytest.approx(share, abs=0.006)


def test_decoding_costs_what_a_counter_counts(asked):
    decode = {w.part: w for w in part_costs(plan_of(asked(width=768, height=512)))}[Part.DECODE]

    assert decode.flops == pytest.approx(117.5e12, rel=0.02)


def cost(request) -> dict[Part, float]:
    return {work.part: work.effort for work in part_costs(plan_of(request))}


def test_every_part_grows_with_the_clip(asked):
    small, long, large = cost(asked()), cost(asked(frames=241)), cost(asked(width=1920))

    for part in (Part.STAGE1, Part.UPSCALE, Part.STAGE2, Part.DECODE):
        assert small[part] < min(long[part], large[part])


def test_guides_cost_tokens(asked):
    plain, keyframe, style = (cost(asked(mode)) for mode in (Mode.T2V, Mode.KEYFRAME, Mode.STYLE))

    assert 1.1 < keyframe[Part.STAGE1] / plain[Part.STAGE1] < 1.3
    assert 1.1 < keyframe[Part.STAGE2] / plain[Part.STAGE2] < 1.3
    assert 1.25 < style[Part.STAGE1] / plain[Part.STAGE1] < 1.5
    assert style[Part.PREPARE] > 2 * keyframe[Part.PREPARE]


def test_style_samples_whole_canvases(asked):
    style = plan_of(asked(Mode.STYLE, width=832, height=448))

    assert (style.width, style.height) == (896, 512)


def test_a_masked_guide_loses_the_fast_kernel():
    open_eyes = SamplingStage(Part.STAGE1, 8, guide_clip=1.0)
    plan = SamplingPlan(1280, 704, 121, 25, (open_eyes,))
    masked = replace(plan, samplings=(replace(open_eyes, masked=True),))
    slow, fast = ({w.part: w for w in part_costs(item)}[Part.STAGE1] for item in (masked, plan))

    assert slow.flops == fast.flops
    assert slow.effort > 1.3 * fast.effort


def test_guidance_runs_more_steps_with_a_pass_for_each_term_where_the_files_allow_it(asked):
    request = asked(preset=Preset.QUALITY)
    plain, guided = (
        {work.part: work for work in part_costs(plan_of(request, profile))}
        for profile in ("fp8", "bf16")
    )

    assert guided[Part.STAGE1].flops == pytest.approx(plain[Part.STAGE1].flops * 30 * 4 / 8)
    assert guided[Part.TEXT].flops == 2 * plain[Part.TEXT].flops
    assert guided[Part.STAGE2].flops == plain[Part.STAGE2].flops


@pytest.mark.parametrize(
    ("profile", "sync", "passes"),
    [("fp8", "auto", 8), ("fp8", "strong", 16), ("bf16", "auto", 120), ("bf16", "off", 90)],
)
def test_lips_drawn_to_the_voice_cost_a_pass_a_step(asked, profile, sync, passes):
    request = asked(Mode.LIPSYNC, preset=Preset.QUALITY)
    request = replace(request, sampling=replace(request.sampling, sync=Sync(sync)))

    first = next(w for w in part_costs(plan_of(request, profile)) if w.part is Part.STAGE1)

    assert first.passes == passes


def test_a_given_sound_is_kept_and_not_decoded(asked):
    assert Part.AUDIO_DECODE not in cost(asked(Mode.LIPSYNC))
    assert Part.AUDIO_DECODE in cost(asked(Mode.I2V))


@pytest.mark.parametrize(
    ("side", "width", "height", "factor"),
    [
        (16, 384, 256, 1.0),  # one tile
        (16, 768, 512, 26 / 24),
        (16, 1280, 704, 44 / 40 * 24 / 22),
        (24, 1280, 704, 42 / 40),
    ],
)
def test_tiles_do_the_overlaps_twice(side, width, height, factor):
    assert Tiling(side, 2).factor(width, height) == pytest.approx(factor)


def test_every_part_belongs_to_a_stage_of_the_bar():
    assert {part.stage for part in Part} == set(Stage) - {Stage.DOWNLOAD, Stage.START}
