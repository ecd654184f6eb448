"""The largest setting that a budget pays for, and the refusal that names it."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import NamedTuple

from core.domain.dimensions import FRAME_STRIDE, SIDE_MULTIPLE, Size, fit_ratio, inside
from core.domain.keyframes import in_proportion
from core.domain.limits import RequestLimits
from core.domain.modes import MODES
from core.domain.presets import PRESETS, Preset, limits_of
from core.domain.requests import Request, Sampling
from core.domain.sizing import snapped_frames, typed_seconds
from core.duration.estimates import DEFAULT_MACHINE, Estimate, estimate
from core.duration.machine import Machine
from core.errors import NothingFits, TooCostly

Cost = Callable[[Estimate], float]


class TypedSetting(NamedTuple):
    """What a suggestion says: sides of the finished clip (px), length and preset, as typed."""

    width: int
    height: int
    seconds: float
    preset: str


def gpu_ms(answer: Estimate) -> float:
    """Return what a quota is charged, GPU-milliseconds."""
    return answer.gpu_ms


def p95_ms(answer: Estimate) -> float:
    """Return what a lease must last, GPU-milliseconds."""
    return answer.p95_ms


def largest_fitting(
    request: Request,
    budget_ms: float,
    machine: Machine = DEFAULT_MACHINE,
    limits: RequestLimits | None = None,
    cost: Cost = gpu_ms,
) -> Request | None:
    """Find the largest request like ``request`` that costs at most ``budget_ms``.

    Its shape stays; its size falls in latent blocks and its length in latent frames. Where a file
    gives the length, a smaller picture is preferred to a shorter clip.

    Args:
        request: what was asked.
        budget_ms: as ``cost`` counts.
        machine: the device, its files and what its runs taught.
        limits: nothing shorter or smaller than these; the product's where None.
        cost: what is counted, :func:`gpu_ms` or :func:`p95_ms`.

    Returns:
        ``request`` itself where it fits, None where nothing does.
    """

    def fits(sampling: Sampling) -> bool:
        return cost(estimate(replace(request, sampling=sampling), machine)) <= budget_ms

    return largest_where(request, fits, limits or RequestLimits())


def largest_where(
    request: Request, fits: Callable[[Sampling], bool], limits: RequestLimits
) -> Request | None:
    """Find the largest request like ``request`` whose sampling ``fits``; None where none does.

    What is needed must grow with every frame. Shape and length as of :func:`largest_fitting`.
    """
    spec = MODES[request.mode]
    keeps_length = spec.length_from is not None and not spec.continues
    options: list[Sampling] = []
    # a film that goes on keeps its size
    sizes = (request.sampling,) if spec.continues else _sizes(request.sampling, limits)
    for candidate in sizes:
        found = longest(candidate, limits, fits)
        if found:
            options.append(found)
    if not options:
        return None
    best = max(options, key=lambda found: _rank(found, request, keeps_length=keeps_length))
    return replace(request, sampling=in_proportion(request.sampling, best))


def _rank(found: Sampling, request: Request, *, keeps_length: bool) -> tuple[bool, int, int]:
    whole = found.frames == request.sampling.frames
    return keeps_length and whole, found.size.pixels * found.frames, found.frames


def _sizes(asked: Sampling, limits: RequestLimits) -> Iterator[Sampling]:
    """Yield ``asked`` and every smaller size of its shape, each with the preset made for it."""
    yield asked
    within = limits_of(PRESETS[asked.preset], limits)
    seen = {asked.size}
    for height in range(SIDE_MULTIPLE, asked.height, SIDE_MULTIPLE):
        size = fit_ratio(asked.size.ratio, round(height**2 * asked.size.ratio), within)
        if size.pixels < asked.size.pixels and size not in seen and inside(size, within):
            seen.add(size)
            preset = _preset_for(size, asked.preset)
            yield replace(asked, preset=preset, width=size.width, height=size.height)


def _preset_for(size: Size, highest: Preset) -> Preset:
    """Return the smallest preset that reaches ``size``, but none above ``highest``."""
    if PRESETS[highest].scale > 1:
        return highest
    steps = [preset for preset, spec in PRESETS.items() if spec.scale == 1]
    below = steps[: steps.index(highest) + 1]
    return next((p for p in below if PRESETS[p].size.pixels >= size.pixels), highest)


def longest(
    asked: Sampling, limits: RequestLimits, fits: Callable[[Sampling], bool]
) -> Sampling | None:
    """Return ``asked`` with as many frames as fit; cost grows with every frame."""
    stride = FRAME_STRIDE * asked.factor
    sampled = snapped_frames(limits.min_seconds, asked.sampled_fps, limits)
    shortest = min(asked.frames, asked.factor * (sampled - 1) + 1)
    low, high = shortest // stride, asked.frames // stride
    if not fits(replace(asked, frames=low * stride + 1)):
        return None
    while low < high:
        middle = (low + high + 1) // 2
        if fits(replace(asked, frames=middle * stride + 1)):
            low = middle
        else:
            high = middle - 1
    return replace(asked, frames=low * stride + 1)


def check_budget(
    request: Request,
    budget_ms: float,
    machine: Machine = DEFAULT_MACHINE,
    limits: RequestLimits | None = None,
    cost: Cost = gpu_ms,
) -> None:
    """Refuse ``request`` where it costs more than ``budget_ms``.

    Raises:
        TooCostly: with the largest setting that fits.
        NothingFits: not even the smallest does.
    """
    need = cost(estimate(request, machine))
    if need <= budget_ms:
        return
    smaller = largest_fitting(request, budget_ms, machine, limits, cost)
    if smaller is None:
        raise NothingFits(round(need), round(budget_ms))
    named = setting_to_type(smaller, limits or RequestLimits())
    raise TooCostly(round(need), round(budget_ms), *named)


def setting_to_type(request: Request, limits: RequestLimits) -> TypedSetting:
    """Return what a sentence names so that a person who types it gets ``request``."""
    sampling = request.sampling
    seconds = typed_seconds(sampling.frames, sampling.fps, limits, digits=1)
    size = sampling.finished
    return TypedSetting(size.width, size.height, seconds, sampling.preset.value)
