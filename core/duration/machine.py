"""Seconds of a part: ``a`` · FLOP + ``b`` · bytes + ``c``, and never faster than its launches.

The profile of the hardware gives the first rates; :mod:`core.duration.calibration` replaces them.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache

from core.duration.decode_tiles import tile_for
from core.duration.hardware import BY_KEY, UNKNOWN, Hardware
from core.duration.launching import Launching, shares
from core.duration.workload import WEIGHTS, Part, PartCost, SamplingPlan, Tiling, voxels
from core.errors import NotAChoice
from core.models.catalog import FAMILY, Profile

# bytes a second through the host's memory, measured: decoded tiles are added up there, and the
# latent upscaler comes from there and goes back
HOST_BANDWIDTH = 3.2e9
_REACHED = 0.72  # share of the specified bandwidth of device memory: measured
HEADROOM = 0.8  # share of device memory that weights may take
# of the weights that all stay: fragments and a desktop. Measured in bf16: 72.7 GB of 74.9 GB of
# files stay, 79.8 GB at most with a clip of 768×512×121
SPARE = 1.05
ACTIVATIONS = 16 * 1024**3  # bytes of sampling and decoding beside the weights, 1920×1088×241
# bytes of the same where memory is saved and the decoder works in tiles: what a card of 12 GB had
# for it, measured by bench/small_cards.py; it may need less
TILED_ACTIVATIONS = 0.8 * 12 * 1024**3
LARGEST_MEASURED = voxels(1920, 1088, 241)  # of that

# seconds that a part takes on the H200's host however small the clip is: measured
FIXED_S: dict[Part, float] = {
    Part.TEXT: 0.88,
    Part.PREPARE: 0.06,
    Part.STAGE1: 0.25,
    Part.UPSCALE: 0.005,
    Part.STAGE2: 0.10,
    Part.DECODE: 0.01,
    Part.AUDIO_DECODE: 0.014,
    Part.VIDEO_ENCODE: 0.3,
}
# share of the decoder's efficiency that the other codec networks reach: measured
CODEC_SHARES: dict[Part, float] = {
    Part.PREPARE: 0.27,
    Part.UPSCALE: 0.5,
    Part.DECODE: 1.0,
    Part.AUDIO_DECODE: 0.036,
}


@dataclass(frozen=True, slots=True)
class Rates:
    """The coefficients of one part."""

    a: float  # seconds a FLOP
    b: float  # seconds a byte
    c: float  # seconds
    launch: float = 0.0  # seconds a pass, at least

    def seconds(self, effort: float, moved: float, passes: float) -> float:
        """Return the expected seconds.

        Args:
            effort: FLOP, with what slow kernels add.
            moved: bytes, as the device's memory would feel them.
            passes: runs of the network.
        """
        return max(self.a * effort + self.b * moved, self.launch * passes) + self.c


@cache
def prior(part: Part, hardware: Hardware) -> Rates:
    """Return the rates of ``part`` that the profile of ``hardware`` promises."""
    if part is Part.VIDEO_ENCODE:
        cores = min(hardware.cores, 16) ** 0.8  # x264 threads wait for each other
        return Rates(0.0, 1 / (hardware.encode_rate * cores), FIXED_S[part] * hardware.fixed_s)
    share = CODEC_SHARES.get(part)
    share = hardware.sampling_share if share is None else share * hardware.codec_share
    return Rates(
        a=1 / (hardware.flops * share),
        b=1 / (hardware.bandwidth * _REACHED),
        c=FIXED_S[part] * hardware.fixed_s,
        launch=hardware.launch_s,
    )


def saves_memory(vram: str, profile: str) -> bool:
    """Tell whether to save memory even where there may be enough.

    Args:
        vram: how models share the device's memory, as the setting.
        profile: the model files.
    """
    offloads = profile in set(Profile) and FAMILY.profiles[Profile(profile)].offload
    return vram == "low" or offloads


@dataclass(frozen=True)
class Machine:
    """A device, the model files on it, and what its recorded runs taught."""

    hardware: Hardware = UNKNOWN
    profile: str = "fp8"
    vram: str = "auto"  # how models share the device's memory, as the setting
    rates: Mapping[Part, Rates] = field(default_factory=dict[Part, Rates])  # calibrated; else prior
    spread: float | None = None  # calibrated standard deviation of log(total seconds)
    runs: int = 0  # recorded runs behind the rates
    way: Launching = Launching.GRAPHS  # as chosen; without room for all models, none is used

    def __post_init__(self) -> None:
        if self.profile not in WEIGHTS:
            raise NotAChoice("profile", self.profile[:40], ", ".join(WEIGHTS))

    @property
    def streamed(self) -> float:
        """Return the transformer's bytes that do not fit and cross the bus in every forward."""
        return max(0.0, WEIGHTS[self.profile].transformer - HEADROOM * self.hardware.memory)

    @property
    def keeps(self) -> bool:
        """Tell whether every model stays on the device: as asked for, or where all have room.

        On an H200 it halves the time of a warm clip (docs/performance.md).
        """
        if self.vram != "auto" or self.profile not in set(Profile):
            return self.vram == "high"
        files = FAMILY.files_for(None, Profile(self.profile))
        weights = sum(file.size_bytes for file in files)
        return self.hardware.memory >= weights * SPARE + ACTIVATIONS

    def fits(self, plan: SamplingPlan) -> bool:
        """Tell whether ``plan`` has room beside weights that travel; one of no weights always."""
        if not WEIGHTS[self.profile].total:
            return True
        careful = saves_memory(self.vram, self.profile)
        most = TILED_ACTIVATIONS if careful else ACTIVATIONS
        needed = most * plan.voxels / LARGEST_MEASURED
        return needed <= HEADROOM * self.hardware.memory

    def tiling(self, plan: SamplingPlan) -> Tiling | None:
        """Choose the tiles in which the decoder works on ``plan``; None is one piece.

        Not at all where there is memory enough; never into large tiles where it is to be saved.
        """
        weights = WEIGHTS[self.profile]
        if not weights.total:
            return None
        free = self.hardware.memory - min(weights.total, HEADROOM * self.hardware.memory)
        found, small = tile_for(plan, free), Tiling()
        if saves_memory(self.vram, self.profile):
            return small if found is None or found.side > small.side else found
        return found

    def with_tiling(self, plan: SamplingPlan) -> SamplingPlan:
        """Give ``plan`` the tiles that this machine needs; tiles that it has already stay.

        Unless everything is to stay, the upscaler is taken to travel, as in the runs that the first
        rates come from: where it stays although nobody asked, recorded runs teach that.
        """
        tiling = plan.tiling or self.tiling(plan)
        return replace(plan, tiling=tiling, upscaler_travels=self.vram != "high")

    def features(self, work: PartCost) -> tuple[float, float, float]:
        """Return effort (FLOP), bytes as the device's memory would feel them, and passes."""
        if work.part is Part.VIDEO_ENCODE:
            return 0.0, work.host_bytes, 0.0
        sampled = work.part in {Part.STAGE1, Part.STAGE2}
        hidden = self.hardware.bandwidth * _REACHED
        slow = work.passes * self.streamed / self.hardware.host_bandwidth if sampled else 0.0
        slow += work.host_bytes / HOST_BANDWIDTH
        return work.effort, work.bytes + slow * hidden, work.passes

    def first_rates(self, part: Part) -> Rates:
        """Return the rates that the profile promises for ``part`` on this machine."""
        rates = prior(part, self.hardware)
        share = shares(
            part, self.profile, self.way, keeps=self.keeps, eight_bits=self.hardware.eight_bits
        )
        return Rates(
            rates.a * share.effort,
            rates.b * share.effort,
            rates.c * share.fixed,
            rates.launch * share.launch,
        )

    def seconds(self, work: PartCost) -> float:
        """Return the expected seconds of ``work``: the median of what runs take."""
        rates = self.rates.get(work.part) or self.first_rates(work.part)
        return rates.seconds(*self.features(work))

    def p95(self, seconds: float) -> float:
        """Return the seconds that 19 of 20 runs stay below, where ``seconds`` is the median."""
        spread = self.hardware.spread if self.spread is None else self.spread
        return seconds * math.exp(1.645 * spread)


DRAFT = Machine(BY_KEY["draft"], "draft")
