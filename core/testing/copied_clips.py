"""A finishing that encodes one clip and links its files for all others: for many quick jobs."""

import os
from dataclasses import replace
from uuid import uuid4

from core.domain.media import Clip, RawClip
from core.interfaces.executor import Order
from core.runtime.cancellation import CancelToken
from core.worker.finishing import Finish


def copied_clips(finish: Finish) -> Finish:
    """Return a finishing that uses ``finish`` for the first order only."""
    first: list[Clip] = []

    async def copied(raw: RawClip, order: Order, cancel: CancelToken) -> Clip:
        if not first:
            first.append(await finish(raw, order, cancel))
            return first[0]
        path, poster = first[0].path, first[0].poster
        name = f"{order.job_id}.{uuid4().hex[:8]}"
        clip = replace(
            first[0],
            path=path.with_name(name + path.suffix),
            poster=poster.with_name(name + poster.suffix),
        )
        os.link(path, clip.path)
        os.link(poster, clip.poster)
        return clip

    return copied
