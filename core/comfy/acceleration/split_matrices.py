"""Multiply values of 32 bits by matrices of 16 bits, without making the matrices larger.

ComfyUI writes a copy of each matrix in 32 bits first, and multiplies on the device's slow units.
A value of 32 bits is the sum of three of 16 (``bfloat16`` has 8 bits of mantissa, 24 are wanted),
whose products with a matrix of 16 bits are exact: only the order of adding up differs.
"""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from functools import partial
from types import ModuleType
from typing import Any, cast

_PARTS = 3
_CAPABILITY = (8, 0)  # of the first devices that multiply ``bfloat16``
Multiply = Callable[[Any, Any], Any]  # rows and a matrix of 16 bits to rows of 32 bits


class SplitMatrices:
    """Stands before linear layers for the time of a block; on the executor's thread alone."""

    def __init__(
        self, torch: ModuleType, multiply: Multiply | None = None, device: str = "cuda"
    ) -> None:
        """Replace nothing yet.

        Args:
            torch: the imported module.
            multiply: adds up in 32 bits; left out, torch's own, which only CUDA has.
            device: the type of device that it computes on.
        """
        self._torch = torch
        self._multiply = multiply or partial(_on_cuda, torch)
        self._device = device
        self._split: tuple[Any, Any] | None = None  # the last input, and its parts

    @contextmanager
    def used_in(self, network: Any) -> Generator[None]:
        """Let the layers of ``network``, a torch module, that fit compute in this way."""
        layers = [module for module in network.modules() if self._fits(module)]
        for layer in layers:
            layer.__dict__["forward"] = partial(self._forward, layer)
        try:
            yield
        finally:
            self._split = None
            for layer in layers:
                del layer.__dict__["forward"]

    def _fits(self, module: Any) -> bool:
        """Tell whether a module is a linear layer of 16 bits that stays on the device."""
        held: dict[str, Any] = module.__dict__
        weight = held["_parameters"].get("weight")
        if weight is None or type(module).__name__ != "Linear" or hasattr(weight, "_qdata"):
            return False
        if held.get("weight_function") or "_v" in held or "forward" in held:
            return False
        there = weight.dtype == self._torch.bfloat16 and weight.device.type == self._device
        return there and held["_parameters"].get("bias") is None and self._able(weight.device)

    def _able(self, device: Any) -> bool:
        if self._device != "cuda":
            return True
        return self._torch.cuda.get_device_capability(device) >= _CAPABILITY

    def _forward(self, layer: Any, x: Any) -> Any:
        if x.dtype != self._torch.float32:
            return cast("Any", type(layer)).forward(layer, x)
        parts = self._parts(x)
        made = self._multiply(parts.flatten(0, 1), layer.weight.t())
        return made.view(_PARTS, -1, made.shape[-1]).sum(0).view(*x.shape[:-1], -1)

    def _parts(self, x: Any) -> Any:
        """Return ``x`` as ``[3, rows, width]`` of 16 bits; several layers ask for the same one."""
        if self._split is not None and self._split[0] is x:
            return self._split[1]
        rest = x.reshape(-1, x.shape[-1])
        parts = rest.new_empty((_PARTS, *rest.shape), dtype=self._torch.bfloat16)
        for part in parts[:-1]:
            part.copy_(rest)
            rest = rest - part
        parts[-1].copy_(rest)
        self._split = (x, parts)
        return parts


def _on_cuda(torch: ModuleType, rows: Any, matrix: Any) -> Any:
    return torch.mm(rows, matrix, out_dtype=torch.float32)
