"""Tell where a network's weights lie, and whether they stay there during a pass."""

from collections.abc import Iterator
from dataclasses import fields
from functools import cache
from typing import Any


def addresses(blocks: Any, device: object) -> tuple[int, ...] | None:
    """Return where every weight below ``blocks`` lies in the device's memory, in order.

    What was recorded reads these addresses. It is right as long as they are the same: with other
    values there, it computes with those.

    Args:
        blocks: a torch module.
        device: where the weights must be.

    Returns:
        None where a weight is elsewhere, or is brought or changed by ComfyUI in the pass itself.
    """
    found: list[int] = []
    return tuple(found) if _collect(blocks, device, found) else None


def _collect(module: Any, device: object, found: list[int]) -> bool:
    held: dict[str, Any] = module.__dict__
    if held.get("weight_function") or held.get("bias_function") or "_v" in held:
        return False
    for weight in held["_parameters"].values():
        if weight is None:
            continue
        if weight.device != device:
            return False
        values = getattr(weight, "_qdata", weight)
        found.append(values.data_ptr())
        if values is not weight:  # quantised: its scales lie elsewhere
            found.extend(part.data_ptr() for part in _scales(weight))
    found.append(id(held.get("forward")))  # replaced for this module alone
    children = held["_modules"]
    return not children or all(_collect(child, device, found) for child in children.values())


def _scales(weight: Any) -> Iterator[Any]:
    settings = weight.params
    for name in _names(settings.__class__):
        part = getattr(settings, name)
        if hasattr(part, "data_ptr"):
            yield part


@cache
def _names(settings: Any) -> tuple[str, ...]:
    return tuple(field.name for field in fields(settings))
