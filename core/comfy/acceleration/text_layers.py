"""Launch the transformer's own layers for a text as one CUDA graph each for picture and sound."""

from functools import wraps
from typing import TYPE_CHECKING, Any

from core.comfy.acceleration.recorded_calls import RecordedCalls

if TYPE_CHECKING:
    from collections.abc import Callable

_BLOCKS = "transformer_1d_blocks"


def record_text_layers(connector_class: Any, calls: RecordedCalls) -> None:
    """Replace the loop over the blocks of ``connector_class``, ComfyUI's Embeddings1DConnector.

    Args:
        connector_class: what stands around it copies from main memory, and stays as it is.
        calls: records the blocks.
    """
    original: Callable[..., Any] = connector_class.forward

    @wraps(original)
    def forward(self: Any, hidden_states: Any, attention_mask: Any = None) -> Any:
        blocks = list(self.transformer_1d_blocks)

        def work(given: Any) -> Any:
            values, mask, places = given
            for block in blocks:
                values = block(values, attention_mask=mask, pe=places)
            return values

        def all_blocks(values: Any, attention_mask: Any = None, pe: Any = None) -> Any:
            return calls.run(self, (values, attention_mask, pe), work)

        self.__dict__[_BLOCKS] = [all_blocks]  # before the module of that name
        try:
            return original(self, hidden_states, attention_mask)
        finally:
            del self.__dict__[_BLOCKS]

    connector_class.forward = forward
