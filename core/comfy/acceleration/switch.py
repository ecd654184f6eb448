"""The switch that every replaced function asks, and the count of what it led to."""

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum


class Forward(StrEnum):
    """How one pass through the transformer's blocks was launched: replayed, or eager and why."""

    REPLAYED = "replayed"  # one graph of all blocks
    FAST = "fast"  # their compiled copies in 8 bits, as one graph or not
    RECORDED = "recorded"  # eager: the first of its shape, recorded for the ones that follow
    BUSY = "busy"  # eager: the device is slower than Python, so a graph would gain nothing
    OFF = "off"
    DEVICE = "device"  # no CUDA
    SEVERAL_DEVICES = "several_devices"
    PAGING = "paging"  # weights that come to the device, or are patched, in the pass
    PATCHES = "patches"  # a node replaced a block or the attention
    OPTION = "option"  # a node asked for something by a name that is not known
    INPUT = "input"  # an argument of a kind that is not known
    MEMORY = "memory"  # too little left for a recording
    REFUSED = "refused"  # CUDA would not record this shape


@dataclass(slots=True)
class Acceleration:
    """Whether to accelerate; changed and read on the executor's thread alone."""

    enabled: bool = True
    fast: bool = False  # other values too: 8 bits in the blocks, norms fused in the decoder
    forwards: Counter[Forward] = field(default_factory=Counter[Forward])  # since the last report

    def take_forwards(self) -> dict[str, int]:
        """Return how often passes were launched in each way since the last call."""
        found = {kind.value: count for kind, count in self.forwards.items()}
        self.forwards.clear()
        return found
