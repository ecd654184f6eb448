"""Map ComfyUI's failures to Clapper's errors; the node and its message stay in the log."""

import errno
import re

from core.comfy.engine import NodeError
from core.comfy.memory import Graph
from core.domain.requests import Request
from core.errors import (
    DeviceLost,
    DiskFull,
    GenerationFailed,
    InternalError,
    ModelUnavailable,
    OutOfMemory,
    OwnWorkflowFailed,
    WorkflowRefused,
)
from core.models.catalog import FAMILY
from core.runtime.device_errors import says_device_lost

_MEMORY = ("OutOfMemoryError", "MemoryError")
_ABSENT = re.compile(r"with filename '([^']+)' not found")  # folder_paths.get_full_path_or_raise
_LOADERS = {
    "CheckpointLoaderSimple": "ckpt_name",
    "CLIPLoader": "clip_name",
    "DualCLIPLoader": "clip_name1",
    "LatentUpscaleModelLoader": "model_name",
    "LoraLoaderModelOnly": "lora_name",
    "UNETLoader": "unet_name",
    "VAELoader": "vae_name",
    **FAMILY.nodes.loaders,
}


def validation_error(errors: list[NodeError], graph: Graph) -> GenerationFailed:
    """Return the error for a graph that did not pass validation; ``errors`` is not empty."""
    for error in errors:
        name = _LOADERS.get(error.node_class)
        if name is not None and error.kind == "value_not_in_list":
            return ModelUnavailable(str(graph[error.node]["inputs"].get(name, "")))
    first = errors[0]
    return WorkflowRefused(node=first.node, reason=first.kind)


def node_error(error: NodeError, request: Request, *, own: bool = False) -> GenerationFailed:
    """Return the error for a node that raised; ``own``: the graph is the operator's."""
    if error.device_lost or says_device_lost(error.kind, error.detail):
        return DeviceLost()
    if is_out_of_memory(error):
        sampling = request.sampling
        return OutOfMemory(sampling.width, sampling.height, sampling.frames)
    if f"[Errno {errno.ENOSPC}]" in error.detail:
        return DiskFull()
    if error.node_class in _LOADERS and error.kind.endswith("FileNotFoundError"):
        named = _ABSENT.search(error.detail)
        return ModelUnavailable(named[1] if named else error.node_class)
    return run_broken(own=own, node=error.node)


def run_broken(*, own: bool, node: str = "") -> GenerationFailed:
    """Return the error for a run that made nothing: our defect, or that of an operator's graph."""
    return OwnWorkflowFailed(node) if own else InternalError()


def is_out_of_memory(error: NodeError) -> bool:
    """Tell whether the device, or the machine, had too little memory."""
    if error.device_lost:  # while memory was short, perhaps; a second try would fail like it
        return False
    if error.memory_short or error.kind.rpartition(".")[2] in _MEMORY:
        return True
    text = error.detail.lower()
    full = "out of memory" in text or "alloc_failed" in text  # the latter from cuBLAS and cuDNN
    return full and error.kind.endswith(("RuntimeError", "AcceleratorError"))
