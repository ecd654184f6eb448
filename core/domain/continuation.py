"""How a clip goes on: what of the film before it is looked at, and how long the whole may become.

A continuation's own frames begin with the film's last one, which is made again and left out where
the two are joined; so they are 8k+1, as those of any clip, and the film grows by 8k. The model is
shown some frames more of the film's end, and their sound.
"""

from collections.abc import Callable
from dataclasses import fields, replace

from core.domain.adjustments import Adjustment
from core.domain.dimensions import FRAME_STRIDE, SIDE_MULTIPLE, lengthen_frames, play_time
from core.domain.limits import RequestLimits
from core.domain.media import Clip, MediaFile, MediaKind
from core.domain.modes import MODES, Mode
from core.domain.options import KEPT, Options
from core.domain.requests import Composition, Request, Sampling
from core.domain.seeds import new_seed
from core.errors import FilmComplete, FilmTooLong

# frames before the last one that the model is shown, a second at 24 a second: enough to tell how
# things move and a voice sounds, and a fifth of the cost of a usual clip
SHOWN_FRAMES = 24
_SOUND_RATE = 48_000  # Hz of every clip
_LEAST_SOUND_S = 0.3  # less is no word: the continuation makes its own sound
FADE_S = 0.04  # in which the film's sound becomes that of its continuation


def film_of(request: Request) -> MediaFile | None:
    """Return the film that ``request`` goes on with; None where it makes a clip of its own."""
    return request.media().get(MODES[request.mode].continues)


def film_frames(film: MediaFile, fps: float) -> int:
    """Return how many frames ``film`` has at ``fps``, at least one."""
    return max(1, round(film.seconds * fps))


def shown_frames(request: Request) -> int:
    """Return how many sampled frames before the last one the model is shown: 8k.

    Less of a short film.
    """
    film = film_of(request)
    if film is None:
        return 0
    sampling = request.sampling
    before = (film_frames(film, sampling.fps) - 1) // sampling.factor
    whole = before // FRAME_STRIDE * FRAME_STRIDE
    return min(SHOWN_FRAMES, whole)


def run_frames(request: Request) -> int:
    """Return how many frames a run of ``request`` samples: its own, and those that it is shown."""
    return request.sampling.sampled_frames + shown_frames(request)


def added_seconds(sampling: Sampling) -> float:
    """Return by how many seconds a continuation lengthens its film."""
    return play_time(sampling.frames - 1, sampling.fps)


def room_for(film: MediaFile, limits: RequestLimits) -> float:
    """Return the seconds that may be added to ``film``.

    Raises:
        FilmComplete: not even the shortest clip.
    """
    left = limits.max_film_seconds - film.seconds
    if left < limits.min_seconds:
        raise FilmComplete(film.seconds, limits.max_film_seconds)
    return left


def check_film(request: Request, limits: RequestLimits) -> None:
    """Refuse ``request`` where its film would become longer than ``limits`` allow.

    Raises:
        FilmComplete: it is as long as it may be.
        FilmTooLong: fewer seconds would fit.
    """
    film = film_of(request)
    if film is None:
        return
    left, added = room_for(film, limits), added_seconds(request.sampling)
    if added > left:
        raise FilmTooLong(film.seconds, added, limits.max_film_seconds, left)


def as_the_film(options: Options, film: MediaFile, limits: RequestLimits) -> Options:
    """Fill in what was not typed from ``film``: a continuation has its size and rate.

    Both are kept within ``limits``: the film is fitted to what is made of it.
    """
    chosen = dict[str, int]()
    shaped = options.width or options.height or options.aspect
    sides = (film.width, film.height)
    fits = max(sides) <= limits.max_side and film.width * film.height <= limits.max_pixels
    if not shaped and fits and min(sides) >= max(limits.min_side, SIDE_MULTIPLE):
        chosen = {"width": film.width, "height": film.height}
    if options.fps is None and film.fps:
        chosen["fps"] = round(min(max(film.fps, limits.min_fps), limits.max_fps))
    return Options.of(options.values() | chosen)


def frames_within(frames: int, seconds: float, fps: int, factor: int = 1) -> int:
    """Return the most frames, at most ``frames``, that add at most ``seconds``.

    They are 8k+1, or 16k+1 where the ``factor`` is 2.
    """
    stride = FRAME_STRIDE * factor
    most = int(seconds * fps + 1e-6) // stride * stride + 1
    return max(stride + 1, min(frames, most))


def film_from(clip: Clip) -> MediaFile:
    """Return ``clip``, finished by us, as the input of what goes on from it."""
    return MediaFile(
        clip.sha256,
        clip.path.suffix,
        MediaKind.VIDEO,
        clip.size_bytes,
        clip.width,
        clip.height,
        clip.seconds,
        clip.fps,
        _SOUND_RATE if clip.has_sound else 0,
    )


def longer(
    request: Request,
    film: MediaFile,
    limits: RequestLimits,
    seed: Callable[[], int] = new_seed,
) -> Composition:
    """Return what continues ``request``'s clip into one film, as long as the clip was.

    Its size and rate stay. A sound that it was made for goes on where the clip ends.

    Args:
        request: of the clip.
        film: the clip as an input.
        limits: it is shorter where the film would become longer than they allow.
        seed: draws another one.

    Raises:
        FilmComplete: the film is as long as it may be.
    """
    sampling, notes = request.sampling, list[Adjustment]()
    frames = frames_within(sampling.frames, room_for(film, limits), sampling.fps, sampling.factor)
    if frames < sampling.frames:
        added, most = play_time(frames - 1, sampling.fps), limits.max_film_seconds
        notes.append(Adjustment("film_filled", {"becomes_s": added, "limit_s": most}))
    heard = next((it for it in request.media().values() if it.kind is MediaKind.AUDIO), None)
    start_s = _heard_s(request)
    left_s = 0.0 if heard is None else heard.seconds - start_s
    if heard is not None and left_s >= _LEAST_SOUND_S:
        sampled = lengthen_frames(left_s, sampling.sampled_fps)
        frames = min(frames, sampling.factor * (sampled - 1) + 1)
    elif heard is not None:
        notes.append(Adjustment("sound_over", {"seconds": heard.seconds}))
        heard = None
    usual = {field.name: field.default for field in fields(Sampling)}
    left_out = {it.name: usual[it.name] for it in KEPT if not it.offered_in(Mode.EXTEND)}
    made = replace(
        sampling, seed=seed(), frames=frames, sound_from=start_s if heard else None, **left_out
    )
    files = (film,) if heard is None else (film, heard)
    drawn_by = sampling.seed if request.words_seed is None else request.words_seed
    more = Request(Mode.EXTEND, request.prompt, made, files, request.style, words_seed=drawn_by)
    return Composition(more, tuple(notes))


def _heard_s(request: Request) -> float:
    """Return how much of its sound was heard when the clip of ``request`` ends."""
    sampling = request.sampling
    if request.mode is Mode.EXTEND:
        return (sampling.sound_from or 0.0) + added_seconds(sampling)
    return sampling.seconds


def sound_start_s(sampling: Sampling) -> float:
    """Return where in its given sound a continuation's own sound begins, s; may be below 0.

    That is before its first frame, which the film ends with, by as much as the fade may need.
    """
    return (sampling.sound_from or 0.0) - play_time(1, sampling.fps) - FADE_S
