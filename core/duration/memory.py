"""What fits into a device's memory: the largest clip, and the refusal that names it."""

from collections.abc import Callable
from dataclasses import replace

from core.domain.limits import RequestLimits
from core.domain.modes import Mode
from core.domain.presets import PRESETS, Preset
from core.domain.requests import Request, Sampling, make_request
from core.domain.sizing import snapped_frames
from core.duration.budget import largest_where, longest, setting_to_type
from core.duration.machine import Machine
from core.duration.sampling_plan import plan_of
from core.errors import DeviceTooSmall, TooLargeForDevice

_ANY = "any"  # words cost the same, whichever they are


def has_room(request: Request, machine: Machine) -> bool:
    """Tell whether ``request`` has room beside weights that travel."""
    return machine.fits(plan_of(request, machine.profile))


def largest_with_room(
    request: Request, machine: Machine, limits: RequestLimits | None = None
) -> Request | None:
    """Find the largest request like ``request`` that has room; None where nothing has."""
    return largest_where(request, _room(request, machine), limits or RequestLimits())


def check_memory(request: Request, machine: Machine, limits: RequestLimits) -> None:
    """Refuse ``request`` where the device has too little memory for it.

    Raises:
        TooLargeForDevice: with the largest setting that has room.
        DeviceTooSmall: nothing has.
    """
    if has_room(request, machine):
        return
    smaller = largest_with_room(request, machine, limits)
    memory = round(machine.hardware.memory)
    if smaller is None:
        raise DeviceTooSmall(memory)
    raise TooLargeForDevice(memory, *setting_to_type(smaller, limits))


def longest_clip(
    machine: Machine, preset: Preset, limits: RequestLimits | None = None
) -> Request | None:
    """Return the longest text-to-video clip of ``preset`` at its own size; None where none fits.

    What a request may ask for bounds it too.
    """
    allowed, size = limits or RequestLimits(), PRESETS[preset].size
    frames = snapped_frames(allowed.max_seconds, allowed.default_fps, allowed)
    whole = Sampling(preset, size.width, size.height, frames, allowed.default_fps, 0)
    request = make_request(Mode.T2V, _ANY, whole, {})
    found = longest(whole, allowed, _room(request, machine))
    return None if found is None else replace(request, sampling=found)


def _room(request: Request, machine: Machine) -> Callable[[Sampling], bool]:
    return lambda sampling: has_room(replace(request, sampling=sampling), machine)
