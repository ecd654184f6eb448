"""HDR pictures are converted from all their bits: a gradient has no bands."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from core.domain.media import MediaKind
from core.media.intake.store import MediaStore
from tests.integration.media.device_pictures import heic_of, png16
from tests.support import recordings

BT2020, PQ = 9, 16


def ramp() -> NDArray[np.uint16]:
    """Return greys from black to paper white (203 cd/m²) in PQ."""
    power = (np.linspace(0, 1, 1024) ** 2.2 * 203 / 10_000) ** 0.1593017578125
    coded = ((0.8359375 + 18.8515625 * power) / (1 + 18.6875 * power)) ** 78.84375
    return np.broadcast_to(np.rint(coded * 65_535).astype(np.uint16)[None, :, None], (64, 1024, 3))


def heic(folder: Path) -> bytes:
    del folder
    tags = {"color_primaries": BT2020, "transfer_characteristics": PQ, "matrix_coefficients": 9}
    return heic_of(np.ascontiguousarray(ramp()), full_range_flag=1, **tags)


def avif(folder: Path) -> bytes:
    (folder / "ramp.png").write_bytes(png16(np.ascontiguousarray(ramp())))
    tags = ("-color_primaries", "bt2020", "-color_trc", "smpte2084", "-colorspace", "bt2020nc")
    codec = ("-c:v", "libsvtav1", "-preset", "8", "-crf", "5", "-svtav1-params", "log=0")
    shape = "scale=out_color_matrix=bt2020:out_range=tv,format=yuv420p10le,"
    shape += "setparams=color_primaries=bt2020:color_trc=smpte2084:colorspace=bt2020nc"
    recordings.ffmpeg(
        "-i", folder / "ramp.png", "-vf", shape, *codec, *tags, "-f", "avif", folder / "a"
    )
    return (folder / "a").read_bytes()


@pytest.mark.parametrize("make", [heic, avif], ids=["HEIC", "AVIF"])
async def test_a_gradient_in_hdr_has_no_bands(
    make: Callable[[Path], bytes], tmp_path: Path, store: MediaStore
) -> None:
    source = tmp_path / "picture"
    source.write_bytes(make(tmp_path))

    file = await store.admit(source, "image", MediaKind.IMAGE)

    with Image.open(store.path_of(file)) as kept:
        greys = np.asarray(kept.convert("RGB"))[32, :, 1].astype(int)
    assert len(np.unique(greys)) > 200  # of 229; 8 bits of PQ leave 127
    assert np.abs(np.diff(greys)).max() <= 2
