"""Values that operators on repeated rows leave behind, until it is known what becomes of them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

Handler = Callable[..., Any]  # answers ``NotImplemented`` where torch has to


class Kernels(Protocol):
    """See :class:`core.comfy.acceleration.pointwise_kernels.PointwiseKernels`."""

    def modulate(self, x: Any, scale: Any, shift: Any, group: int) -> Any:
        """Return ``x · scale + shift``."""
        ...

    def multiply(self, x: Any, scale: Any, group: int) -> Any:
        """Return ``x · scale``."""
        ...

    def add_product(self, out: Any, x: Any, gate: Any, group: int, *, at_once: bool) -> None:
        """Add ``x · gate`` to ``out``."""
        ...

    def by_head(self, x: Any, gate: Any) -> Any:
        """Return ``x`` times one value of ``gate`` for each head."""
        ...

    def rotate(self, x: Any, cos: Any, sin: Any) -> Any:
        """Return ``x`` turned by the angles of its tokens."""
        ...

    def prepare(self, like: Any) -> None:
        """Compile for the type and the device of ``like``.

        Raises:
            RuntimeError: it cannot be done.
        """
        ...


class Deferred:
    """Stands for a tensor that is computed when somebody wants it."""

    __slots__ = ()

    def value(self) -> Any:
        """Return the tensor, computed as torch does."""
        raise NotImplementedError

    def __getattr__(self, name: str) -> Any:
        return getattr(self.value(), name)

    @classmethod
    def __torch_function__(
        cls, function: Handler, _: Any, arguments: Any = (), named: Any = None
    ) -> Any:
        return function(*map(computed, arguments), **(named or {}))


@dataclass(frozen=True, slots=True)
class FrameRows(Deferred):
    """Rows of values ``[batch, frames, width]``, each for all ``tokens`` of its frame."""

    rows: Any
    tokens: int

    def value(self) -> Any:
        """Return ``[batch, frames · tokens, width]``."""
        batch, frames, width = self.rows.shape
        wide = self.rows.unsqueeze(2).expand(batch, frames, self.tokens, width)
        return wide.reshape(batch, -1, width)

    def __radd__(self, other: Any) -> Any:
        if isinstance(other, int | float):
            return FrameRows(other + self.rows, self.tokens)
        return other + self.value()


class Fusion(Protocol):
    """See :class:`core.comfy.acceleration.fused_pointwise.FusedPointwise`."""

    def product(self, made: "Product") -> Any:
        """Return the tensor that ``made`` stands for."""
        ...

    def modulated(self, made: "Product", shift: Any) -> Any:
        """Return ``made`` plus ``shift``."""
        ...


@dataclass(frozen=True, slots=True)
class Product(Deferred):
    """``x · scale``, where ``scale`` is repeated; what is added next may share its kernel."""

    x: Any
    scale: Any
    fusion: Fusion

    def value(self) -> Any:
        """Return the product."""
        return self.fusion.product(self)

    def __add__(self, shift: Any) -> Any:
        return self.fusion.modulated(self, shift)

    def __radd__(self, other: Any) -> Any:
        return other + self.value()


def computed(value: Any) -> Any:
    """Return the tensor that ``value`` stands for, or ``value`` itself."""
    return value.value() if isinstance(value, Deferred) else value
