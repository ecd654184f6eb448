"""How the decoder cuts a clip: not at all where it fits, else into the largest tiles that do."""

from core.domain.requests import Request
from core.duration import Machine
from core.duration.sampling_plan import plan_of
from core.duration.workload import Tiling

WHOLE = 0  # px: no tiles
_CAREFUL = Tiling().px
_LEAST = 256  # px; smaller tiles are mostly overlap
_STEP = 64  # px


def first_tile(request: Request, machine: Machine | None, *, careful: bool) -> int:
    """Choose the side of the tiles for ``request``.

    The same rule as the estimate of its time, which therefore is one of what really runs.

    Args:
        request: checked and snapped.
        machine: what it runs on; None where the memory of the device is not known.
        careful: whether small tiles are cut without knowing it.

    Returns:
        Px, a multiple of 64; :data:`WHOLE` where the frame is decoded in one piece.
    """
    if machine is None:
        return _CAREFUL if careful else WHOLE
    cut = machine.tiling(plan_of(request, machine.profile))
    return cut.px if cut is not None else WHOLE


def smaller_tile(request: Request, tile: int) -> int:
    """Choose the side of the tiles for another try, after memory ran out with ``tile``.

    Half of what was tried: of the frame's longer side if it was decoded whole.
    """
    size = request.sampling.size
    tried = max(size.width, size.height)
    if tile != WHOLE:
        tried = min(tried, tile)
    return max(_LEAST, min(_CAREFUL, tried // 2 // _STEP * _STEP))
