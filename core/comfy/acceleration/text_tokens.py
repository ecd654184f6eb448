"""Encode a prompt without its padding, which ComfyUI computes, masks and cuts off afterwards."""

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from itertools import takewhile
from types import ModuleType
from typing import Any

from core.comfy.acceleration.recorded_calls import RecordedCalls
from core.comfy.acceleration.split_matrices import SplitMatrices
from core.comfy.acceleration.switch import Acceleration

# tokens; matrices of few different heights, so that few kernels have to be found
_MULTIPLE = 16
# what the encoder of a prompt without pictures says beside its tokens
_USUAL = {
    *("num_tokens", "intermediate_output", "final_layer_norm_intermediate", "dtype"),
    "embeds_info",
}
_UNREAD = "num_tokens"


def encode_real_tokens(
    lt: ModuleType,
    llama: ModuleType,
    torch: ModuleType,
    switch: Acceleration,
    calls: RecordedCalls,
) -> None:
    """Leave out the padding before a prompt: up to 1008 of the 1024 tokens.

    Real tokens see none of it, and keep their positions. Matrices of 16 bits stay such. What
    differs is in which order matrix products add up: 0.1 % of the conditioning.

    Args:
        lt: ComfyUI's module ``comfy.text_encoders.lt``.
        llama: its module ``comfy.text_encoders.llama``.
        torch: the imported module.
        switch: asked at every call.
        calls: records the network.
    """
    _shift_positions(llama)
    _record_network(llama, SplitMatrices(torch), calls)
    encode: Callable[..., Any] = lt.Gemma3_12BModel.forward

    def forward(self: Any, tokens: list[list[Any]]) -> Any:
        if not switch.enabled:
            return encode(self, tokens)
        spare = spare_tokens(tokens, self.special_tokens["pad"])
        with _positions_from(self.transformer.model, spare):
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
        first = _first_position(self)
        return original(self, position_ids + first if first else position_ids, device)

    llama.Llama2_.compute_freqs_cis = compute


def _record_network(llama: ModuleType, matrices: SplitMatrices, calls: RecordedCalls) -> None:
    """Launch the layers of a network that encodes a prompt as one graph, which texts share."""
    original: Callable[..., Any] = llama.Llama2_.forward

    def forward(
        self: Any, x: Any, attention_mask: Any = None, embeds: Any = None, **others: Any
    ) -> Any:
        first = _first_position(self)
        if first is None:
            return original(self, x, attention_mask, embeds, **others)

        def work(given: Any) -> Any:
            with matrices.used_in(self):
                return original(self, x, *given[:2], **others)

        given = attention_mask, embeds
        if x is not None or others.get("embeds_info") or not others.keys() <= _USUAL:
            return work(given)
        said = tuple((name, str(others[name])) for name in sorted(others.keys() - {_UNREAD}))
        return calls.run(self, (*given, first, said), work)

    llama.Llama2_.forward = forward


def _first_position(network: Any) -> int | None:
    """Return the position of the first token; None where no prompt is being encoded."""
    return network.__dict__.get("first_position")


@contextmanager
def _positions_from(network: Any, first: int) -> Generator[None]:
    network.first_position = first
    try:
        yield
    finally:
        network.first_position = None
