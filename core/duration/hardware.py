"""Devices as numbers: what their sheets say, and which share of it this work reaches.

The shares of the H200 come from measurements of every stage; the other cards take them over
with a margin, until this machine's recorded runs correct them.
"""

from dataclasses import dataclass, replace

from core.models.architecture import GIGA, TERA


@dataclass(frozen=True, slots=True)
class Hardware:
    """One device with its host."""

    key: str  # how people name it on the command line
    names: tuple[str, ...]  # parts of the device name that drivers report, lower case
    flops: float  # dense bf16 a second, as specified
    bandwidth: float  # device memory, bytes a second
    memory: float  # device memory, bytes
    sampling_share: float = 0.5  # of flops, in the transformer
    codec_share: float = 0.5  # of flops, in the video autoencoder's decoder
    fixed_s: float = 1.2  # times the fixed seconds of each part; the H200's host is 1
    launch_s: float = 0.11  # the fastest forward, however few tokens: kernels launched one by one
    host_bandwidth: float = 12 * GIGA  # RAM to device, bytes a second
    disk_bandwidth: float = 1.5 * GIGA
    encode_rate: float = 30e6  # RGB bytes a second and CPU core, libx264 veryfast
    cores: int = 8
    spread: float = 0.35  # standard deviation of log(seconds): how little we know
    known: bool = True
    eight_bits: bool = True  # multiplies matrices of 8 bits as such, not made to 16 first
    zerogpu: str = ""  # the size under which the Space service lends it


UNKNOWN = Hardware(
    "unknown",
    (),
    flops=30 * TERA,
    bandwidth=0.35e12,
    memory=16 * GIGA,
    sampling_share=0.35,
    codec_share=0.3,
    fixed_s=1.5,
    host_bandwidth=6 * GIGA,
    disk_bandwidth=0.5 * GIGA,
    cores=4,
    spread=0.6,
    known=False,
    eight_bits=False,
)

_BLACKWELL = Hardware(
    "rtx-pro-6000",
    ("rtx pro 6000",),
    flops=500 * TERA,
    bandwidth=1.79e12,
    memory=96 * GIGA,
    zerogpu="xlarge",
)


def _rtx(model: str, shaders: float, bandwidth: float, gigabytes: int) -> Hardware:
    """Return a card for games; with sums of 32 bits its matrix units do twice its shaders' work.

    Args:
        model: as people call it.
        shaders: TFLOP a second in 32 bits, as specified.
        bandwidth: GB a second.
        gigabytes: of memory.
    """
    return Hardware(
        model.replace(" ", "-"),
        (f"rtx {model}",),
        flops=2 * shaders * TERA,
        bandwidth=bandwidth * GIGA,
        memory=gigabytes * GIGA,
        eight_bits=not model.startswith("3"),  # units for them came with the 4000s
    )


HARDWARE: tuple[Hardware, ...] = (
    Hardware(
        "h200",
        ("h200",),
        flops=989 * TERA,
        bandwidth=4.8e12,
        memory=141 * GIGA,
        sampling_share=0.60,
        codec_share=0.79,
        fixed_s=1.0,
        host_bandwidth=6.3 * GIGA,
        cores=16,
        spread=0.15,
        zerogpu="h200",
    ),
    Hardware(
        "h100",
        ("h100", "h800"),
        flops=989 * TERA,
        bandwidth=3.35e12,
        memory=80 * GIGA,
        sampling_share=0.55,
        codec_share=0.7,
        spread=0.25,
    ),
    # half of the card, as lent in slices; taken to be proportional. Before the full card, as a
    # slice reports the full card's name with its own profile behind
    replace(
        _BLACKWELL,
        key="rtx-pro-6000-half",
        names=("mig 2g.48gb",),
        flops=250 * TERA,
        bandwidth=0.9e12,
        memory=48 * GIGA,
        zerogpu="large",
    ),
    _BLACKWELL,
    _rtx("5090", 105, 1790, 32),
    _rtx("4090", 82.5, 1000, 24),
    _rtx("3090", 35.5, 940, 24),
    _rtx("5080", 56.3, 960, 16),
    _rtx("4080", 48.7, 717, 16),
    # a name that begins with another one comes before it
    _rtx("5070 ti", 43.9, 896, 16),
    _rtx("4070 ti super", 44.1, 672, 16),
    _rtx("5060 ti", 23.7, 448, 16),
    _rtx("4060 ti", 22.1, 288, 16),
    _rtx("4070 ti", 40.1, 504, 12),
    _rtx("5070", 30.9, 672, 12),
    _rtx("4070", 29.1, 504, 12),
    _rtx("3060", 12.7, 360, 12),
    Hardware(
        "a100",
        ("a100",),
        flops=312 * TERA,
        bandwidth=2.0e12,
        memory=80 * GIGA,
        eight_bits=False,
    ),
    # unified memory: nothing is moved, but no flash kernels and fp16 at shader speed
    Hardware(
        "m-series",
        ("apple", "mps"),
        flops=21 * TERA,
        bandwidth=0.4e12,
        memory=64 * GIGA,
        sampling_share=0.45,
        codec_share=0.3,
        fixed_s=1.5,
        launch_s=0.2,
        host_bandwidth=400 * GIGA,
        disk_bandwidth=3 * GIGA,
        spread=0.6,
        eight_bits=False,
    ),
    # the animatic on CPU cores: bandwidth is RGB bytes drawn a second, of which it reaches 28e6
    Hardware(
        "draft",
        ("draft",),
        flops=1 * TERA,
        bandwidth=30e6,
        memory=0,
        fixed_s=0.3,
        launch_s=0,
        cores=2,
        spread=0.4,
    ),
    UNKNOWN,
)

BY_KEY: dict[str, Hardware] = {item.key: item for item in HARDWARE}


def hardware_for(device: str, memory_bytes: float | None = None) -> Hardware:
    """Look up the hardware profile of ``device``.

    Args:
        device: a key such as ``h200``, or the name that the driver reports.
        memory_bytes: how much memory it reports, where known; a card that is cut into slices
            reports the full card's name but only its own memory.

    Returns:
        The profile; :data:`UNKNOWN`, slow on purpose, where no name fits.
    """
    wanted = device.strip().lower()
    found = BY_KEY.get(wanted) or next(
        (item for item in HARDWARE if any(name in wanted for name in item.names)), UNKNOWN
    )
    if memory_bytes is None:
        return found
    if found.key == "rtx-pro-6000" and memory_bytes < 60 * GIGA:
        found = BY_KEY["rtx-pro-6000-half"]
    return replace(found, memory=memory_bytes)
