"""Compute what lies between the blocks' matrix products in fewer passes over memory.

ComfyUI scales, shifts and gates ``[tokens, width]`` by one row of values for a whole clip or frame.
torch takes a pass over memory for each operation, and its kernels for repeated rows reach a sixth
of the bandwidth. Here operators on such rows wait for the next one, so that two become one kernel;
a row of each frame is not written out for all of its tokens. Each operation is rounded as in torch.
"""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import get_ident
from types import ModuleType
from typing import Any, ClassVar, cast

import structlog

from core.comfy.acceleration.repeated_rows import (
    Deferred,
    FrameRows,
    Handler,
    Kernels,
    Product,
    computed,
)

_log = structlog.get_logger(__name__)
_ALIGNED = 16  # bytes of an address, and what the width of a row is a multiple of


@dataclass(frozen=True, slots=True)
class _Rows:
    """Repeated values as kernels take them."""

    values: Any  # [groups, width]
    group: int  # rows of the other operand that share one of them


class FusedPointwise:
    """Stands before torch's operators for the time of a block; on the executor's thread alone."""

    KINDS: ClassVar = ("bfloat16", "float16")  # whose products are exact in 32 bits

    def __init__(
        self, torch: ModuleType, lightricks: ModuleType, kernels: Kernels, kinds: Any = None
    ) -> None:
        """Replace nothing yet.

        Args:
            torch: the imported module.
            lightricks: ComfyUI's package ``comfy.ldm.lightricks``, its modules imported.
            kernels: of the device.
            kinds: types of values that they compute as torch does; those of 16 bits if left out.
        """
        self._torch = torch
        self._model = lightricks.model
        self._timestep = lightricks.av_model.CompressedTimestep
        self._kernels = kernels
        self._failed = False
        self._kinds = kinds or tuple(getattr(torch, name) for name in self.KINDS)
        self.handlers: dict[str, Handler] = {
            "__mul__": self._mul,
            "add_": self._add_,
            "addcmul_": self._addcmul_,
        }

    def takes(self, x: Any) -> bool:
        """Tell whether passes over values like ``x`` can be computed so; compile for them."""
        if self._failed or x.dtype not in self._kinds or not self._launches(x.device.type):
            return False
        try:
            self._kernels.prepare(x)
        except RuntimeError:  # blocks run with torch's kernels
            _log.warning("pointwise_kernels_failed", exc_info=True)
            self._failed = True
        return not self._failed

    def _launches(self, device: str) -> bool:
        """Tell whether Triton takes memory of a recording: not what CUDA itself gives for one."""
        return device != "cuda" or self._torch.cuda.get_allocator_backend() == "native"

    @contextmanager
    def used(self) -> Generator[None]:
        """Let what ComfyUI's blocks compute in this block be computed so."""
        rotate, expand = self._model.apply_rotary_emb, self._timestep.expand_for_computation

        def rotated(x: Any, angles: Any) -> Any:
            made = self._rotated(x, angles)
            return rotate(x, angles) if made is NotImplemented else made

        def expanded(timestep: Any, table: Any, batch: int, indices: slice = slice(None)) -> Any:
            return self._expanded(expand, timestep, table, batch, indices)

        self._model.apply_rotary_emb = rotated
        self._timestep.expand_for_computation = expanded
        try:
            with asked_first(self._torch.Tensor, self.handlers):
                yield
        finally:
            self._model.apply_rotary_emb = rotate
            self._timestep.expand_for_computation = expand

    def product(self, made: Product) -> Any:
        """Return the tensor that ``made`` stands for."""
        rows, x = self._rows(made.scale, made.x), self._flat(made.x)
        if rows is None or x is None:
            return made.x.mul(computed(made.scale))
        return self._kernels.multiply(x, rows.values, rows.group).view(made.x.shape)

    def modulated(self, made: Product, shift: Any) -> Any:
        """Return ``made`` plus ``shift``."""
        scales, shifts = self._rows(made.scale, made.x), self._rows(shift, made.x)
        x = self._flat(made.x)
        if scales is None or shifts is None or x is None or scales.group != shifts.group:
            return self.product(made).add(computed(shift))
        found = self._kernels.modulate(x, scales.values, shifts.values, scales.group)
        return found.view(made.x.shape)

    def _mul(self, x: Any, scale: Any) -> Any:
        if isinstance(x, Deferred) or isinstance(scale, bool | int | float):
            return NotImplemented
        if self._rows(scale, x) is not None and self._flat(x) is not None:
            return Product(x, scale, self)
        return NotImplemented if isinstance(scale, Deferred) else self._by_head(x, scale)

    def _by_head(self, x: Any, gate: Any) -> Any:
        if gate.dim() != 4 or gate.shape != (*x.shape[:3], 1) or gate.dtype != x.dtype:
            return NotImplemented
        dense = x.is_contiguous() and gate.is_contiguous() and x.shape[3] % _ALIGNED == 0
        if not (dense and self._fits(x) and self._fits(gate)):
            return NotImplemented
        return self._kernels.by_head(x.flatten(0, 1), gate.view(-1, x.shape[2])).view(x.shape)

    def _add_(self, out: Any, made: Any) -> Any:
        if not isinstance(made, Product):
            return NotImplemented
        return self._add_product(out, made.x, made.scale, at_once=False)

    def _addcmul_(self, out: Any, x: Any, gate: Any, *more: Any, **named: Any) -> Any:
        if more or named or isinstance(x, Deferred):
            return NotImplemented
        return self._add_product(out, x, gate, at_once=True)

    def _add_product(self, out: Any, x: Any, gate: Any, *, at_once: bool) -> Any:
        rows, flat = self._rows(gate, x), self._flat(x)
        if rows is None or flat is None or out.shape != x.shape or not self._fits(out):
            return NotImplemented
        if not out.is_contiguous():
            return NotImplemented
        target = out.view(-1, out.shape[-1])
        self._kernels.add_product(target, flat, rows.values, rows.group, at_once=at_once)
        return out

    def _fits(self, x: Any) -> bool:
        return x.dtype in self._kinds and x.data_ptr() % _ALIGNED == 0

    def _flat(self, x: Any) -> Any:
        """Return ``x`` ``[batch, tokens, width]`` as rows; None where kernels cannot take it."""
        if x.dim() != 3 or not self._fits(x) or x.shape[2] % _ALIGNED or x.stride(2) != 1:
            return None
        batch, tokens, width = x.shape
        step = x.stride(1) if tokens > 1 else width
        if step % _ALIGNED or (batch > 1 and x.stride(0) != tokens * step):
            return None
        return x.as_strided((batch * tokens, width), (step, 1))

    def _rows(self, values: Any, x: Any) -> _Rows | None:
        """Return ``values`` as rows that those of ``x`` share; None where they are not repeated."""
        if isinstance(values, FrameRows):
            rows, group = values.rows, values.tokens
        elif isinstance(values, Deferred) or not hasattr(values, "dim"):
            return None
        else:
            rows, group = values, x.shape[1] if x.dim() == 3 else 0
            if x.dim() != 3 or values.dim() != 3 or values.shape[1] != 1 or group == 1:
                return None
        batch, groups, width = rows.shape
        if width != x.shape[-1] or groups * group != x.shape[1] or rows.dtype != x.dtype:
            return None
        if batch != x.shape[0]:
            if batch != 1 or groups != 1:
                return None
            group *= x.shape[0]
        return _Rows(self._table(rows), group)

    def _table(self, rows: Any) -> Any:
        """Return ``rows`` ``[batch, groups, width]`` as ``[batch · groups, width]``, aligned."""
        flat = rows.flatten(0, 1)
        step = flat.stride(0) if flat.shape[0] > 1 else _ALIGNED
        if flat.stride(1) == 1 and step % _ALIGNED == 0 and flat.data_ptr() % _ALIGNED == 0:
            return flat.as_strided(flat.shape, (step, 1))
        return flat.contiguous()

    def _rotated(self, x: Any, angles: Any) -> Any:
        if len(angles) < 3 or not angles[2] or x.dim() != 3 or not self._fits(x):
            return NotImplemented
        cos, sin = angles[:2]
        if cos.dim() != 4 or cos.stride() != sin.stride() or cos.stride(3) != 1:
            return NotImplemented
        heads, half = cos.shape[1], cos.shape[3]
        whole = (cos.shape[0], cos.shape[2], heads * 2 * half)
        steps = (*cos.stride()[:3], half, x.shape[2])
        if whole != tuple(x.shape) or any(step % _ALIGNED for step in steps):
            return NotImplemented
        if not (x.is_contiguous() and self._fits(cos) and self._fits(sin)):
            return NotImplemented
        if not cos.dtype == sin.dtype == x.dtype:
            return NotImplemented
        return self._kernels.rotate(x, cos, sin)

    def _expanded(
        self, original: Handler, timestep: Any, table: Any, batch: int, indices: slice
    ) -> Any:
        """Return rows of each frame, and not of each token, as ComfyUI's original does."""
        tokens = timestep.patches_per_frame
        if tokens == 1 or table.dtype != timestep.data.dtype:
            return original(timestep, table, batch, indices)
        frames = cast("Any", type(timestep))(timestep.data, None)
        return tuple(FrameRows(rows, tokens) for rows in original(frames, table, batch, indices))


@contextmanager
def asked_first(tensor: Any, handlers: dict[str, Handler]) -> Generator[None]:
    """Ask ``handlers`` before the methods of class ``tensor`` that they are named after.

    A mode of torch's would ask about every function, and so take twice the time of a recording.
    """
    own = get_ident()

    def asked(name: str) -> Handler:
        original, handler = getattr(tensor, name), handlers[name]

        def method(*arguments: Any, **named: Any) -> Any:
            made = NotImplemented
            if get_ident() == own:  # not for what another thread computes meanwhile
                made = handler(*arguments, **named)
            return original(*arguments, **named) if made is NotImplemented else made

        return method

    own_methods: dict[str, Any] = dict(tensor.__dict__)
    before = {name: own_methods[name] for name in handlers if name in own_methods}
    try:
        for name, method in {name: asked(name) for name in handlers}.items():
            setattr(tensor, name, method)
        yield
    finally:
        for name in handlers:
            if name in before:
                setattr(tensor, name, before[name])
            else:  # it was torch's base class that had it
                delattr(tensor, name)
