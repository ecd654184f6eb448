"""Have a finished clip on this node, whichever node made it; and be rid of what nobody names."""

from contextlib import suppress

import structlog

from core.artefacts.names import ORIGINAL
from core.domain.media import Clip
from core.errors.artefacts import ArtefactGone, ArtefactsUnavailable
from core.interfaces.artefacts import Artefacts, names_of_clip

log = structlog.get_logger(__name__)


async def bring_clip(artefacts: Artefacts, clip: Clip) -> None:
    """Have ``clip`` on this node, and its poster where there is one.

    Raises:
        ArtefactGone: the clip was deleted.
        ArtefactsUnavailable: it cannot be fetched just now.
    """
    name, poster = names_of_clip(clip)
    if ORIGINAL.fullmatch(name) is None:  # a damaged row, or one of another version
        raise ArtefactGone(name)
    await artefacts.local(name, clip.sha256)
    with suppress(ArtefactGone):  # a clip without one can still be watched
        await artefacts.local(poster)


async def discard(artefacts: Artefacts, *names: str) -> None:
    """Delete ``names`` wherever they are kept, as far as that can be done now."""
    for name in names:
        try:
            await artefacts.delete(name)
        except ArtefactsUnavailable:
            log.warning("object_left", name=name)  # the sweep of every hour finds it
