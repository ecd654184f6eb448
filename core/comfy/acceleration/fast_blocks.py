"""Copies of the transformer's blocks in 8 bits, compiled: other values, about twice as fast.

The model itself stays as it is. A block's copy shares everything with it but its large matrices,
which it has as 8-bit numbers with one scale a row. The first and the last block stay as they are.
"""

import importlib
import shutil
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from types import ModuleType
from typing import Any, cast

import structlog

from core.comfy.acceleration.tensor_tree import Form

_log = structlog.get_logger(__name__)
_LEAST = 1024  # of both sides of a matrix in 8 bits, as in the published files of 8 bits
_LARGEST = 448.0  # of torch.float8_e4m3fn
_ROOM = 8 * 1024**3  # bytes that must be free beside the copies
_COMPILERS = ("cc", "gcc", "clang")


def can_compile() -> bool:
    """Tell whether torch can compile for the device: Triton and a C compiler are installed."""
    try:
        importlib.import_module("triton")
    except ImportError:
        return False
    return any(shutil.which(name) for name in _COMPILERS)


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


def copy_of(module: Any, linear: type | None) -> Any:
    """Return a copy of a module tree that shares all tensors, with large matrices as ``linear``.

    Args:
        module: a torch module.
        linear: the class of :func:`eight_bit_linear`; None leaves the matrices as they are.
    """
    if linear is not None and _fits(module):
        return linear(module)
    made = _same(module)
    children = module.__dict__["_modules"].items()
    made.__dict__["_modules"] = {
        name: None if child is None else copy_of(child, linear) for name, child in children
    }
    return made


def _bytes_of(model: Any) -> int:
    """Return how many bytes the copies of large matrices of ``model`` take, beside them."""
    layers = [module for module in model.transformer_blocks.modules() if _fits(module)]
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
    model: Any = None  # None until it is made
    ready: set[Form] = field(default_factory=set[Form])
    asked: set[Form] = field(default_factory=set[Form])


class FastBlocks:
    """Makes and compiles the copies on a thread of its own, while the blocks run as ever."""

    def __init__(self, torch: ModuleType, free: Callable[[Any], float]) -> None:
        """Make nothing yet.

        Args:
            torch: the imported module.
            free: says how many bytes of a device are free.
        """
        self._torch = torch
        self._free = free
        self._linear = eight_bit_linear(torch)
        self._compiled: Callable[..., Any] | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="compile")
        self._lock = threading.Lock()
        self._copies: dict[int, _Copy] = {}  # by the identity of the model
        self._left = 0  # compilations that are not over

    @property
    def busy(self) -> bool:
        """Tell whether something is being compiled: nothing should be recorded meanwhile."""
        return self._left > 0

    def forget(self, model: Any = None) -> None:
        """Throw the copy of ``model`` away, or all of them."""
        with self._lock:
            if model is None:
                self._copies.clear()
            else:
                self._copies.pop(id(model), None)

    def model_for(self, model: Any, addresses: tuple[int, ...], form: Form) -> Any:
        """Return the compiled copy of ``model`` for a pass of ``form``; None if it is not ready."""
        with self._lock:
            copy = self._copies.get(id(model))
            if copy is None or copy.addresses != addresses or form not in copy.ready:
                return None
            return copy.model

    def learn(
        self,
        model: Any,
        addresses: tuple[int, ...],
        form: Form,
        work: Callable[[Any], object],
    ) -> None:
        """Have the copy made and compiled for a pass of ``form``, once.

        Args:
            model: whose blocks.
            addresses: where its weights lie.
            form: of the pass.
            work: does the pass with another model, on inputs of its own.
        """
        with self._lock:
            copy = self._copies.get(id(model))
            if copy is None or copy.addresses != addresses:
                copy = self._copies[id(model)] = _Copy(addresses)
            if form in copy.asked:
                return
            copy.asked.add(form)
            self._left += 1
        launched = self._torch.cuda.Event()
        launched.record()
        self._thread.submit(self._make, copy, model, form, partial(self._after, launched, work))

    def _after(self, launched: Any, work: Callable[[Any], object], model: Any) -> None:
        """Do ``work`` after what made its inputs."""
        self._torch.cuda.current_stream().wait_event(launched)
        work(model)

    def _make(self, copy: _Copy, model: Any, form: Form, work: Callable[[Any], object]) -> None:
        torch = self._torch
        device = next(model.parameters()).device
        try:
            stream = torch.cuda.Stream(device)
            with torch.inference_mode(), torch.cuda.device(device), torch.cuda.stream(stream):
                if copy.model is None:
                    if self._free(device) < _bytes_of(model) + _ROOM:
                        _log.warning("fast_blocks_no_room")
                        return
                    copy.model = self._copied(model)
                work(copy.model)
                stream.synchronize()
            with self._lock:
                copy.ready.add(form)
            _log.info("fast_blocks_ready")
        except Exception:  # noqa: BLE001  # a compiler can fail in any way; the blocks run as ever
            _log.warning("fast_blocks_failed", exc_info=True)
        finally:
            with self._lock:
                self._left -= 1

    def _copied(self, model: Any) -> Any:
        """Return ``model`` with compiled copies of its blocks, of which most have 8 bits."""
        blocks = list(model.transformer_blocks)
        kind = cast("Any", type(blocks[0]))
        compiled = self._compiled or self._torch.compile(kind.forward, dynamic=True)
        self._compiled = compiled
        made: list[Any] = []
        for number, block in enumerate(blocks):
            edge = number in (0, len(blocks) - 1)
            copied = copy_of(block, None if edge else self._linear)
            copied.__dict__["forward"] = partial(compiled, copied)
            made.append(copied)
        whole, rows = _same(model), self._torch.nn.ModuleList(made)
        whole.__dict__["_modules"] = {**model.__dict__["_modules"], "transformer_blocks": rows}
        return whole
