"""Let torchvision and torchaudio be imported beside a torch without CUDA.

Their packages carry extensions that are linked against CUDA and do not load there. ComfyUI imports
both, but the model uses only what is written in Python: transforms and resampling.
"""

import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any, TypeVar

_F = TypeVar("_F")
_kept: list[Any] = []  # a torch.library.Library takes its definitions back when it is collected


def install_shims(torch: ModuleType) -> None:
    """Put the stand-ins in place; no effect where torch has CUDA, or the second time.

    Args:
        torch: the imported module.
    """
    if torch.version.cuda is not None or _kept:
        return
    # torchvision registers fake kernels for exactly these two at import, so they must be known
    library = torch.library.Library("torchvision", "DEF")
    library.define("nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    library.define("qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    _kept.append(library)
    # torchaudio loads its extension from here; with these names it goes on without
    extension = ModuleType("torchaudio._extension")
    extension.__dict__.update(
        _IS_TORCHAUDIO_EXT_AVAILABLE=False,
        _IS_ALIGN_AVAILABLE=False,
        fail_if_no_align=_unchanged,
        _check_cuda_version=_nothing,
    )
    sys.modules["torchaudio._extension"] = extension


def _unchanged(function: Callable[..., _F]) -> Callable[..., _F]:
    return function


def _nothing() -> None:
    return None
