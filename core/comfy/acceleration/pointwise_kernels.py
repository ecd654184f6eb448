"""Triton kernels for values that are the same in all rows of a group: one pass over memory each.

torch launches one kernel for each operation, and where it repeats a row of values it reads and
writes one value at a time. Every result here is rounded where torch rounds it, so the bytes are the
same. Import this module only where Triton is installed.

Values are ``[rows, width]``, of 16 bits, computed in 32; what is repeated is ``[groups, width]``,
and ``group`` rows in a row share one of them.
"""

# ruff: noqa: ANN001
# pyright: reportMissingParameterType=false, reportUnknownParameterType=false
# pyright: reportUnknownArgumentType=false, reportUnknownVariableType=false, reportUnknownMemberType=false
# Triton compiles these functions, their annotations too, and knows no ``Any``.

from importlib import import_module
from subprocess import SubprocessError  # of the C compiler that Triton calls
from typing import Any

triton: Any = import_module("triton")
tl: Any = import_module("triton.language")
TritonError: type[Exception] = import_module("triton.errors").TritonError

BLOCK = 1024  # values of a row that one program computes: 8 a thread, 16 bytes
_BLOCK: Any = tl.constexpr(BLOCK)


def _modulated(
    x, scale, shift, out,
    x_step, scale_step, shift_step, width, group,
) -> None:  # fmt: skip
    """Write ``x · scale + shift``."""
    row = tl.program_id(0).to(tl.int64)
    place = tl.program_id(1) * _BLOCK + tl.arange(0, _BLOCK)
    inside = place < width
    kept = row // group
    kind = out.dtype.element_ty
    value = tl.load(x + row * x_step + place, mask=inside).to(tl.float32)
    by = tl.load(scale + kept * scale_step + place, mask=inside).to(tl.float32)
    more = tl.load(shift + kept * shift_step + place, mask=inside).to(tl.float32)
    product = (value * by).to(kind).to(tl.float32)
    tl.store(out + row * width + place, (product + more).to(kind), mask=inside)


def _multiplied(x, scale, out, x_step, scale_step, width, group) -> None:
    """Write ``x · scale``."""
    row = tl.program_id(0).to(tl.int64)
    place = tl.program_id(1) * _BLOCK + tl.arange(0, _BLOCK)
    inside = place < width
    value = tl.load(x + row * x_step + place, mask=inside).to(tl.float32)
    by = tl.load(scale + (row // group) * scale_step + place, mask=inside).to(tl.float32)
    tl.store(out + row * width + place, (value * by).to(out.dtype.element_ty), mask=inside)


def _added(out, x, gate, x_step, gate_step, width, group) -> None:
    """Add ``x · gate``, rounded before."""
    row = tl.program_id(0).to(tl.int64)
    place = tl.program_id(1) * _BLOCK + tl.arange(0, _BLOCK)
    inside = place < width
    kind = out.dtype.element_ty
    value = tl.load(x + row * x_step + place, mask=inside).to(tl.float32)
    by = tl.load(gate + (row // group) * gate_step + place, mask=inside).to(tl.float32)
    before = tl.load(out + row * width + place, mask=inside).to(tl.float32)
    product = (value * by).to(kind).to(tl.float32)
    tl.store(out + row * width + place, (before + product).to(kind), mask=inside)


def _added_at_once(out, x, gate, x_step, gate_step, width, group) -> None:
    """Add ``x · gate``, rounded once: the product of two values of 16 bits is exact in 32."""
    row = tl.program_id(0).to(tl.int64)
    place = tl.program_id(1) * _BLOCK + tl.arange(0, _BLOCK)
    inside = place < width
    value = tl.load(x + row * x_step + place, mask=inside).to(tl.float32)
    by = tl.load(gate + (row // group) * gate_step + place, mask=inside).to(tl.float32)
    before = tl.load(out + row * width + place, mask=inside).to(tl.float32)
    made = (before + value * by).to(out.dtype.element_ty)
    tl.store(out + row * width + place, made, mask=inside)


def _by_head(x, gate, out, width, half) -> None:
    """Write ``x · gate``, one value of ``gate`` for each ``half`` values in a row of ``x``."""
    row = tl.program_id(0).to(tl.int64)
    place = tl.program_id(1) * _BLOCK + tl.arange(0, _BLOCK)
    inside = place < width
    value = tl.load(x + row * width + place, mask=inside).to(tl.float32)
    by = tl.load(gate + row * (width // half) + place // half, mask=inside).to(tl.float32)
    tl.store(out + row * width + place, (value * by).to(out.dtype.element_ty), mask=inside)


def _rotated(
    x, cos, sin, out,
    batch_step, head_step, token_step, width, half, tokens,
) -> None:  # fmt: skip
    """Turn each pair of values, ``half`` apart in its head, by the angle of its token."""
    row = tl.program_id(0).to(tl.int64)
    place = tl.program_id(1) * _BLOCK + tl.arange(0, _BLOCK)
    inside = place < width // 2
    head = place // half
    first = row * width + head * 2 * half + place % half
    angle = (row // tokens) * batch_step + (row % tokens) * token_step
    angle += head * head_step + place % half
    kind = out.dtype.element_ty
    one = tl.load(x + first, mask=inside).to(tl.float32)
    other = tl.load(x + first + half, mask=inside).to(tl.float32)
    along = tl.load(cos + angle, mask=inside).to(tl.float32)
    across = tl.load(sin + angle, mask=inside).to(tl.float32)
    kept_one = (one * along).to(kind).to(tl.float32)
    kept_other = (other * along).to(kind).to(tl.float32)
    tl.store(out + first, (kept_one - across * other).to(kind), mask=inside)
    tl.store(out + first + half, (kept_other + across * one).to(kind), mask=inside)


class PointwiseKernels:
    """Launches the kernels on the current stream; tensors have 16-byte addresses and steps."""

    def __init__(self) -> None:
        """Compile nothing yet: Triton does so at the first launch of each."""
        self._modulated = _compiled(_modulated, "group")
        self._multiplied = _compiled(_multiplied, "group")
        self._added = _compiled(_added, "group")
        self._added_at_once = _compiled(_added_at_once, "group")
        self._by_head = _compiled(_by_head)
        self._rotated = _compiled(_rotated, "tokens")
        self._prepared: set[tuple[Any, Any]] = set()

    def prepare(self, like: Any) -> None:
        """Compile all of them for the type and the device of ``like``: not while recording.

        Raises:
            RuntimeError: Triton or its compiler cannot; CUDA's errors are of this kind, too.
        """
        if (like.dtype, like.device) in self._prepared:
            return
        try:
            self._launch_each(like)
        except (TritonError, ValueError, OSError, SubprocessError) as error:
            raise RuntimeError("kernels cannot be compiled") from error
        self._prepared.add((like.dtype, like.device))

    def _launch_each(self, like: Any) -> None:
        x = like.new_zeros(4, BLOCK)
        row, angles = x[:1], x.view(1, 4, 2, BLOCK // 2)[..., : BLOCK // 4].transpose(1, 2)
        self.modulate(x, row, row, 4)
        self.multiply(x, row, 4)
        for at_once in (False, True):
            self.add_product(x, x.clone(), row, 4, at_once=at_once)
        self.by_head(x.view(4, 2, -1), x[:, :16].clone().flatten()[:8].view(4, 2))
        self.rotate(x[None], angles, angles)

    def modulate(self, x: Any, scale: Any, shift: Any, group: int) -> Any:
        """Return ``x · scale + shift``, two operations.

        Args:
            x: ``[rows, width]``.
            scale: ``[groups, width]``.
            shift: ``[groups, width]``.
            group: rows that share a row of both.
        """
        out = x.new_empty(x.shape)
        steps = x.stride(0), scale.stride(0), shift.stride(0), x.shape[1], group
        self._modulated(_grid(x), x, scale, shift, out, *steps)
        return out

    def multiply(self, x: Any, scale: Any, group: int) -> Any:
        """Return ``x · scale``; as in :meth:`modulate`."""
        out = x.new_empty(x.shape)
        steps = x.stride(0), scale.stride(0), x.shape[1], group
        self._multiplied(_grid(x), x, scale, out, *steps)
        return out

    def add_product(self, out: Any, x: Any, gate: Any, group: int, *, at_once: bool) -> None:
        """Add ``x · gate`` to ``out``, all as in :meth:`modulate`.

        Args:
            out: contiguous.
            x: as ``out``.
            gate: ``[groups, width]``.
            group: rows that share a row of ``gate``.
            at_once: as one operation, and not two.
        """
        kernel = self._added_at_once if at_once else self._added
        kernel(_grid(x), out, x, gate, x.stride(0), gate.stride(0), x.shape[1], group)

    def by_head(self, x: Any, gate: Any) -> Any:
        """Return ``x`` ``[rows, heads, values]`` times ``gate`` ``[rows, heads]``, contiguous."""
        out = x.new_empty(x.shape)
        rows = x.flatten(1)
        self._by_head(_grid(rows), x, gate, out, rows.shape[1], x.shape[2])
        return out

    def rotate(self, x: Any, cos: Any, sin: Any) -> Any:
        """Return ``x`` ``[batch, tokens, width]``, contiguous, turned as rotary embedding does.

        Args:
            x: both halves of each head.
            cos: ``[batch, heads, tokens, half a head]``.
            sin: laid out as ``cos``.
        """
        out = x.new_empty(x.shape)
        batch, tokens, width = x.shape
        steps = (*cos.stride()[:3], width, cos.shape[3], tokens)
        grid = (batch * tokens, triton.cdiv(width // 2, BLOCK))
        self._rotated(grid, x, cos, sin, out, *steps)
        return out


def _compiled(kernel: Any, *free: str) -> Any:
    """Return what launches ``kernel``; numbers not in ``free`` are multiples of 16.

    So there is one version for all shapes: none has to be compiled while a graph is recorded.
    """
    made = triton.jit(kernel, do_not_specialize=list(free))

    def launch(grid: tuple[int, int], *given: Any) -> None:
        made[grid](*given, enable_fp_fusion=False)  # what is added to is rounded before

    return launch


def _grid(rows: Any) -> tuple[int, int]:
    return rows.shape[0], triton.cdiv(rows.shape[1], BLOCK)
