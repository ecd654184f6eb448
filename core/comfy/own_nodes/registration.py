"""Put every node class of our own beside ComfyUI's."""

import importlib
from types import ModuleType

from core.comfy.output_node import (
    OUTPUT_CLASS,
    STAGE1_CLASS,
    NodeExchange,
    output_node,
    stage1_node,
)
from core.comfy.own_nodes import guidance
from core.comfy.own_nodes.edges import EDGES_CLASS, edges_node
from core.comfy.own_nodes.prompt_encode import PROMPT_CLASS, leave_out_unknown_tokens, prompt_node
from core.comfy.own_nodes.sound_noise import SOUND_NOISE_CLASS, sound_noise_node


def register(classes: dict[str, type], exchange: NodeExchange, torch: ModuleType) -> None:
    """Put our node classes into ``classes``, ComfyUI's own table.

    Args:
        classes: by name.
        exchange: what the nodes and the executor pass each other.
        torch: the imported module.
    """
    classes[OUTPUT_CLASS] = output_node(exchange)
    classes[STAGE1_CLASS] = stage1_node(exchange, torch.from_numpy)
    classes[EDGES_CLASS] = edges_node(classes, torch)
    classes[PROMPT_CLASS] = prompt_node(exchange.prompts)
    classes[SOUND_NOISE_CLASS] = sound_noise_node(torch)
    leave_out_unknown_tokens(importlib.import_module("comfy.text_encoders.spiece_tokenizer"))
    guidance.register(classes, importlib.import_module("comfy.samplers"))
