"""Noise levels of the two stages, as the text that ComfyUI's ``ManualSigmas`` reads."""

import math
from collections.abc import Sequence

from core.models.catalog import Guidance


def as_text(sigmas: Sequence[float]) -> str:
    """Return ``sigmas`` separated by commas, without exponents."""
    return ", ".join(_number(sigma) for sigma in sigmas)


def guided_sigmas(guidance: Guidance) -> tuple[float, ...]:
    """Return the scheduler's noise levels for the undistilled model, from 1 down to 0.

    Source: ComfyUI's scheduler for the model without a latent, which is how the two-stage pipeline
    of its makers calls it: a logistic shift by ``max_shift``, stretched so that the last level
    before 0 is ``terminal``.
    """
    lift = math.exp(guidance.max_shift)
    steps = guidance.steps
    shifted = [lift / (lift + steps / (steps - step) - 1) for step in range(steps)]
    stretch = (1 - shifted[-1]) / (1 - guidance.terminal)
    return (*(1 - (1 - sigma) / stretch for sigma in shifted), 0.0)


def _number(value: float) -> str:
    text = f"{value:.6f}".rstrip("0")
    return f"{text}0" if text.endswith(".") else text
