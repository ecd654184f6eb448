"""Allocate the frames of one clip: in memory while they are few, in a file when they are many."""

import math
import os
from pathlib import Path
from tempfile import TemporaryFile

import numpy as np
from numpy.typing import NDArray

# bytes; 5 s of 1280×704 are 330 MB, whose first write into a file costs half a second and more;
# 20 s of 1920×1088 are 3 GB, too much to keep beside a model
IN_MEMORY = 400_000_000


def frame_buffer(shape: tuple[int, ...], folder: Path) -> NDArray[np.uint8]:
    """Make a writable array of undefined content for frames ``[T, H, W, 3]``.

    Below 400 MB it is memory. Above, it is a nameless file in ``folder`` whose blocks are all
    reserved before the first write, so a full disk is an error here and not a SIGBUS later. The
    room is given back when the array is garbage, also after a crash.

    Args:
        shape: of the array, in elements.
        folder: on the disk that may be used, usually the attempt's workspace.

    Returns:
        The array.

    Raises:
        OSError: with errno ENOSPC, the disk has no room for all of it.
    """
    size = math.prod(shape)
    if size < IN_MEMORY:
        return np.empty(shape, np.uint8)
    with TemporaryFile(dir=folder) as file:
        os.posix_fallocate(file.fileno(), 0, size)
        return np.memmap(file, np.uint8, "r+", shape=shape)
