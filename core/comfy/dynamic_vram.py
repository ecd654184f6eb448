"""Switch on DynamicVRAM, ComfyUI's newer memory manager, as its ``main.py`` does."""

import importlib
from types import ModuleType
from typing import Protocol, cast

_GIB = 1024**3


class StartupFlags(Protocol):
    """The fields of ComfyUI's ``args`` that are set or read by us."""

    base_directory: str
    cpu: bool
    disable_all_custom_nodes: bool
    disable_api_nodes: bool
    disable_metadata: bool
    gpu_only: bool
    disable_cuda_malloc: bool
    disable_dynamic_vram: bool
    lowvram: bool
    reserve_vram: float | None  # GiB
    vram_headroom: float  # GiB


class _PatchingSwitch(Protocol):
    """The switch in ``comfy.model_patcher``."""

    CoreModelPatcher: type
    ModelPatcherDynamic: type


class _MemorySwitch(Protocol):
    """The switch in ``comfy.memory_management``."""

    aimdo_enabled: bool


def begin(args: StartupFlags) -> ModuleType | None:
    """Load its library; None where the flags or the platform rule it out."""
    if not importlib.import_module("comfy.cli_args").enables_dynamic_vram():
        return None
    aimdo = importlib.import_module("comfy_aimdo.control")
    reserved = args.reserve_vram
    aimdo.init(simple_vram_headroom=None if reserved is None else int(reserved * _GIB))
    return aimdo


def finish(args: StartupFlags, model_management: ModuleType) -> bool:
    """Switch model patching to DynamicVRAM, as ``main.py`` does; importing alone never does it.

    Without it, ComfyUI moves most of the transformer off the device whenever its estimate for a
    decode does not fit, and back for the next job.
    """
    aimdo = begin(args)  # again in a fork: the library may need its driver
    if aimdo is None or model_management.is_wsl() or not model_management.is_nvidia():
        return False
    devices = model_management.get_all_torch_devices()
    if not aimdo.init_devices((item.index, int(args.vram_headroom * _GIB)) for item in devices):
        return False
    aimdo.set_log_warning()
    patching = cast("_PatchingSwitch", importlib.import_module("comfy.model_patcher"))
    patching.CoreModelPatcher = patching.ModelPatcherDynamic
    cast("_MemorySwitch", importlib.import_module("comfy.memory_management")).aimdo_enabled = True
    return True
