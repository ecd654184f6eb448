"""Choose how a clip is cut for its decoder, by the memory that is free."""

import math

from core.duration.workload import SamplingPlan, Tiling, voxels


def tile_for(plan: SamplingPlan, free_bytes: float) -> Tiling | None:
    """Choose the largest tiles that decode within ``free_bytes`` of memory; None is one piece.

    Source: an uncut 1280×704×121 adds 1.5 GiB to the peak, 0.11 MB a voxel; four times that is
    asked for, as fragmentation and other versions need room.
    """
    per_voxel = 0.45e6
    if plan.decoded * per_voxel <= free_bytes:
        return None
    deep = plan.decoded / max(1, voxels(plan.width, plan.height, 1))
    side = math.sqrt(max(free_bytes, 0.0) / per_voxel / deep)
    return Tiling(side=max(8, min(40, int(side) // 2 * 2)))
