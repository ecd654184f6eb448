"""How the transformer is launched, and what that makes of a profile's first rates.

Source: one NVIDIA H200, ``tests/unit/duration/h200_ways.toml``.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from core.duration.workload import Part

_QUANTISED = {"fp8", "low"}  # profiles whose matrices have 8 bits
_SAMPLED = {Part.STAGE1, Part.STAGE2}


class Launching(StrEnum):
    """The ways of :mod:`core.comfy.acceleration`."""

    PLAIN = "plain"  # kernel by kernel, prompts with their padding
    GRAPHS = "graphs"
    FAST = "fast"  # 8 bits and compiled as well

    @classmethod
    def of(cls, pin: str) -> Self:
        """Read the way that runs are recorded with, beside ComfyUI's commit."""
        named = set(pin.split()[1:])
        return next((way for way in cls if way.value in named), cls("graphs"))

    @property
    def noted(self) -> str:
        """Return the word beside ComfyUI's commit; empty for the usual way."""
        return "" if self is Launching.GRAPHS else self.value


@dataclass(frozen=True, slots=True)
class LaunchShares:
    """How many times what a profile says: per FLOP, per byte, per launch, and fixed."""

    effort: float = 1.0
    launch: float = 1.0
    fixed: float = 1.0


_USUAL = LaunchShares()
# Python needs 575 ms for a pass through ComfyUI's layers of 8 bits, 110 ms through others
_QUANTISED_PLAIN = LaunchShares(launch=5.2)
_FIXED = {Part.STAGE1: 0.5}  # of what a stage takes beside its passes


def shares(
    part: Part, profile: str, way: Launching, *, keeps: bool, eight_bits: bool = True
) -> LaunchShares:
    """Return what ``way`` makes of the first rates of ``part``.

    Args:
        part: of a run.
        profile: the model files.
        way: as chosen.
        keeps: whether every model stays on the device; else no graph is used.
        eight_bits: whether the device multiplies matrices of 8 bits.
    """
    quantised = profile in _QUANTISED
    if part is Part.TEXT and way is not Launching.PLAIN:  # the real tokens alone
        return LaunchShares(effort=1.0 if quantised else 0.3, fixed=0.0)
    if part not in _SAMPLED:
        return _USUAL
    if way is Launching.PLAIN or not keeps:
        return _QUANTISED_PLAIN if quantised else _USUAL
    fixed = _FIXED.get(part, 1.0)
    if way is Launching.FAST and eight_bits:
        return LaunchShares(effort=0.65, launch=0.2, fixed=fixed)
    effort = 0.66 if quantised and eight_bits else 0.85  # operations share kernels
    return LaunchShares(effort=effort, launch=0.2, fixed=fixed)
