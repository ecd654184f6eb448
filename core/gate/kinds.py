"""Which kinds of requests a machine has the models for: it tells kinds, and sees no request."""

from collections.abc import Callable, Sequence

from core.domain.media import MediaFile, MediaKind
from core.domain.modes import MODES
from core.domain.presets import Preset
from core.domain.requests import Request, Sampling

_SUFFIXES = {MediaKind.IMAGE: ".png", MediaKind.AUDIO: ".flac", MediaKind.VIDEO: ".mp4"}


def kinds_that(prefer: Callable[[Request], bool]) -> list[str]:
    """Return the kinds of requests that ``prefer`` is true of, as “mode preset”."""
    found: list[str] = []
    for mode, spec in MODES.items():
        files = tuple(
            MediaFile("0" * 64, _SUFFIXES[slot.kind], slot.kind, 1) for slot in spec.slots
        )
        for preset in Preset:
            sampling = Sampling(preset, 64, 64, 9, 24, 0)
            request = Request(mode=mode, prompt="-", sampling=sampling, files=files)
            if prefer(request):
                found.append(_kind_of(request))
    return found


def preference(kinds: Sequence[str] | None) -> Callable[[Request], bool] | None:
    """Make the question whether a request is of one of ``kinds``; None where none is preferred."""
    if kinds is None:
        return None
    known = frozenset(kinds)
    return lambda request: _kind_of(request) in known


def _kind_of(request: Request) -> str:
    return f"{request.mode} {request.sampling.preset}"
