"""Copies of the transformer's blocks in 8 bits, compiled: other values in less time.

The model itself stays as it is. A block's copy shares everything with it but its large matrices,
which it has as 8-bit numbers with one scale a row. The first and the last block stay as they are.
"""

import shutil
import time
import weakref
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from importlib.util import find_spec
from subprocess import SubprocessError
from types import ModuleType
from typing import Any, cast

import structlog

from core.comfy.acceleration.tensor_tree import Form

_log = structlog.get_logger(__name__)
_LEAST = 1024  # of both sides of a matrix in 8 bits, as in the published files of 8 bits
_LARGEST = 448.0  # of torch.float8_e4m3fn
_ROOM = 8 * 1024**3  # bytes that must be free beside the copies
# of torch.compile, whose own exceptions are of the first class, and of the programs that it starts
_FAILURES = (RuntimeError, OSError, ImportError, SubprocessError)
_COMPILERS = ("cc", "gcc", "clang")


def can_compile() -> bool:
    """Tell whether torch can compile for the device: Triton and a C compiler are installed."""
    found = any(shutil.which(name) for name in _COMPILERS)
    return found and find_spec("triton") is not None


def eight_bit_linear(torch: ModuleType) -> type:
    """Return the class of a linear layer whose matrix and inputs have 8 bits.

    Args:
        torch: the imported module.
    """
    base: Any = torch.nn.Module

    class EightBitLinear(base):
        def __init__(self, original: Any) -> None:
            base.__init__(self)
            values, scales = _in_eight_bits(torch, original.weight)
            self.register_buffer("values", values)
            self.register_buffer("scales", scales)
            self.bias = original.bias

        def forward(self, x: Any) -> Any:
            rows = x.reshape(-1, x.shape[-1])
            scale = rows.abs().amax(1, keepdim=True).float().clamp(min=1e-12) / _LARGEST
            small = (rows.float() / scale).clamp(-_LARGEST, _LARGEST).to(torch.float8_e4m3fn)
            made = torch._scaled_mm(  # noqa: SLF001  # torch's only function for this
                small, self.values.t(), scale_a=scale, scale_b=self.scales, bias=self.bias,
                out_dtype=x.dtype, use_fast_accum=True,
            )  # fmt: skip
            return made.reshape(*x.shape[:-1], -1)

    return EightBitLinear


def _in_eight_bits(torch: ModuleType, weight: Any) -> tuple[Any, Any]:
    """Return the values of a matrix in 8 bits, and the scale of each of its rows."""
    if hasattr(weight, "_qdata"):  # it has them already, with one scale for all
        scale = weight.params.scale.float().reshape(1, 1)
        return weight._qdata, scale.expand(1, weight.shape[0]).contiguous()  # noqa: SLF001  # ComfyUI's name
    scales = weight.abs().amax(1, keepdim=True).float().clamp(min=1e-12) / _LARGEST
    values = (weight.float() / scales).clamp(-_LARGEST, _LARGEST).to(torch.float8_e4m3fn)
    return values, scales.t().contiguous()


def _fits(module: Any) -> bool:
    """Tell whether a module is a large linear layer that ComfyUI leaves as it is in a pass."""
    weight = module.__dict__["_parameters"].get("weight")
    if weight is None or weight.dim() != 2 or type(module).__name__ != "Linear":
        return False
    return min(weight.shape) >= _LEAST


def copy_of(module: Any, linear: type) -> Any:
    """Return a copy of a module tree that shares all tensors, with large matrices as ``linear``.

    Args:
        module: a torch module.
        linear: the class of :func:`eight_bit_linear`.
    """
    if _fits(module):
        return linear(module)
    made = _same(module)
    children = module.__dict__["_modules"].items()
    made.__dict__["_modules"] = {
        name: None if child is None else copy_of(child, linear) for name, child in children
    }
    return made


def _bytes_of(model: Any) -> int:
    """Return how many bytes the copies of large matrices of ``model`` take, beside them."""
    blocks = list(model.transformer_blocks)[1:-1]
    layers = [module for block in blocks for module in block.modules() if _fits(module)]
    return sum(layer.weight.numel() for layer in layers if not hasattr(layer.weight, "_qdata"))


def _same(module: Any) -> Any:
    """Return another object that shares all that ``module`` has, its table of children too."""
    kind = cast("Any", type(module))
    made: Any = kind.__new__(kind)
    made.__dict__.update(module.__dict__)
    return made


@dataclass(slots=True)
class _Copy:
    """The copy of one model's blocks, for the weights at ``addresses``."""

    addresses: tuple[int, ...]
    model: Any  # None where there was no room
    tried: dict[Form, bool] = field(default_factory=dict[Form, bool])  # whether it worked


class FastBlocks:
    """Makes the copies and has them compiled; on the executor's thread alone.

    A compiler on a thread of its own would hold Python for most of a minute: clips beside it took
    ten times as long. So the first clip of a kind waits for it, about a minute.
    """

    def __init__(
        self,
        torch: ModuleType,
        free: Callable[[Any], float],
        compiler: Callable[..., Callable[..., Any]] | None = None,
    ) -> None:
        """Make nothing yet.

        Args:
            torch: the imported module.
            free: says how many bytes of a device are free.
            compiler: ``torch.compile`` where it is left out.
        """
        self._compiler = compiler or torch.compile
        self._torch = torch
        self._free = free
        self._compiled: Callable[..., Any] | None = None
        self._copies: weakref.WeakKeyDictionary[Any, _Copy] = weakref.WeakKeyDictionary()

    def forget(self, model: Any = None) -> None:
        """Throw the copy of ``model`` away, or all of them."""
        if model is None:
            self._copies.clear()
        else:
            self._copies.pop(model, None)

    def model_for(
        self, model: Any, addresses: tuple[int, ...], form: Form, work: Callable[[Any], object]
    ) -> Any:
        """Return the copy of ``model`` for a pass of ``form``; None where it has to do itself.

        Args:
            model: whose blocks.
            addresses: where its weights lie.
            form: of the pass.
            work: does it with another model, on inputs of its own; called once, to compile.
        """
        copy = self._copies.get(model)
        if copy is None or copy.addresses != addresses:
            copy = self._copies[model] = _Copy(addresses, self._copied(model))
        if copy.model is None:
            return None
        if form not in copy.tried:
            copy.tried[form] = self._works(copy.model, work)
        return copy.model if copy.tried[form] else None

    def _works(self, model: Any, work: Callable[[Any], object]) -> bool:
        """Do the pass once, with whatever has to be compiled for it."""
        began = time.perf_counter()
        try:
            work(model)
        except _FAILURES:  # the blocks run as ever
            _log.warning("fast_blocks_failed", exc_info=True)
            return False
        _log.info("fast_blocks_ready", seconds=round(time.perf_counter() - began, 1))
        return True

    def _copied(self, model: Any) -> Any:
        """Return ``model`` with compiled copies of its inner blocks, whose matrices have 8 bits."""
        device = next(model.parameters()).device
        if self._free(device) < _bytes_of(model) + _ROOM:
            _log.warning("fast_blocks_no_room")
            return None
        blocks = list(model.transformer_blocks)
        kind = cast("Any", type(blocks[0]))
        compiled = self._compiled or self._compiler(kind.forward, dynamic=True)
        self._compiled, linear = compiled, eight_bit_linear(self._torch)
        inner: list[Any] = []
        for block in blocks[1:-1]:
            copied = copy_of(block, linear)
            copied.__dict__["forward"] = partial(compiled, copied)
            inner.append(copied)
        rows = self._torch.nn.ModuleList([blocks[0], *inner, blocks[-1]])
        whole = _same(model)
        whole.__dict__["_modules"] = {**model.__dict__["_modules"], "transformer_blocks": rows}
        return whole
