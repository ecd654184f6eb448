"""When each picture of a clip is reached: as typed, or spread evenly."""

import math
import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from core.domain.dimensions import play_time
from core.domain.media import MediaFile, MediaKind
from core.domain.modes import MODES, Mode
from core.domain.requests import Request, Sampling
from core.errors import NotANumber, OutOfRange, TimesNotApart, TimesOutOfOrder, TimesUncounted

_SHOWN = 20  # characters of what was typed that a sentence repeats
_ROUNDED_S = 0.005  # by which a sentence and a written time may lie behind the end


def pictures_of(request: Request) -> dict[str, MediaFile]:
    """Return the pictures of ``request`` by role, in the order of time."""
    media = request.media()
    count = sum(file.kind is MediaKind.IMAGE for file in media.values())
    roles = MODES[request.mode].roles_for(MediaKind.IMAGE, count)
    return {role: media[role] for role in roles}


def picture_frames(request: Request) -> dict[str, int]:
    """Return the frame at which each picture of ``request`` is reached, by role."""
    sampling, pictures = request.sampling, pictures_of(request)
    if not sampling.times:
        steps = max(1, len(pictures) - 1)
        ends = [round(at * (sampling.frames - 1) / steps) for at in range(len(pictures))]
    else:
        ends = [_frame(time, sampling) for time in read_times(sampling.times, sampling)]
    return dict(zip(pictures, ends, strict=True))


def sampled_frames(request: Request) -> dict[str, int]:
    """Return the sampled frame at which each picture is reached, by role."""
    factor = request.sampling.factor
    return {role: round(frame / factor) for role, frame in picture_frames(request).items()}


def check_times(request: Request) -> None:
    """Refuse times that do not fit the pictures or the length of ``request``.

    Raises:
        NotANumber: one of them is none.
        OutOfRange: one lies behind the end.
        TimesUncounted: there are more or fewer than pictures.
        TimesOutOfOrder: one lies before its neighbour.
        TimesNotApart: two of them, or two pictures that are spread evenly, share a frame.
    """
    sampling, pictures = request.sampling, pictures_of(request)
    if request.mode is not Mode.KEYFRAME:
        return
    if sampling.times:
        times = read_times(sampling.times, sampling)
        if len(times) != len(pictures):
            raise TimesUncounted(len(times), len(pictures))
        for earlier, later in pairwise(times):
            if later < earlier:
                raise TimesOutOfOrder(earlier, later)
    for earlier, later in pairwise(sampled_frames(request).values()):
        if later <= earlier:
            fps = sampling.sampled_fps
            raise TimesNotApart(play_time(earlier, fps), play_time(1, fps), len(pictures))


def read_times(text: str, sampling: Sampling) -> tuple[float, ...]:
    """Read times in seconds, separated by commas, semicolons or spaces; a comma may be a point.

    Raises:
        NotANumber: one of them is none.
        OutOfRange: one lies before the clip or behind its end.
    """
    end = play_time(sampling.frames, sampling.fps)
    return tuple(_time(part, end) for part in _parts(text))


def written_times(text: str, sampling: Sampling, asked_s: float | None = None) -> str:
    """Write what was typed as ``0, 1.5, 5``; empty where nothing was.

    Args:
        text: as it was typed.
        sampling: of the clip; its frames make it a little shorter or longer than was asked.
        asked_s: length that was asked for, None for none: who names its end means the last frame.

    Raises:
        NotANumber, OutOfRange: see :func:`read_times`.
    """
    end = play_time(sampling.frames, sampling.fps)
    longest = max(end, asked_s or 0)
    return write_times([min(_time(part, longest), end) for part in _parts(text)])


def in_proportion(asked: Sampling, other: Sampling) -> Sampling:
    """Return ``other``, of another length, with the times of ``asked`` at the same shares of it."""
    if not asked.times or other.frames == asked.frames:
        return other
    end, before = (play_time(one.frames, one.fps) for one in (other, asked))
    times = [time * end / before for time in read_times(asked.times, asked)]
    return replace(other, times=write_times(times))


def write_times(times: Sequence[float]) -> str:
    """Write ``times`` as people type them: ``0, 1.5, 5``."""
    return ", ".join(f"{time:.3f}".rstrip("0").rstrip(".") for time in times)


def _parts(text: str) -> list[str]:
    spaced = re.search(r"[;\s]", text.strip()) is not None
    found = re.split(r"[;\s]+|,(?=\s|$)" if spaced else ",", text.strip())
    return [part for part in (one.strip(" ,;") for one in found) if part]


def _time(part: str, end: float) -> float:
    try:
        time = float(part.lower().removesuffix("s").replace(",", "."))
    except ValueError:
        time = math.nan
    if not math.isfinite(time):
        raise NotANumber("times", part[:_SHOWN], 0, round(end, 2), "s")
    if not 0 <= time <= end + _ROUNDED_S:
        raise OutOfRange("times", time, 0, round(end, 2), "s")
    return time


def _frame(time: float, sampling: Sampling) -> int:
    return min(round(time * sampling.fps), sampling.frames - 1)
