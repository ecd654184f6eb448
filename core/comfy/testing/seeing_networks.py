"""What the stand-ins hold that see depth and people, as small as ComfyUI's detection lets them be.

The makers of :mod:`core.comfy.testing.random_weights` name their shapes in a configuration; these
networks have none in their files, and ComfyUI tells them apart by their tensors.
"""

import importlib
from collections.abc import Iterator
from functools import partial
from types import ModuleType
from typing import Any

from core.comfy.testing.tensor_specs import TensorSpec, entries_of
from core.models.catalog import Slot

USUAL = frozenset(Slot) - {Slot.DEPTH, Slot.POSE, Slot.PEOPLE}  # those are large, rarely wanted
_COUNTED = ("running_mean", "running_var")  # of what a network notes by itself, what it needs


def seeing_entries(torch: ModuleType, slot: Slot) -> list[TensorSpec]:
    """Return the tensors of a file for one of the slots DEPTH, POSE and PEOPLE."""
    makers = {Slot.DEPTH: _depth, Slot.POSE: _pose, Slot.PEOPLE: _people}
    ops = importlib.import_module("comfy.ops").disable_weight_init
    return list(makers[slot]({"device": "meta", "dtype": torch.float32, "operations": ops}))


def _depth(made_with: dict[str, Any]) -> Iterator[TensorSpec]:
    module = importlib.import_module("comfy.ldm.depth_anything_3.model")
    model = module.DepthAnything3Net(
        backbone_name="vits",
        out_layers=(2, 5, 8, 11),
        head_dim_in=384,
        head_features=64,
        head_out_channels=(48, 96, 192, 384),
        **made_with,
    )
    yield from entries_of(model, "")


def _pose(made_with: dict[str, Any]) -> Iterator[TensorSpec]:
    """Yield a UNet of two levels with the head that finds key points, and a small encoder."""
    module = importlib.import_module("comfy.ldm.modules.diffusionmodules.openaimodel")
    unet = module.UNetModel(
        image_size=32,
        in_channels=4,
        out_channels=4,
        model_channels=320,
        channel_mult=(1, 2),
        num_res_blocks=[1, 1],
        transformer_depth=[0, 1],
        transformer_depth_output=[0, 0, 1, 1],
        transformer_depth_middle=1,
        context_dim=1024,
        num_head_channels=64,
        use_spatial_transformer=True,
        use_linear_in_transformer=True,
        num_classes="sequential",
        adm_in_channels=4,
        legacy=False,
        heatmap_head=True,
        **made_with,
    )
    yield from entries_of(unet, "model.diffusion_model.")
    encoder = importlib.import_module("comfy.taesd.taesd").TAESD(latent_channels=4)
    yield from entries_of(encoder, "first_stage_model.")


def shrink_pose_network() -> None:
    """Let ComfyUI show people to the network that sees poses at an eighth of its size.

    That size is written into the code: 768×1024 px, half a TFLOP a person.
    """
    unet = importlib.import_module("comfy.ldm.modules.diffusionmodules.openaimodel")
    vars(unet)["HeatmapHead"] = partial(vars(unet)["HeatmapHead"], input_size=(96, 128))


def _people(made_with: dict[str, Any]) -> Iterator[TensorSpec]:
    """Yield what finds people; without what it works out by itself, as boxes' centres."""
    module = importlib.import_module("comfy.ldm.rt_detr.rtdetr_v4")
    model = module.RTv4(enc_h=64, **made_with)
    weights = {name for name, _ in model.named_parameters()}
    for entry in entries_of(model, ""):
        if entry.name in weights or entry.name.endswith(_COUNTED):
            yield entry
