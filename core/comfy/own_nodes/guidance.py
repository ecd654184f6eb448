"""Guidance as the model's makers run it: nodes that ComfyUI 0.27 does not have yet.

Three bear the names and inputs that newer ComfyUI gives them: that one brings its own, and the
graphs stay. Each term is added to what classifier-free guidance gives, in denoised values::

    pred = uncond + cfg × (cond − uncond) + stg × (cond − perturbed)
         + (modality − 1) × (cond − severed)

with a ``cfg`` for the picture and one for the sound. Then ``pred`` is multiplied by
``rescale × std(cond) ÷ std(pred) + 1 − rescale``, picture and sound apart.
"""

import math
import re
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from types import ModuleType
from typing import Any, ClassVar

STG_OPTION = "stg_self_attn_blocks"  # of transformer_options, as newer ComfyUI calls it
RESCALE_CLASS = "ClapperGuidanceRescale"
_SEVERED = {"a2v_cross_attn": False, "v2a_cross_attn": False}
_PERCENT = {"min": 0.0, "max": 1.0, "step": 0.001}
_RANGE = {  # of the schedule, in which a term acts
    "start_percent": ("FLOAT", {"default": 0.0, **_PERCENT}),
    "end_percent": ("FLOAT", {"default": 1.0, **_PERCENT}),
}

Arguments = dict[str, Any]  # of ComfyUI's callbacks


def register(classes: dict[str, type], samplers: ModuleType) -> None:
    """Put the nodes into ``classes``; those that ComfyUI brings itself stay its own.

    Args:
        classes: ComfyUI's table of node classes.
        samplers: its module ``comfy.samplers``.
    """
    classes.setdefault("LTXVDualCFGGuider", _dual_guider_node(samplers))
    classes.setdefault("LTXVModalityGuidance", _modality_node(samplers))
    classes.setdefault("LTXVSpatioTemporalGuidance", _perturbation_node(samplers))
    classes[RESCALE_CLASS] = _rescale_node()


def video_values(cond: Sequence[Arguments]) -> int | None:
    """Return how many values of a packed latent are the picture's; the others are the sound's.

    Args:
        cond: a branch, as a callback of the sampler gets it.

    Returns:
        None where there is no sound beside the picture.
    """
    found = cond[0].get("model_conds", {}).get("latent_shapes") if cond else None
    if found is None or len(found.cond) < 2:  # picture and sound
        return None
    return math.prod(found.cond[0][1:])


def parts_of(values: Any, video: int | None) -> tuple[Any, ...]:
    """Return views of the picture's and the sound's part of packed ``values``."""
    return (values,) if video is None else (values[..., :video], values[..., video:])


def _dual_guider(samplers: ModuleType) -> Any:
    base: Any = samplers.CFGGuider

    class DualGuider(base):
        """Classifier-free guidance with a scale for the picture and one for the sound."""

        scales: tuple[float, float] = (1.0, 1.0)

        def predict_noise(
            self, x: Any, timestep: Any, model_options: Arguments | None = None, seed: Any = None
        ) -> Any:
            """Predict one step; equal scales are ComfyUI's own guidance."""
            own: Any = super()
            options, video = model_options or {}, video_values(self.conds.get("positive", ()))
            self.cfg = self.scales[0]
            if video is not None and not math.isclose(*self.scales):

                def mixed(given: Arguments) -> Any:
                    uncond, away = given["uncond"], given["cond"] - given["uncond"]
                    made = uncond + away * self.scales[0]
                    made[..., video:] = (uncond + away * self.scales[1])[..., video:]
                    return made

                apart = {"sampler_cfg_function": mixed, "disable_cfg1_optimization": True}
                options = {**options, **apart}
            return own.predict_noise(x, timestep, options, seed)

    return DualGuider


def _dual_guider_node(samplers: ModuleType) -> type:
    guider = _dual_guider(samplers)

    class LTXVDualCFGGuider:
        """Guides picture and sound with a scale each."""

        CATEGORY = "clapper"
        RETURN_TYPES: ClassVar[tuple[str, ...]] = ("GUIDER",)
        FUNCTION = "guide"

        @classmethod
        def INPUT_TYPES(cls) -> dict[str, dict[str, Any]]:  # noqa: N802  # ComfyUI asks for this name
            scale = {"min": 0.0, "max": 100.0, "step": 0.1, "round": 0.01}
            return {
                "required": {
                    "model": ("MODEL",),
                    "positive": ("CONDITIONING",),
                    "negative": ("CONDITIONING",),
                    "video_cfg": ("FLOAT", {"default": 3.0, **scale}),
                    "audio_cfg": ("FLOAT", {"default": 7.0, **scale}),
                }
            }

        def guide(
            self, model: Any, positive: Any, negative: Any, video_cfg: float, audio_cfg: float
        ) -> tuple[Any]:
            """Return the guider."""
            made = guider(model)
            made.set_conds(positive, negative)
            made.scales = (video_cfg, audio_cfg)
            return (made,)

    return LTXVDualCFGGuider


def _modality_node(samplers: ModuleType) -> type:
    class LTXVModalityGuidance:
        """Guides away from a pass in which picture and sound do not see each other."""

        CATEGORY = "clapper"
        RETURN_TYPES: ClassVar[tuple[str, ...]] = ("MODEL",)
        FUNCTION = "patch"

        @classmethod
        def INPUT_TYPES(cls) -> dict[str, dict[str, Any]]:  # noqa: N802  # ComfyUI asks for this name
            scale = {"default": 3.0, "min": 1.0, "max": 100.0, "step": 0.1, "round": 0.01}
            return {"required": {"model": ("MODEL",), "modality_scale": ("FLOAT", scale), **_RANGE}}

        def patch(
            self, model: Any, modality_scale: float, start_percent: float, end_percent: float
        ) -> tuple[Any]:
            """Return the model with the term; a scale of 1 adds no pass."""

            def severed(given: Arguments) -> Any:
                return _predict(samplers, given, _SEVERED)

            weight = 0.0 if math.isclose(modality_scale, 1.0) else modality_scale - 1.0
            return (_with_term(model, weight, (start_percent, end_percent), severed),)

    return LTXVModalityGuidance


def _perturbation_node(samplers: ModuleType) -> type:
    class LTXVSpatioTemporalGuidance:
        """Guides away from a pass without the self-attention of a few blocks."""

        CATEGORY = "clapper"
        RETURN_TYPES: ClassVar[tuple[str, ...]] = ("MODEL",)
        FUNCTION = "patch"

        @classmethod
        def INPUT_TYPES(cls) -> dict[str, dict[str, Any]]:  # noqa: N802  # ComfyUI asks for this name
            scale = ("FLOAT", {"default": 1.0, "min": 0.0, "max": 100.0, "step": 0.01})
            blocks = ("STRING", {"default": "29"})
            return {"required": {"model": ("MODEL",), "scale": scale, "blocks": blocks, **_RANGE}}

        def patch(
            self, model: Any, scale: float, blocks: str, start_percent: float, end_percent: float
        ) -> tuple[Any]:
            """Return the model with the term; a scale of 0 adds no pass.

            Raises:
                ValueError: the model has no such block.
            """
            numbers = frozenset(int(number) for number in re.findall(r"\d+", blocks))
            count = len(model.model.diffusion_model.transformer_blocks)
            if any(number >= count for number in numbers):
                raise ValueError(f"blocks {blocks}: the model has 0 to {count - 1}")

            def perturbed(given: Arguments) -> Any:
                found = given["model"].diffusion_model.transformer_blocks
                with _values_passed_through([found[number] for number in sorted(numbers)]):
                    return _predict(samplers, given, {STG_OPTION: numbers})

            weight = scale if numbers else 0.0
            return (_with_term(model, weight, (start_percent, end_percent), perturbed),)

    return LTXVSpatioTemporalGuidance


def _rescale_node() -> type:
    class ClapperGuidanceRescale:
        """Brings what guidance made nearer to the spread of what the prompt alone gives."""

        CATEGORY = "clapper"
        RETURN_TYPES: ClassVar[tuple[str, ...]] = ("MODEL",)
        FUNCTION = "patch"

        @classmethod
        def INPUT_TYPES(cls) -> dict[str, dict[str, Any]]:  # noqa: N802  # ComfyUI asks for this name
            rescale = {"default": 0.7, "min": 0.0, "max": 1.0, "step": 0.01}
            return {"required": {"model": ("MODEL",), "rescale": ("FLOAT", rescale)}}

        def patch(self, model: Any, rescale: float) -> tuple[Any]:
            """Return the model with the last step of guidance; 0 changes nothing."""

            def after(given: Arguments) -> Any:
                video, made = video_values(given["cond"]), given["denoised"].clone()
                pairs = zip(
                    parts_of(made, video), parts_of(given["cond_denoised"], video), strict=True
                )
                for part, like in pairs:
                    factor = rescale * (like.std() / part.std()) + (1 - rescale)
                    part.mul_(factor.nan_to_num(1.0, 1.0))  # nothing to scale: all values equal
                return made

            patched = model.clone()
            if rescale:
                patched.set_model_sampler_post_cfg_function(after)
            return (patched,)

    return ClapperGuidanceRescale


def _with_term(
    model: Any, weight: float, percents: tuple[float, float], other: Callable[[Arguments], Any]
) -> Any:
    """Return ``model`` with ``weight × (cond − other)`` added after classifier-free guidance.

    Args:
        model: a model patcher.
        weight: 0 runs nothing.
        percents: of the schedule, between which the term acts.
        other: makes the prediction to be guided away from.
    """
    patched = model.clone()
    if weight == 0:
        return patched
    sampling = patched.get_model_object("model_sampling")
    first, last = (sampling.percent_to_sigma(percent) for percent in percents)

    def after(given: Arguments) -> Any:
        if not last <= given["sigma"][0].item() <= first:
            return given["denoised"]
        return given["denoised"] + (given["cond_denoised"] - other(given)) * weight

    patched.set_model_sampler_post_cfg_function(after)
    return patched


def _predict(samplers: ModuleType, given: Arguments, flags: Arguments) -> Any:
    """Return what the model makes of the prompt's branch with ``flags`` for its blocks."""
    options = given["model_options"]
    inner = {**options.get("transformer_options", {}), **flags}
    (made,) = samplers.calc_cond_batch(
        given["model"],
        [given["cond"]],
        given["input"],
        given["sigma"],
        {**options, "transformer_options": inner},
    )
    return made


@contextmanager
def _values_passed_through(blocks: Sequence[Any]) -> Generator[None]:
    """Let the self-attention of ``blocks`` give each token its own value alone."""
    names = ("attn1", "audio_attn1")
    layers: list[Any] = [getattr(block, name, None) for block in blocks for name in names]
    found: list[Any] = [layer for layer in layers if layer is not None]
    try:
        for layer in found:
            layer.forward = _value_of_each(layer.forward)
        yield
    finally:
        for layer in found:
            del layer.forward  # the class's own is seen again


def _value_of_each(forward: Callable[..., Any]) -> Callable[..., Any]:
    def values_alone(_attention: Any, _q: Any, _k: Any, v: Any, *_: Any, **__: Any) -> Any:
        return v

    def passed(x: Any, transformer_options: Arguments | None = None, **_: Any) -> Any:
        options = {**(transformer_options or {}), "optimized_attention_override": values_alone}
        return forward(x, transformer_options=options)  # no mask and no positions

    return passed
