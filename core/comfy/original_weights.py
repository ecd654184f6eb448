"""Read a weight from its file again where a LoRA is taken off, instead of keeping a copy of it.

ComfyUI keeps every weight that a LoRA changes. Where models stay on the device, it keeps them
there: 38 GB, for a LoRA that is in every clip. The file that they came from is mapped
into memory already, and its pages belong to the system, which takes them where it needs them.
"""

import importlib
import weakref
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import wraps
from types import ModuleType
from typing import Any, Protocol

_ROOM = 12 * 1024**3  # bytes that stay free beside a kept weight: the largest decode needs less


class _Network(Protocol):
    """``BaseModel.diffusion_model``, a torch module."""

    load_state_dict: Callable[..., Any]


class _Model(Protocol):
    """``comfy.model_base.BaseModel``."""

    diffusion_model: _Network


class _PatchingModel(Protocol):
    """``comfy.model_patcher.ModelPatcher``."""

    model: Any
    patches: dict[str, Any]
    backup: dict[str, Any]
    load_device: Any
    offload_device: Any


@dataclass(slots=True)
class FileWeight:
    """One weight as its file has it; stands in ComfyUI's table of backups."""

    stored: Any  # a tensor that is mapped from the file
    kept: Any  # of a quantised weight: its class, layout and scales, with values of no size
    device: Any
    reads: int = 0
    inplace_update: bool = False

    @property
    def weight(self) -> Any:
        """Read the weight, as it was before any patch, onto its device."""
        self.reads += 1
        values = self.stored.to(self.device, copy=True)
        if self.kept is None:
            return values
        return type(self.kept)(values, self.kept._layout_cls, self.kept._params)  # noqa: SLF001  # ComfyUI's way to make one


@dataclass(slots=True)
class _Stored:
    """What the file of one model holds, and what was read of it again."""

    tensors: dict[str, Any]
    weights: dict[str, FileWeight] = field(default_factory=dict[str, FileWeight])


def install(management: ModuleType) -> None:
    """Do so from now on, for every model that is loaded.

    Args:
        management: ComfyUI's module ``comfy.model_management``.
    """
    base_model = importlib.import_module("comfy.model_base").BaseModel
    patcher = importlib.import_module("comfy.model_patcher").ModelPatcher
    OriginalWeights(management).install(base_model, patcher)


class OriginalWeights:
    """Stands before two functions of ComfyUI: one loads a model's weights, one patches a weight."""

    def __init__(self, management: ModuleType, room: float = _ROOM) -> None:
        """Know no file yet.

        Args:
            management: ComfyUI's module ``comfy.model_management``.
            room: bytes that stay free on the device beside weights that are kept there.
        """
        self._management = management
        self._room = room
        self._models: weakref.WeakKeyDictionary[Any, _Stored] = weakref.WeakKeyDictionary()

    def install(self, base_model: Any, patcher: Any) -> None:
        """Replace the two functions.

        Args:
            base_model: ComfyUI's class ``comfy.model_base.BaseModel``.
            patcher: its class ``comfy.model_patcher.ModelPatcher``.
        """
        load: Callable[..., Any] = base_model.load_model_weights
        patch: Callable[..., Any] = patcher.patch_weight_to_device

        @wraps(load)
        def load_model_weights(
            model: _Model, sd: Any, unet_prefix: str = "", *given: Any, **options: Any
        ) -> Any:
            network = model.diffusion_model
            network.load_state_dict = self._remembering(model, network.load_state_dict)
            try:
                return load(model, sd, unet_prefix, *given, **options)
            finally:
                del network.load_state_dict  # the class's own again

        @wraps(patch)
        def patch_weight_to_device(
            patcher: _PatchingModel,
            key: str,
            device_to: Any = None,
            inplace_update: bool = False,  # noqa: FBT001, FBT002  # ComfyUI's own parameters
            return_weight: bool = False,  # noqa: FBT001, FBT002  # as above
            **options: Any,
        ) -> Any:
            if not return_weight and key in patcher.patches and key not in patcher.backup:
                found = self._of(patcher, key)
                if found is not None:
                    patcher.backup[key] = found
            return patch(patcher, key, device_to, inplace_update, return_weight, **options)

        base_model.load_model_weights = load_model_weights
        patcher.patch_weight_to_device = patch_weight_to_device

    def _remembering(self, model: _Model, load: Callable[..., Any]) -> Callable[..., Any]:
        """Return ``load_state_dict`` that notes which tensors of a file become which weights."""

        def load_state_dict(values: Any, *given: Any, **options: Any) -> Any:
            if not self._management.args.disable_mmap:
                self._models[model] = _Stored(
                    {f"diffusion_model.{name}": v for name, v in values.items()}
                )
            return load(values, *given, **options)

        return load_state_dict

    def _of(self, patcher: _PatchingModel, key: str) -> FileWeight | None:
        """Return the weight as its file has it; None where ComfyUI should keep it.

        It should where weights go to main memory anyway, and where this one was read again before,
        because patches alternate, while there is room: reading takes seconds for a whole model.
        """
        stored = self._models.get(patcher.model)
        if stored is None or patcher.load_device != patcher.offload_device:
            return None
        before = stored.weights.get(key)
        if before is not None and before.reads:
            free = self._management.get_free_memory(patcher.load_device)
            return None if free > self._room else before
        found = _weight_of(patcher.model, key, stored.tensors.get(key))
        if found is not None:
            stored.weights[key] = found
        return found


def _weight_of(model: Any, key: str, tensor: Any) -> FileWeight | None:
    """Return what the file has for ``key``, if the weight is a copy of it: not in another type."""
    holder, _, name = key.rpartition(".")
    weight = getattr(model.get_submodule(holder), name)
    values = getattr(weight, "_qdata", weight)
    if tensor is None or tensor.shape != values.shape or tensor.dtype != values.dtype:
        return None
    if tensor.device.type != "cpu" or tensor.data_ptr() == values.data_ptr():
        return None  # nothing to be saved
    quantised = weight if values is not weight else None
    if quantised is not None:
        empty = values.new_empty(0)
        quantised = type(weight)(empty, weight._layout_cls, weight._params)  # noqa: SLF001  # as above
    return FileWeight(tensor, quantised, values.device)
