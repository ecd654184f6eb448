"""Each term of guidance against its formula, on ComfyUI's own model with tiny random weights.

The sampler takes one step from noise; what the guider predicts there is compared with the terms
added up from passes through the same model, each asked for by itself.
"""

import importlib
import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from core.comfy.own_nodes.guidance import STG_OPTION
from core.domain.modes import Mode
from core.domain.presets import Preset, Sync
from core.workflow.library import load

if TYPE_CHECKING:
    from tests.comfy.conftest import Lab

pytestmark = [
    pytest.mark.comfy_real,
    pytest.mark.filterwarnings("ignore"),  # torch and ComfyUI warn of themselves
]
BLOCK = 1
VIDEO, AUDIO = (1, 128, 3, 2, 2), (1, 8, 17, 16)
SIGMA = 0.9


@dataclass(frozen=True)
class Terms:
    """The factors of every term; these switch all of them off."""

    video_cfg: float = 1.0
    audio_cfg: float = 1.0
    modality: float = 1.0
    perturbation: float = 0.0
    rescale: float = 0.0


@dataclass
class Rig:
    """A model, two texts, noise, and passes through the model by name."""

    lab: "Lab"
    model: Any
    positive: Any
    negative: Any

    def __post_init__(self) -> None:
        self.torch = importlib.import_module("torch")
        self.classes = self.lab.executor.engine.node_classes()  # pyright: ignore[reportOptionalMemberAccess]
        self.passes: list[dict[str, Any]] = []

    def node(self, name: str, function: str, **inputs: Any) -> Any:
        made = getattr(self.classes[name](), function)(**inputs)
        return made[0]

    def guider(self, terms: Terms) -> Any:
        span = {"start_percent": 0.0, "end_percent": 1.0}
        model = self.node("LTXVSpatioTemporalGuidance", "patch", model=self.model,
                          scale=terms.perturbation, blocks=str(BLOCK), **span)  # fmt: skip
        model = self.node("LTXVModalityGuidance", "patch", model=model,
                          modality_scale=terms.modality, **span)  # fmt: skip
        model = self.node("ClapperGuidanceRescale", "patch", model=model, rescale=terms.rescale)
        return self.node("LTXVDualCFGGuider", "guide", model=model, positive=self.positive,
                         negative=self.negative, video_cfg=terms.video_cfg,
                         audio_cfg=terms.audio_cfg)  # fmt: skip

    def predict(self, guider: Any) -> tuple[Any, Any]:
        """What ``guider`` predicts from the same noise: picture and sound, denoised."""
        nested = importlib.import_module("comfy.nested_tensor").NestedTensor
        samplers = importlib.import_module("comfy.samplers")
        torch = self.torch
        draw = torch.Generator().manual_seed(3)
        noise = nested([torch.randn(shape, generator=draw) for shape in (VIDEO, AUDIO)])
        empty = nested([torch.zeros(shape) for shape in (VIDEO, AUDIO)])
        kept: list[Any] = []

        def one_step(model: Any, x: Any, sigmas: Any, extra_args: Any, **_: Any) -> Any:
            kept.append(model(x, sigmas[0].expand(x.shape[0]), **extra_args))
            return kept[0]

        sampler = samplers.KSAMPLER(one_step)
        with torch.inference_mode():
            guider.sample(noise, empty, sampler, torch.tensor([SIGMA, 0.0]), seed=1)
        video = math.prod(VIDEO[1:])
        return kept[0][..., :video].clone(), kept[0][..., video:].clone()


@pytest.fixture
def rig(lab: "Lab", monkeypatch: pytest.MonkeyPatch) -> Rig:
    names = lab.family.names(lab.executor.plan.profile)
    engine = lab.executor.engine
    assert engine is not None
    classes = engine.node_classes()
    model, _, _ = classes["CheckpointLoaderSimple"]().load_checkpoint(names.checkpoint)
    clip = classes["LTXAVTextEncoderLoader"].execute(
        text_encoder=names.text_encoder, ckpt_name=names.checkpoint, device="default"
    )[0]
    encode = classes["CLIPTextEncode"]()
    texts = [encode.encode(clip, text)[0] for text in ("a boat leaves", "rain")]
    conds = classes["LTXVConditioning"].execute(*texts, frame_rate=24.0)
    made = Rig(lab, model, conds[0], conds[1])
    network = importlib.import_module("comfy.ldm.lightricks.av_model").LTXAVModel
    run = network._process_transformer_blocks

    def counted(self: Any, x: Any, *given: Any, **named: Any) -> Any:
        options = named.get("transformer_options", {})
        made.passes += [options] * x[0].shape[0]
        return run(self, x, *given, **named)

    monkeypatch.setattr(network, "_process_transformer_blocks", counted)
    return made


def plain_pass(rig: Rig, positive: Any, **options: Any) -> tuple[Any, Any]:
    """One branch through ComfyUI's own guider, with ``options`` for the blocks."""
    model = rig.model.clone()
    model.model_options.setdefault("transformer_options", {}).update(options)
    guider = importlib.import_module("comfy.samplers").CFGGuider(model)
    guider.set_conds(positive, rig.negative)
    guider.set_cfg(1.0)
    return rig.predict(guider)


def perturbed_pass(rig: Rig) -> tuple[Any, Any]:
    """A pass with one block rewritten by hand: its self-attention is the projected value."""
    torch = rig.torch
    block = rig.model.model.diffusion_model.transformer_blocks[BLOCK]

    def value_alone(layer: Any) -> Callable[..., Any]:
        def forward(x: Any, **_: Any) -> Any:
            values = layer.to_v(x)
            heads = values.view(*values.shape[:2], layer.heads, layer.dim_head)
            gates = 2.0 * torch.sigmoid(layer.to_gate_logits(x))
            return layer.to_out((heads * gates.unsqueeze(-1)).flatten(2))

        return forward

    layers = (block.attn1, block.audio_attn1)
    for layer in layers:
        layer.forward = value_alone(layer)
    try:
        return plain_pass(rig, rig.positive)
    finally:
        for layer in layers:
            del layer.forward


def formula(rig: Rig, terms: Terms) -> tuple[Any, Any]:
    cond = plain_pass(rig, rig.positive)
    uncond = plain_pass(rig, rig.negative)
    severed = plain_pass(rig, rig.positive, a2v_cross_attn=False, v2a_cross_attn=False)
    perturbed = perturbed_pass(rig)
    made: list[Any] = []
    for part, cfg in enumerate((terms.video_cfg, terms.audio_cfg)):
        pred = cond[part] + (cfg - 1) * (cond[part] - uncond[part])
        pred = pred + terms.perturbation * (cond[part] - perturbed[part])
        pred = pred + (terms.modality - 1) * (cond[part] - severed[part])
        factor = terms.rescale * cond[part].std() / pred.std() + (1 - terms.rescale)
        made.append(pred * factor)
    return made[0], made[1]


CASES = {
    "none": Terms(),
    "picture": Terms(video_cfg=3.0),
    "sound": Terms(audio_cfg=7.0),
    "both alike": Terms(video_cfg=3.0, audio_cfg=3.0),
    "modality": Terms(modality=3.0),
    "perturbation": Terms(perturbation=1.0),
    "rescale of the picture's": Terms(video_cfg=3.0, rescale=0.7),
    "all": Terms(3.0, 7.0, 3.0, 1.0, 0.7),
}
PASSES = {"none": 1, "picture": 2, "sound": 2, "both alike": 2, "modality": 2, "perturbation": 2,
          "rescale of the picture's": 2, "all": 4}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_each_term_is_what_the_formula_says(rig: Rig, name: str) -> None:
    terms = CASES[name]
    expected = formula(rig, terms)
    rig.passes.clear()

    made = rig.predict(rig.guider(terms))

    for part, wanted in zip(made, expected, strict=True):
        most = 2e-4 if part.device.type == "cpu" else 2e-2  # there the network has 16 bits
        one, other = (values.float().cpu().numpy() for values in (part, wanted))
        np.testing.assert_allclose(one, other, rtol=most, atol=most)
    assert len(rig.passes) == PASSES[name]


@pytest.mark.parametrize("name", [name for name in CASES if name != "none"])
def test_each_term_changes_what_it_must_and_nothing_else(rig: Rig, name: str) -> None:
    plain = plain_pass(rig, rig.positive)

    video, audio = rig.predict(rig.guider(CASES[name]))

    for part, before, untouched in (
        (video, plain[0], {"sound"}),
        (audio, plain[1], {"picture", "rescale of the picture's"}),
    ):
        same = rig.torch.allclose(part, before, atol=1e-4)
        assert same is (name in untouched)


def test_a_perturbed_pass_leaves_the_model_as_it_was(rig: Rig) -> None:
    before = plain_pass(rig, rig.positive)

    rig.predict(rig.guider(CASES["all"]))

    after = plain_pass(rig, rig.positive)
    assert all(bool((a == b).all()) for a, b in zip(before, after, strict=True))


def test_a_block_that_the_model_does_not_have_is_refused(rig: Rig) -> None:
    with pytest.raises(ValueError, match="0 to 1"):
        rig.node("LTXVSpatioTemporalGuidance", "patch", model=rig.model, scale=1.0,
                   blocks="28", start_percent=0.0, end_percent=1.0)  # fmt: skip


def test_a_pass_tells_which_blocks_are_perturbed(rig: Rig) -> None:
    rig.predict(rig.guider(CASES["perturbation"]))

    told = [options.get(STG_OPTION) for options in rig.passes]
    assert told == [None, frozenset({BLOCK})]


@pytest.mark.parametrize("mode", Mode)
async def test_every_mode_runs_the_guided_schedule(lab: "Lab", mode: Mode) -> None:
    request = lab.request(mode, seed=70)
    sampling = replace(request.sampling, preset=Preset.QUALITY)
    before = lab.executor.plan
    specs = {key: replace(spec, guided=True) for key, spec in lab.family.profiles.items()}
    guidance = replace(lab.family.guidance, steps=2)
    lab.executor.plan = replace(
        before, family=replace(lab.family, profiles=specs, guidance=guidance)
    )
    try:
        clip = await lab.run(replace(request, sampling=sampling))
    finally:
        lab.executor.plan = before

    forwards = sum(lab.report.forwards.values())
    assert clip.frames.shape == (17, 128, 128, 3)
    # cond and uncond may share a forward where memory allows it
    assert 2 * 3 + 3 <= forwards <= 2 * 4 + 3
    assert load(mode, None).bindings.brought


async def test_lips_are_drawn_to_the_voice_without_the_guided_schedule(lab: "Lab") -> None:
    request = lab.request(Mode.LIPSYNC, seed=71)
    quality = replace(request.sampling, preset=Preset.QUALITY)

    clips = [await lab.run(replace(request, sampling=replace(quality, sync=sync))) for sync in Sync]

    auto, strong, off = (clip.frames for clip in clips)
    assert np.array_equal(auto, off)
    assert not np.array_equal(auto, strong)
    assert all(np.array_equal(clips[0].sound.samples, clip.sound.samples) for clip in clips)  # pyright: ignore[reportOptionalMemberAccess]
