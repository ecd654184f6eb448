"""One pass through the transformer's blocks: its arguments, and what is recorded of it."""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

from core.comfy.acceleration.recording import Recording
from core.comfy.acceleration.switch import Forward
from core.comfy.acceleration.tensor_tree import Form, rebuild

# what ComfyUI's samplers put into transformer_options; none of it changes what blocks compute
_KNOWN = {
    *("cond_or_uncond", "uuids", "sigmas", "sample_sigmas", "callbacks", "wrappers", "patches"),
    *("patches_replace", "prefetch_dynamic_vbars"),
}
_EMPTY = ("patches", "patches_replace")  # nothing below these may be asked for
FAST = "fast"  # ends the form of a pass through other blocks


@dataclass(frozen=True, slots=True)
class BlockGraph:
    """One recording, and the tensors that it reads; the first two are also what it writes."""

    recording: Recording
    tensors: list[Any]

    def launch(self, tensors: list[Any]) -> None:
        """Launch it with the values of ``tensors``."""
        for kept, given in zip(self.tensors, tensors, strict=True):
            kept.copy_(given)
        self.recording.replay()


@dataclass(slots=True)
class Shapes:
    """The recordings of one model, by form; None where CUDA refused one."""

    addresses: tuple[int, ...]
    graphs: OrderedDict[Form, BlockGraph | None] = field(
        default_factory=OrderedDict[Form, "BlockGraph | None"]
    )


@dataclass(frozen=True, slots=True)
class Pass:
    """The arguments of one pass that has an answer in a graph."""

    model: Any
    tensors: list[Any]
    form: Form
    addresses: tuple[int, ...]
    go: Callable[..., list[Any]]  # with other arguments, and another model's blocks


def refusal(options: Mapping[str, Any], flags: tuple[str, ...]) -> Forward | None:
    """Return why a pass with ``transformer_options`` has to be eager; None where it need not.

    Args:
        options: of the pass.
        flags: names of what is a part of its form.
    """
    if "optimized_attention_override" in options:
        return Forward.PATCHES
    if any(value for name in _EMPTY for value in options.get(name, {}).values()):
        return Forward.PATCHES
    return None if options.keys() <= {*_KNOWN, *flags} else Forward.OPTION


def in_place(found: Pass, tensors: list[Any]) -> None:
    """Go through the blocks with ``tensors`` and leave what they make in the first two."""
    form = found.form[: -2 if found.form[-1] == FAST else -1]
    made = found.go(rebuild(form, iter(tensors)))
    for kept, result in zip(tensors[:2], made, strict=True):
        if result is not kept:
            kept.copy_(result)


def like(torch: ModuleType, tensor: Any) -> Any:
    """Return memory for a tensor laid out as ``tensor`` is, so that the same kernels run."""
    steps = zip(tensor.stride(), tensor.shape, strict=True)
    if any(step == 0 and size > 1 for step, size in steps):
        return torch.empty(tensor.shape, dtype=tensor.dtype, device=tensor.device)
    return torch.empty_strided(
        tensor.shape, tensor.stride(), dtype=tensor.dtype, device=tensor.device
    )
