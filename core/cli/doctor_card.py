"""The doctor's look at the device: which profile suits it, what fits, and how long that takes."""

from collections.abc import Iterator

from core.cli.findings import DoctorFinding, Severity
from core.domain.presets import PRESETS, Preset
from core.domain.sizing import typed_seconds
from core.duration import Hardware, Machine, estimate, hardware_for
from core.duration.memory import longest_clip
from core.i18n.messages import say
from core.models.catalog import FAMILY, Profile
from core.settings import Settings

_SHOWN = tuple(preset for preset, spec in PRESETS.items() if spec.scale == 1)


def look_at_card(settings: Settings) -> Iterator[DoctorFinding]:
    """Look which files suit the device, and what it makes with them; nothing without a device."""
    from core.comfy.device import first_device

    device = first_device()
    if device is None or settings.executor == "draft":
        return
    hardware = hardware_for(device.name, device.memory_bytes)
    yield from card_findings(device.name, hardware, settings)


def card_findings(name: str, hardware: Hardware, settings: Settings) -> Iterator[DoctorFinding]:
    """Tell what a device is good for.

    Args:
        name: as its driver says.
        hardware: with its own memory.
        settings: the chosen profile, and the limits of requests.
    """
    chosen = Profile(settings.models.profile)
    suited = FAMILY.profile_for(hardware.memory)
    least = FAMILY.profiles[chosen].min_memory_gb
    facts = {"card": name, "memory": round(hardware.memory), "profile": chosen, "suited": suited}
    if hardware.memory >= least * 1e9:
        better = chosen is not suited
        detail = say("doctor_card_other" if better else "doctor_card_suits", facts)
        yield DoctorFinding(say("doctor_card"), Severity.GOOD, detail)
    else:
        fix = say("doctor_card_fix", facts)
        detail = say("doctor_card_small", {**facts, "least": round(least * 1e9)})
        yield DoctorFinding(say("doctor_card"), Severity.NOTE, detail, fix)
    machine = Machine(hardware, chosen.value, settings.comfy.vram)
    for preset in _SHOWN:
        yield DoctorFinding("", Severity.GOOD, _what_fits(preset, machine, settings))


def _what_fits(preset: Preset, machine: Machine, settings: Settings) -> str:
    """Return the sentence of one preset: its longest clip here, and what a usual one takes."""
    limits = settings.requests.limits()
    size = PRESETS[preset].size
    facts = {"preset": preset, "width": size.width, "height": size.height}
    best = longest_clip(machine, preset, limits)
    if best is None:
        return say("doctor_card_nothing", facts)
    sampling = best.sampling
    longest = typed_seconds(sampling.frames, sampling.fps, limits, digits=1)
    takes = estimate(best, machine).total_ms
    return say("doctor_card_fits", {**facts, "longest": longest, "takes_ms": takes})
