"""A text encoder of other sizes than the one that ComfyUI has written into its code."""

import importlib
from dataclasses import make_dataclass
from types import ModuleType
from typing import Any, Protocol

from core.comfy.testing.network_shapes import TINY, NetworkShapes


class _Encoder(Protocol):
    """The attributes that ``LTXAVTEModel`` has after its start."""

    dtypes: set[object]
    compat_mode: bool
    text_projection_type: str
    gemma3_12b: Any
    text_embedding_projection: Any


def shrink_text_encoder(shapes: NetworkShapes = TINY) -> None:
    """Make ComfyUI build a text encoder of ``shapes``, whose size is written into its code.

    Replaces two classes; loading, detection, tokenizer and encoding stay ComfyUI's. For tests.
    """
    llama = importlib.import_module("comfy.text_encoders.llama")
    lt = importlib.import_module("comfy.text_encoders.lt")
    vars(llama)["Gemma3_12B_Config"] = text_config(llama, shapes)
    vars(lt)["LTXAVTEModel"] = _encoder_class(lt, shapes)


def text_config(llama: ModuleType, shapes: NetworkShapes) -> type:
    """Return the class of the sizes of the text encoder for ``shapes``.

    Args:
        llama: ComfyUI's module ``comfy.text_encoders.llama``.
        shapes: empty for the text encoder where it is as published.
    """
    fields = [(name, int, value) for name, value in shapes.gemma.items() if name != "head_dim"]
    if not fields:
        return llama.Gemma3_12B_Config
    vision = dict(llama.GEMMA3_VISION_CONFIG, hidden_size=16, intermediate_size=16)
    vision.update(num_attention_heads=2, num_hidden_layers=1, image_size=896)
    namespace = {"head_dim": shapes.gemma["head_dim"], "vision_config": vision}
    base = llama.Gemma3_12B_Config
    return make_dataclass("StandInConfig", fields, bases=(base,), namespace=namespace)


def _encoder_class(lt: ModuleType, shapes: NetworkShapes) -> type:
    original: Any = lt.LTXAVTEModel
    module: Any = importlib.import_module("torch").nn.Module

    def init(
        self: _Encoder,
        dtype_llama: object = None,
        device: object = "cpu",
        dtype: object = None,
        text_projection_type: str = "dual_linear",
        model_options: dict[str, object] | None = None,
    ) -> None:
        module.__init__(self)
        self.dtypes = {dtype, dtype_llama}
        self.compat_mode = False
        self.text_projection_type = text_projection_type
        gemma = lt.Gemma3_12BModel(
            device=device, dtype=dtype_llama, model_options=model_options or {}
        )
        self.gemma3_12b = gemma
        self.text_embedding_projection = lt.DualLinearProjection(
            shapes.text_width * 49,
            shapes.video_width,
            shapes.audio_width,
            dtype=dtype,
            device=device,
            operations=gemma.operations,
        )

    return type("StandInEncoder", (original,), {"__init__": init})
