"""A finishing that encodes one clip and links its files for all others: for many quick jobs."""

import os
from dataclasses import replace
from pathlib import Path

from core.domain.media import Clip, RawClip
from core.interfaces.executor import Order
from core.runtime.cancellation import CancelToken
from core.worker.finishing import Finish


def copied_clips(finish: Finish) -> Finish:
    """Return a finishing that uses ``finish`` for the first order only.

    Clips are named by their attempts, and linked to files beside the workspaces, which stay where
    the first clip is deleted.
    """
    kept: list[tuple[Clip, Path]] = []  # the first one's files there, and where clips lie

    async def copied(raw: RawClip, order: Order, cancel: CancelToken) -> Clip:
        if not kept:
            made = await finish(raw, order, cancel)
            beside = order.workspace.parent
            kept.append((_linked(made, beside, "copied"), made.path.parent))
            return made
        source, clips = kept[0]
        return _linked(source, clips, order.workspace.name)

    return copied


def _linked(clip: Clip, folder: Path, stem: str) -> Clip:
    """Return ``clip`` under other names, at the same content."""
    path, poster = folder / f"{stem}{clip.path.suffix}", folder / f"{stem}{clip.poster.suffix}"
    for original, link in ((clip.path, path), (clip.poster, poster)):
        link.unlink(missing_ok=True)
        os.link(original, link)
    return replace(clip, path=path, poster=poster)
