"""Put everything of this package in front of ComfyUI's functions, before it makes a model."""

import importlib
from types import ModuleType
from typing import TYPE_CHECKING, Any, Protocol

from core.comfy.acceleration.block_graphs import BlockGraphs
from core.comfy.acceleration.constant_tables import keep_tables, look_at_masks_in_memory
from core.comfy.acceleration.fast_blocks import FastBlocks, can_compile
from core.comfy.acceleration.recording import CudaRecorder
from core.comfy.acceleration.repeatable_sound import decode_sound_repeatably
from core.comfy.acceleration.switch import Acceleration
from core.comfy.acceleration.text_tokens import encode_real_tokens

if TYPE_CHECKING:
    from collections.abc import Callable


class _Patcher(Protocol):
    """``comfy.model_patcher.ModelPatcher``."""

    model: Any
    hook_backup: dict[str, Any]


def install(switch: Acceleration, torch: ModuleType, management: ModuleType) -> BlockGraphs:
    """Replace ComfyUI's functions; call it once a process.

    Args:
        switch: asked at every call of each of them.
        torch: the imported module.
        management: ComfyUI's module ``comfy.model_management``.

    Returns:
        The graphs, to be thrown away where memory is needed.
    """
    lightricks = "comfy.ldm.lightricks."
    model_class = importlib.import_module(lightricks + "av_model").LTXAVModel
    patchifier = importlib.import_module(lightricks + "symmetric_patchifier")
    keep_tables(importlib.import_module(lightricks + "model"), patchifier, switch)
    look_at_masks_in_memory(model_class, switch)
    lt, llama = (importlib.import_module(f"comfy.text_encoders.{name}") for name in ("lt", "llama"))
    encode_real_tokens(lt, llama, torch, switch)
    fast = FastBlocks(torch, management.get_free_memory) if can_compile() else None
    graphs = BlockGraphs(switch, torch, management, CudaRecorder(torch), fast=fast)
    graphs.install(model_class)
    decoder = importlib.import_module(lightricks + "vae.audio_vae").AudioVAE
    decode_sound_repeatably(decoder, torch, switch)
    forget_with_weights(importlib.import_module("comfy.model_patcher"), graphs)
    return graphs


def forget_with_weights(patchers: ModuleType, graphs: BlockGraphs) -> None:
    """Give the memory of a model's graphs back as soon as its weights leave or change.

    Args:
        patchers: ComfyUI's module ``comfy.model_patcher``.
        graphs: of all models.
    """
    owner = patchers.ModelPatcher
    unpatch: Callable[..., Any] = owner.unpatch_model
    unload: Callable[..., Any] = owner.partially_unload

    def unpatch_model(
        self: _Patcher,
        device_to: object = None,
        unpatch_weights: bool = True,  # noqa: FBT001, FBT002  # ComfyUI's own
    ) -> Any:
        if unpatch_weights:  # ComfyUI also calls it before every use, to no effect on weights
            _forget(self, graphs)
        return unpatch(self, device_to, unpatch_weights)

    def partially_unload(self: _Patcher, *arguments: Any, **options: Any) -> Any:
        _forget(self, graphs)
        return unload(self, *arguments, **options)

    owner.unpatch_model, owner.partially_unload = unpatch_model, partially_unload
    for name in ("patch_hooks", "unpatch_hooks"):  # these change weights where they lie
        setattr(owner, name, _forgetting(getattr(owner, name), graphs))


def _forgetting(original: "Callable[..., Any]", graphs: BlockGraphs) -> "Callable[..., Any]":
    def hooked(self: _Patcher, *arguments: Any, **options: Any) -> Any:
        before = len(self.hook_backup)
        made = original(self, *arguments, **options)
        if before or self.hook_backup:
            _forget(self, graphs)
        return made

    return hooked


def _forget(patcher: _Patcher, graphs: BlockGraphs) -> None:
    network = getattr(patcher.model, "diffusion_model", None)
    if network is not None:
        graphs.forget(network)
