"""The small picture of a clip that is being made."""

import io

import numpy as np
import pytest
from PIL import Image

from core.domain.clip_preview import MOST_BYTES, MOST_MOMENTS, ClipPreview, read_preview
from core.media.output.preview_picture import SIDE, moments_of, preview_of


def opened(preview: ClipPreview) -> Image.Image:
    assert read_preview(preview.text, preview.moments) == preview
    picture = Image.open(io.BytesIO(preview.picture))
    assert picture.format == "WEBP"
    return picture


@pytest.mark.parametrize("count", [1, 7, MOST_MOMENTS, 9, 121, 1000])
def test_moments_go_evenly_from_the_first_frame_to_the_last(count: int) -> None:
    chosen = moments_of(count)

    assert len(chosen) == min(count, MOST_MOMENTS)
    assert (chosen[0], chosen[-1]) == (0, count - 1)
    steps = np.diff(chosen)
    assert not len(steps) or steps.max() - steps.min() <= 1


@pytest.mark.parametrize(
    ("width", "height"), [(40, 22), (22, 40), (20, 11), (1920, 1088), (704, 1280), (3000, 40)]
)
def test_moments_lie_one_below_the_other_in_the_shape_of_the_clip(width: int, height: int) -> None:
    frames = np.empty((4, height, width, 3), np.uint8)
    frames[:] = (np.arange(4) * 60)[:, None, None, None]

    picture = opened(preview_of(frames))

    assert max(picture.width, picture.height // 4) == SIDE
    assert picture.width / (picture.height / 4) == pytest.approx(width / height, rel=0.05)
    tall = picture.height // 4
    seen = [picture.getpixel((picture.width // 2, tall * n + tall // 2)) for n in range(4)]
    assert [round(np.mean(one)) for one in seen] == pytest.approx([0, 60, 120, 180], abs=4)


@pytest.mark.parametrize("side", [8, 22, 144, 1088])
def test_even_noise_fits_into_a_message(side: int) -> None:
    dice = np.random.default_rng(1)
    frames = dice.integers(0, 256, (MOST_MOMENTS, side, side * 16 // 9, 3), np.uint8)

    preview = preview_of(frames)

    opened(preview)
    assert len(preview.picture) <= MOST_BYTES
