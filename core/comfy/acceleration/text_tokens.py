"""Encode a prompt without its padding, which ComfyUI computes, masks and cuts off afterwards."""

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from itertools import takewhile
from types import ModuleType
from typing import Any

from core.comfy.acceleration.switch import Acceleration

# tokens; matrices of few different heights, so that few kernels have to be found
_MULTIPLE = 16


def encode_real_tokens(
    lt: ModuleType, llama: ModuleType, torch: ModuleType, switch: Acceleration
) -> None:
    """Leave out the padding before a prompt: up to 1008 of the 1024 tokens.

    Real tokens see none of it, and keep their positions. What differs is in which order matrix
    products add up: 0.1 % of the conditioning.

    Args:
        lt: ComfyUI's module ``comfy.text_encoders.lt``.
        llama: its module ``comfy.text_encoders.llama``.
        torch: the imported module.
        switch: asked at every call.
    """
    _shift_positions(llama)
    encode: Callable[..., Any] = lt.Gemma3_12BModel.forward

    def forward(self: Any, tokens: list[list[Any]]) -> Any:
        spare = spare_tokens(tokens, self.special_tokens["pad"]) if switch.enabled else 0
        fast = switch.enabled and switch.fast
        with _positions_from(self.transformer.model, spare), _short_mantissa(torch, fast=fast):
            return encode(self, [row[spare:] for row in tokens])

    lt.Gemma3_12BModel.forward = forward


def spare_tokens(prompts: Sequence[Sequence[object]], pad: int) -> int:
    """Return how many tokens at the beginning are padding that can be left out.

    Args:
        prompts: tokens of each; numbers, or what stands for a picture.
        pad: the number of the padding.

    Returns:
        0 where several are encoded together: ComfyUI joins them with the padding between them.
    """
    if len(prompts) != 1:
        return 0
    tokens = prompts[0]
    padding = sum(
        1 for _ in takewhile(lambda token: isinstance(token, int) and token == pad, tokens)
    )
    real = len(tokens) - padding
    return max(0, len(tokens) - max(_MULTIPLE, -(-real // _MULTIPLE) * _MULTIPLE))


def _shift_positions(llama: ModuleType) -> None:
    """Let a network count its positions from where :func:`_positions_from` says."""
    original: Callable[..., Any] = llama.Llama2_.compute_freqs_cis

    def compute(self: Any, position_ids: Any, device: Any) -> Any:
        held: dict[str, Any] = self.__dict__
        first: int = held.get("first_position", 0)
        return original(self, position_ids + first if first else position_ids, device)

    llama.Llama2_.compute_freqs_cis = compute


@contextmanager
def _positions_from(network: Any, first: int) -> Generator[None]:
    network.first_position = first
    try:
        yield
    finally:
        network.first_position = 0


@contextmanager
def _short_mantissa(torch: ModuleType, *, fast: bool) -> Generator[None]:
    """Multiply matrices of 32 bits as ``tf32`` if ``fast``: other values by 1 %, half the time."""
    settings = torch.backends.cuda.matmul
    before = settings.allow_tf32
    settings.allow_tf32 = before or fast
    try:
        yield
    finally:
        settings.allow_tf32 = before
