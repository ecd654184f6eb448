"""A draft and its quality pass: the same picture, whether stage 1 is read again or made again."""

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from core.domain.followups import quality
from core.domain.limits import RequestLimits
from core.domain.modes import Mode
from core.domain.presets import Preset
from core.domain.progress import Stage
from core.domain.requests import Request
from core.runtime.cancellation import CancelToken

if TYPE_CHECKING:
    from pathlib import Path

    from tests.comfy.conftest import Lab

pytestmark = [
    pytest.mark.comfy_real,
    # torch and ComfyUI warn of themselves; ours would still show in every other suite
    pytest.mark.filterwarnings("ignore"),
]


def draft_of(lab: "Lab", mode: Mode, seed: int) -> Request:
    asked = lab.request(mode, "a ferry in the fog", seed=seed)
    sampling = replace(asked.sampling, preset=Preset.DRAFT, width=64, height=64)
    return replace(asked, sampling=sampling)


def kept(lab: "Lab") -> "list[Path]":
    return sorted(lab.place.latents.glob("*"))


def forget(lab: "Lab") -> None:
    for path in kept(lab):
        path.unlink()


@pytest.mark.parametrize("mode", Mode)
async def test_a_quality_pass_continues_the_draft_and_makes_the_same_frames(
    lab: "Lab", mode: Mode
) -> None:
    forget(lab)
    draft = draft_of(lab, mode, 500)
    finished = quality(draft, RequestLimits(min_side=64))

    first = await lab.run(draft)
    drafted = lab.report
    file = kept(lab)[0]
    continued = await lab.run(finished)
    short = lab.report
    forget(lab)
    anew = await lab.run(finished)
    whole = lab.report

    assert first.frames.shape == (17, 64, 64, 3)
    assert not {Stage.UPSCALE, Stage.STAGE2} & drafted.seconds.keys()
    assert continued.frames.shape == (17, 128, 128, 3)
    assert (short.continued, whole.continued) == (True, False)
    assert np.array_equal(continued.frames, anew.frames), "same seed, same composition"
    if continued.sound is not None and anew.sound is not None:
        assert np.array_equal(continued.sound.samples, anew.sound.samples)
    lab.rows.append((f"{mode} draft", f"{drafted.gpu_ms} ms", f"continued {short.gpu_ms} ms",
                     f"anew {whole.gpu_ms} ms", file.suffix))  # fmt: skip


async def test_what_was_asked_differently_is_not_continued(lab: "Lab") -> None:
    forget(lab)
    draft = draft_of(lab, Mode.T2V, 510)
    await lab.run(draft)
    finished = quality(draft, RequestLimits(min_side=64))
    other = replace(finished, sampling=replace(finished.sampling, seed=511))

    await lab.run(other)

    assert not lab.report.continued
    assert len(kept(lab)) == 1


async def test_what_another_graph_made_is_not_continued(
    lab: "Lab", monkeypatch: pytest.MonkeyPatch
) -> None:
    forget(lab)
    draft = draft_of(lab, Mode.T2V, 520)
    await lab.run(draft)
    family = replace(lab.executor.plan.family, distilled_strength=0.25)
    monkeypatch.setattr(lab.executor, "plan", replace(lab.executor.plan, family=family))

    await lab.run(quality(draft, RequestLimits(min_side=64)))

    assert not lab.report.continued


async def test_drafts_of_one_prompt_encode_it_once(lab: "Lab") -> None:
    seen: list[frozenset[str]] = []
    for seed in range(41, 45):
        await lab.run(draft_of(lab, Mode.T2V, seed))
        seen.append(lab.report.cached)

    assert all({"prompt", "negative", "conditioning"} <= cached for cached in seen[1:])


async def test_a_damaged_file_is_as_good_as_none(lab: "Lab") -> None:
    forget(lab)
    draft = draft_of(lab, Mode.T2V, 530)
    await lab.run(draft)
    kept(lab)[0].write_bytes(b"not safetensors")

    clip = await lab.run(quality(draft, RequestLimits(min_side=64)))

    assert not lab.report.continued
    assert clip.frames.std() > 1


async def test_a_source_video_prepared_ahead_is_used_and_taken_away(lab: "Lab") -> None:
    order = lab.order(lab.request(Mode.STYLE, seed=540))

    await lab.executor.prepare(order, CancelToken())

    prepared = list(lab.place.inputs.glob("*.mp4"))
    assert len(prepared) == 1
    made = prepared[0].stat().st_mtime_ns
    await lab.executor.prepare(order, CancelToken())
    assert prepared[0].stat().st_mtime_ns == made
    await lab.executor.execute(order, lambda _: None, CancelToken())
    assert not list(lab.place.inputs.glob("*.*"))


def test_modes_with_the_same_models_share_a_model_set(lab: "Lab") -> None:
    sets = {mode: lab.executor.model_set(lab.request(mode)) for mode in Mode}

    assert len({sets[mode] for mode in Mode if mode is not Mode.STYLE}) == 1
    assert sets[Mode.STYLE] != sets[Mode.T2V]
