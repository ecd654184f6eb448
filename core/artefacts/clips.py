"""Have a finished clip on this node, whichever node made it."""

from contextlib import suppress

from core.domain.media import Clip
from core.errors.artefacts import ArtefactGone
from core.interfaces.artefacts import Artefacts, names_of_clip


async def bring_clip(artefacts: Artefacts, clip: Clip) -> None:
    """Have ``clip`` on this node, and its poster where there is one.

    Raises:
        ArtefactGone: the clip was deleted.
        ArtefactsUnavailable: it cannot be fetched just now.
    """
    name, poster = names_of_clip(clip)
    await artefacts.local(name, clip.sha256)
    with suppress(ArtefactGone):  # a clip without one can still be watched
        await artefacts.local(poster)
