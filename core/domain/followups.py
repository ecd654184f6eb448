"""What one tap on a job does: which buttons a state offers, and the request that a tap makes.

Pure functions; the fronts submit what they return like any other request. A file that a new
request needs (the last frame of a clip) is admitted by the front first, like any upload.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from enum import StrEnum
from typing import Any

from core.domain.continuation import film_from, longer
from core.domain.dimensions import inside, nearest_inside
from core.domain.jobs import Job, JobState
from core.domain.limits import RequestLimits
from core.domain.media import Clip
from core.domain.modes import MODES, Mode
from core.domain.options import ASPECTS, KEPT, Option, Options, options_in
from core.domain.parsing import parse_option
from core.domain.presets import Preset
from core.domain.request_check import allows
from core.domain.requests import Request, Sampling
from core.domain.seeds import new_seed
from core.domain.sizing import shaped_size, typed_seconds
from core.errors import FilmComplete

USES_FRAME = Mode.I2V  # what is made of a clip's last frame


class Action(StrEnum):
    """The verbs of the buttons under a job, on every front."""

    CANCEL = "cancel"
    AGAIN = "again"
    EDIT = "edit"
    LONGER = "longer"
    LAST_FRAME = "last_frame"
    QUALITY = "quality"
    DETAILS = "details"
    DELETE = "delete"
    FETCH = "fetch"
    SMALLER = "smaller"  # the same with less work, where it was too much
    REMIX = "remix"  # somebody else's, of a clip that everybody sees
    PUBLISH = "publish"  # into the feed of a place, where there is one


def actions_for(job: Job, limits: RequestLimits | None = None) -> tuple[Action, ...]:
    """List what ``job`` offers in its state, in the order of importance.

    What ``limits`` would refuse is left out, where they are given: they may be narrower than when
    the job was made.

    The one answer for all fronts. A front keeps its own rows, and leaves out what its platform
    cannot show or shows by itself: the message of a clip needs no button to fetch it.
    """
    if not job.state.terminal:
        return (Action.CANCEL, Action.DETAILS)
    if job.asked is None:
        fetch = () if job.clip is None else (Action.FETCH,)
        return (*fetch, Action.DETAILS, Action.DELETE)
    request, offered = job.asked, _in_every_limit(job)
    if limits is None:
        return offered
    next_ones = {Action.AGAIN: request}
    if Action.QUALITY in offered:
        next_ones[Action.QUALITY] = quality(request, limits)
    refused = {action for action, one in next_ones.items() if not allows(one, limits)}
    if job.clip is not None and not _may_go_on(request, job.clip, limits):
        refused.add(Action.LONGER)
    return tuple(action for action in offered if action not in refused)


def _may_go_on(request: Request, clip: Clip, limits: RequestLimits) -> bool:
    """Tell whether ``limits`` allow a film that goes on from ``clip``, which ``request`` made."""
    try:
        more = longer(request, film_from(clip), limits)
    except FilmComplete:
        return False
    return allows(more.request, limits)


def _in_every_limit(job: Job) -> tuple[Action, ...]:
    if job.state is not JobState.SUCCEEDED:
        return (Action.AGAIN, Action.EDIT, Action.DETAILS, Action.DELETE)
    actions = [Action.AGAIN, Action.EDIT]
    if job.clip is not None:  # removed after the retention period, or by the operator
        actions += [Action.LONGER, Action.LAST_FRAME]
    if can_improve(job.request):
        actions.append(Action.QUALITY)
    if job.clip is not None:
        actions.append(Action.FETCH)
    return (*actions, Action.DETAILS, Action.DELETE)


def again(request: Request, seed: Callable[[], int] = new_seed) -> Request:
    """Return ``request`` with another seed: the same idea, another take, its wildcards anew."""
    return replace(request, sampling=replace(request.sampling, seed=seed()), words_seed=None)


def quality(request: Request, limits: RequestLimits) -> Request:
    """Return ``request`` at the quality preset, same seed and shape.

    A draft is finished instead: the same picture at the size it was drafted for.
    """
    if request.sampling.preset is Preset.DRAFT:
        return _finished(request, limits)
    size = shaped_size(request.sampling.size.ratio, Preset.QUALITY, limits)
    sampling = replace(
        request.sampling, preset=Preset.QUALITY, width=size.width, height=size.height
    )
    return replace(request, sampling=sampling, chosen_by=())


def _finished(request: Request, limits: RequestLimits) -> Request:
    size = request.sampling.finished
    if not inside(size, limits):  # they were wider when it was drafted
        size = nearest_inside(size, limits)
    sampling = replace(
        request.sampling, preset=Preset.BALANCED, width=size.width, height=size.height
    )
    return replace(request, sampling=sampling, chosen_by=())


def next_request(job: Job, action: Action, limits: RequestLimits) -> Request | None:
    """Return what a button of ``job`` would ask for now, to say what it costs.

    It is not that of :class:`core.service.follow_ups.FollowUps`: another seed is drawn there. None
    for buttons that make no clip of the finished one, or cannot.
    """
    if job.asked is None:
        return None
    match action:
        case Action.AGAIN:
            return job.asked
        case Action.QUALITY:
            return quality(job.asked, limits)
        case Action.LONGER if job.clip is not None:
            with suppress(FilmComplete):
                return longer(job.asked, film_from(job.clip), limits).request
        case _:
            pass
    return None


def options_of(request: Request, limits: RequestLimits | None = None) -> Options:
    """Return what a person would type to get ``request``; fills edit forms.

    Args:
        request: made within ``limits``.
        limits: in force, so that what is returned is accepted; the product's where None.
    """
    style = request.style.name if request.style else ""
    return options_from(request.mode, request.prompt, request.sampling, limits, style)


def options_from(
    mode: Mode,
    prompt: str,
    sampling: Sampling,
    limits: RequestLimits | None = None,
    style: str = "",
) -> Options:
    """Return what a person would type in ``mode`` to get ``prompt`` and ``sampling``.

    A clip that was made longer in another mode may have what that mode does not offer.
    """
    return Options(
        prompt=prompt,
        preset=sampling.preset,
        width=sampling.finished.width,
        height=sampling.finished.height,
        seconds=typed_seconds(sampling.frames, sampling.fps, limits or RequestLimits()),
        fps=sampling.fps,
        seed=sampling.seed,
        style=style,
        **{o.name: getattr(sampling, o.name) for o in KEPT if o.offered_in(mode)},
    )


def changeable(mode: Mode) -> tuple[Option, ...]:
    """List the options that buttons change while a job of ``mode`` waits."""
    return tuple(option for option in options_in(mode) if option.buttons)


def is_present(request: Request, option: Option, value: str) -> bool:
    """Tell whether ``request`` has what a button with ``value`` would choose, or very nearly."""
    sampling = request.sampling
    match option.name:
        case "aspect":
            return _nearest_aspect(sampling.size.ratio) == value
        case "seconds":  # whole steps of frames: it is rarely hit exactly
            return abs(sampling.seconds - float(value)) < 0.4
        case name:
            present = options_of(request).values()[name]
            return present == (value if option.bounds is None else float(value))


def with_option(request: Request, option: Option, value: str, limits: RequestLimits) -> Options:
    """Change one option of ``request``; seed, prompt and the other options stay.

    Another preset has another size, so only the shape stays: the aspect ratio that is nearest.

    Args:
        request: what the waiting job asks for.
        option: what changes; the job is replaced by another one.
        value: as the button says it: a preset, an aspect ratio such as ``16:9``, seconds.
        limits: what a refusal names.

    Raises:
        NotANumber: no number, where one is wanted.
    """
    options = options_of(request, limits)
    given = parse_option(option, value, limits)
    match option.name:
        case "preset":
            aspect = _nearest_aspect(request.sampling.size.ratio)
            return replace(options, preset=given, aspect=aspect, width=None, height=None)
        case "aspect":
            return replace(options, aspect=given, width=None, height=None)
        case name:
            return replace(options, **{name: given})


def typed_over(before: Mapping[str, Any], typed: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options of ``before``, by name, with what was typed anew; the rest stays.

    An aspect ratio takes the place of sides of before. Another preset has another size, so of
    sides of before their shape stays, unless one was typed too.
    """
    given = dict(typed)
    if given.get("width") is None and given.get("height") is None:
        width, height = before.get("width"), before.get("height")
        other = given.get("preset") not in {None, before.get("preset")}
        if given.get("aspect") is None and other and width and height:
            given["aspect"] = _nearest_aspect(width / height)
        if given.get("aspect") is not None:
            given |= {"width": None, "height": None}
    return {**before, **given}


def _nearest_aspect(ratio: float) -> str:
    return min(ASPECTS, key=lambda name: abs(ASPECTS[name] - ratio))


def can_improve(request: Request) -> bool:
    """Tell whether a quality pass would change anything."""
    return request.sampling.preset is not Preset.QUALITY and not MODES[request.mode].continues
