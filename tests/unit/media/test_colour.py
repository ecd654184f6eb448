"""Colours of every tagged kind become those of ordinary screens."""

import numpy as np
import pytest
from PIL import Image

from core.media.colour import (
    BT709,
    BT2020,
    FILM,
    HLG,
    LEVEL,
    PICTURE,
    PQ,
    UNSPECIFIED,
    Colours,
    Screen,
    convert,
    hald_table,
)
from core.media.intake.picture_colour import PictureColour, to_srgb

DISPLAY_P3, DCI_P3 = 12, 11


@pytest.mark.parametrize("transfer", [1, 2, 6, 7, 11, 12, 13, 14, 15])
@pytest.mark.parametrize("primaries", [BT709, UNSPECIFIED])
def test_ordinary_colours_are_kept_to_the_number(primaries: int, transfer: int) -> None:
    pixels = np.linspace(0, 1, 30, dtype=np.float32).reshape(-1, 3)

    assert Colours(primaries, transfer).is_plain(FILM)
    assert np.array_equal(convert(pixels, Colours(primaries, transfer), FILM), pixels)


@pytest.mark.parametrize("screen", [FILM, PICTURE], ids=["film", "picture"])
@pytest.mark.parametrize("primaries", [BT709, 4, 5, 6, 7, 8, BT2020, 10, DCI_P3, 12, 22])
def test_greys_of_every_primaries_stay_grey(primaries: int, screen: Screen) -> None:
    greys = np.repeat(np.linspace(0, 1, 9, dtype=np.float32)[:, None], 3, axis=1)

    assert convert(greys, Colours(primaries, 1), screen) == pytest.approx(greys, abs=2e-3)


def test_display_p3_as_apple_codes_it() -> None:
    # what LittleCMS makes of the test colours in Display P3
    coded = np.array([[184, 55, 49], [89, 177, 77], [45, 59, 192], [217, 202, 77]])

    picture = Image.fromarray(coded.astype(np.uint8)[None])
    made = np.asarray(to_srgb(picture, PictureColour(Colours(DISPLAY_P3, 13))))[0].astype(int)

    wanted = np.array([[200, 40, 40], [40, 180, 60], [40, 60, 200], [220, 200, 40]])
    assert np.abs(made - wanted).max() < 5


@pytest.mark.parametrize(
    ("transfer", "paper"),
    [(PQ, 0.5807), (HLG, 0.75)],  # BT.2408, table 1
)
def test_paper_white_stays_bright_and_highlights_stay_below_white(
    transfer: int, paper: float
) -> None:
    ramp = np.repeat(np.linspace(0, 1, 65, dtype=np.float32)[:, None], 3, axis=1)

    made = convert(ramp, Colours(UNSPECIFIED, transfer), FILM)
    white = convert(np.full((1, 3), paper, np.float32), Colours(BT2020, transfer), FILM)

    assert np.all(np.diff(made[:, 0]) >= 0)
    assert made.max() <= 1.0
    assert made[:, 0] == pytest.approx(made[:, 2], abs=1e-3)
    assert white.mean() == pytest.approx(0.9, abs=0.04)


@pytest.mark.parametrize(("transfer", "exponent"), [(4, 2.2), (5, 2.8), (17, 2.6)])
def test_other_curves_are_converted(transfer: int, exponent: float) -> None:
    half = np.full((1, 3), 0.5, np.float32)

    scale = 52.37 / 48 if transfer == 17 else 1
    assert convert(half, Colours(BT709, transfer), FILM)[0, 0] == pytest.approx(
        (scale * 0.5**exponent) ** (1 / 2.4), abs=1e-3
    )


def test_the_table_has_the_conversion_of_every_step() -> None:
    table = hald_table(Colours(BT2020, HLG), 0, True).reshape(-1, 3)

    at = (10, 40, 63)  # red, green, blue
    steps = LEVEL**2
    pixel = np.array(at, np.float32) / (steps - 1)
    found = table[at[0] + at[1] * steps + at[2] * steps**2] / 65_535
    assert found == pytest.approx(convert(pixel, Colours(BT2020, HLG), FILM), abs=1e-4)


@pytest.mark.parametrize("matrix", [1, 4, 5, 6, 7, 9])
@pytest.mark.parametrize("full_range", [False, True])
def test_the_table_decodes_luma_and_differences(matrix: int, full_range: bool) -> None:
    table = hald_table(Colours(12, 1), matrix, full_range).reshape(64, 64, 64, 3) / 65_535

    low, high = (0, 255) if full_range else (16, 235)
    greys = [level / 256 * 63 for level in (low, 128, high)]
    at = [grey for grey in greys if grey <= 63]
    ramp = table[32, 32, :, 0]  # no colour at all lies between two steps
    for grey in at:
        level = np.interp(grey, np.arange(64), ramp)
        coded = (grey / 63 * 256 - low) / (high - low)
        assert level == pytest.approx(min(max(coded, 0), 1), abs=0.04)
