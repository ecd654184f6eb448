"""Tell where a network's weights lie, and whether they stay there during a pass."""

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
    held = vars(module)
    if held.get("weight_function") or held.get("bias_function") or "_v" in held:
        return False
    for weight in held["_parameters"].values():
        if weight is None:
            continue
        if weight.device != device:
            return False
        flat = getattr(weight, "__tensor_flatten__", None)  # quantised: values and their scales
        if flat is None:
            found.append(weight.data_ptr())
        else:
            found.extend(getattr(weight, name).data_ptr() for name in flat()[0])
    found.extend(id(value) for name, value in held.items() if name == "forward")  # replaced
    return all(_collect(child, device, found) for child in held["_modules"].values())
