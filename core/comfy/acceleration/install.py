"""Put everything of this package in front of ComfyUI's functions, before it makes a model."""

import importlib
from collections.abc import Sequence
from types import ModuleType
from typing import TYPE_CHECKING, Any, Protocol

from core.comfy.acceleration.block_graphs import BlockGraphs
from core.comfy.acceleration.constant_tables import keep_tables, look_at_masks_in_memory
from core.comfy.acceleration.fast_blocks import FastBlocks, can_compile
from core.comfy.acceleration.fast_decoder import FastDecoder
from core.comfy.acceleration.fused_pointwise import FusedPointwise
from core.comfy.acceleration.kept_conditioning import KeptConditioning
from core.comfy.acceleration.recorded_calls import RecordedCalls
from core.comfy.acceleration.recording import CudaRecorder
from core.comfy.acceleration.repeatable_sound import decode_sound_repeatably
from core.comfy.acceleration.sound_beside import SoundBeside
from core.comfy.acceleration.switch import Acceleration
from core.comfy.acceleration.text_layers import record_text_layers
from core.comfy.acceleration.text_tokens import encode_real_tokens

if TYPE_CHECKING:
    from collections.abc import Callable


class Forgetting(Protocol):
    """Has made something of a network's weights."""

    def forget(self, model: Any = None) -> None:
        """Throw what was made of ``model`` away, or everything."""
        ...


Owner = tuple[str, Forgetting]


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
    recorder = CudaRecorder(torch)
    calls = RecordedCalls(switch, torch, management, recorder)
    lt, llama = (importlib.import_module(f"comfy.text_encoders.{name}") for name in ("lt", "llama"))
    encode_real_tokens(lt, llama, torch, switch, calls)
    connectors = importlib.import_module(lightricks + "embeddings_connector")
    record_text_layers(connectors.Embeddings1DConnector, calls)
    conditioning = KeptConditioning(switch)
    conditioning.install(importlib.import_module("comfy.model_base").LTXAV, model_class)
    fast, fused = None, None
    if can_compile():
        fast = FastBlocks(torch, management.get_free_memory)
        kernels = importlib.import_module("core.comfy.acceleration.pointwise_kernels")
        package = importlib.import_module("comfy.ldm.lightricks")
        fused = FusedPointwise(torch, package, kernels.PointwiseKernels())
    graphs = BlockGraphs(switch, torch, management, recorder, fast=fast, fused=fused)
    graphs.install(model_class)
    sound = importlib.import_module(lightricks + "vae.audio_vae").AudioVAE
    decode_sound_repeatably(sound, torch, switch)
    owners: list[Owner] = [
        *(("diffusion_model", owner) for owner in (graphs, conditioning, calls)),
        ("gemma3_12b", calls),
    ]
    if fast is not None:
        decoder = FastDecoder(switch, torch, management.get_free_memory)
        decoder.install(
            importlib.import_module(lightricks + "vae.causal_video_autoencoder").Decoder
        )
        owners.append(("decoder", decoder))
    forget_with_weights(importlib.import_module("comfy.model_patcher"), owners)
    return graphs


def install_at_nodes(
    switch: Acceleration, torch: ModuleType, management: ModuleType, node_classes: dict[str, Any]
) -> None:
    """Replace functions of ComfyUI's nodes; call it once a process, when it has loaded them.

    Args:
        switch: asked at every call of each of them.
        torch: the imported module.
        management: ComfyUI's module ``comfy.model_management``.
        node_classes: ComfyUI's own table of node classes by name.
    """

    def stays() -> bool:
        return management.vram_state is management.VRAMState.HIGH_VRAM

    separate = node_classes["LTXVSeparateAVLatent"]
    SoundBeside(switch, torch.cuda, stays).install(
        separate, importlib.import_module("comfy.sd").VAE
    )


def forget_with_weights(patchers: ModuleType, owners: Sequence[Owner]) -> None:
    """Give what was made of a model's weights back as soon as they leave or change.

    Args:
        patchers: ComfyUI's module ``comfy.model_patcher``.
        owners: whom to tell, each with the name of the part of a model that it knows.
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
            _forget(self, owners)
        return unpatch(self, device_to, unpatch_weights)

    def partially_unload(self: _Patcher, *arguments: Any, **options: Any) -> Any:
        _forget(self, owners)
        return unload(self, *arguments, **options)

    owner.unpatch_model, owner.partially_unload = unpatch_model, partially_unload
    for name in ("patch_hooks", "unpatch_hooks"):  # these change weights where they lie
        setattr(owner, name, _forgetting(getattr(owner, name), owners))


def _forgetting(original: "Callable[..., Any]", owners: Sequence[Owner]) -> "Callable[..., Any]":
    def hooked(self: _Patcher, *arguments: Any, **options: Any) -> Any:
        before = len(self.hook_backup)
        made = original(self, *arguments, **options)
        if before or self.hook_backup:
            _forget(self, owners)
        return made

    return hooked


def _forget(patcher: _Patcher, owners: Sequence[Owner]) -> None:
    for part, owner in owners:
        network = getattr(patcher.model, part, None)
        if network is not None:
            owner.forget(network)
