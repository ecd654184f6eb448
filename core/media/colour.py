"""Convert colours of any tagged kind to those of ordinary screens: sRGB, and BT.709 in films.

Numbers name primaries and transfers as ITU-T H.273 does, which films, PNG, HEIC and AVIF share.
Pure arithmetic on arrays; who reads a file says what its colours are.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float32]
Corners: TypeAlias = tuple[tuple[float, float], ...]  # x and y of red, green, blue and white

BT709, UNSPECIFIED, BT2020 = 1, 2, 9  # primaries
MATRIX_RGB = 0
PQ, HLG = 16, 18  # transfers
LEVEL = 8  # of the Hald table: 64 steps a channel
_DCI = 17
_XYZ = 10  # primaries of digital cinema

# H.273, table 2
_D65, _ILLUMINANT_C = (0.3127, 0.3290), (0.310, 0.316)
_PRIMARIES: dict[int, Corners] = {
    BT709: ((0.640, 0.330), (0.300, 0.600), (0.150, 0.060), _D65),
    4: ((0.670, 0.330), (0.210, 0.710), (0.140, 0.080), _ILLUMINANT_C),
    5: ((0.640, 0.330), (0.290, 0.600), (0.150, 0.060), _D65),
    6: ((0.630, 0.340), (0.310, 0.595), (0.155, 0.070), _D65),
    7: ((0.630, 0.340), (0.310, 0.595), (0.155, 0.070), _D65),
    8: ((0.681, 0.319), (0.243, 0.692), (0.145, 0.049), _ILLUMINANT_C),
    BT2020: ((0.708, 0.292), (0.170, 0.797), (0.131, 0.046), _D65),
    11: ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060), (0.314, 0.351)),
    12: ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060), _D65),
    22: ((0.630, 0.340), (0.295, 0.605), (0.155, 0.077), _D65),
}
_CORNERS_OF_XYZ: Corners = ((1.0, 0.0), (0.0, 1.0), (0.0, 0.0), (1 / 3, 1 / 3))
# share of red and blue in luma, by matrix
_LUMA = {
    1: (0.2126, 0.0722),
    4: (0.30, 0.11),
    5: (0.299, 0.114),
    6: (0.299, 0.114),
    7: (0.212, 0.087),
    9: (0.2627, 0.0593),
    10: (0.2627, 0.0593),  # constant luminance: near enough, and nobody makes it
}
_NEAR = 0.003  # in x and y: the same primaries, rounded
# exponents and decades of the curves that are no camera's; all others are shown as they are coded
_GAMMA = {4: 2.2, 5: 2.8, _DCI: 2.6}
_LOGARITHMIC = {9: 2.0, 10: 2.5}
_LINEAR = 8
_BRADFORD = np.array(
    [[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]]
)

_WHITE_NITS = 203.0  # of paper in HDR, BT.2408
_PEAK_NITS = 1000.0  # of the screen that HLG is defined for, and most PQ films are graded on
_HLG_GAMMA = 1.2  # of that screen, BT.2100
_HLG_LUMA = np.array([0.2627, 0.6780, 0.0593])
_KNEE = 0.5  # of white, linear: below it brightness stays as it is


@dataclass(frozen=True, slots=True)
class Screen:
    """How ordinary numbers are shown, which is also how the result is coded.

    BT.2100 applies the gamma of HLG to the luminance, and so do cameras. Films get it in each
    channel, as zimg and with it ffmpeg converts them: by luminance a saturated blue that was made
    from an ordinary film would lose a third of its light.
    """

    srgb: bool  # the curve: that of sRGB, or BT.1886
    plain_gammas: tuple[float, float]  # exponents that are as good as that curve
    hlg_by_luminance: bool


PICTURE = Screen(srgb=True, plain_gammas=(1.9, 2.5), hlg_by_luminance=True)
FILM = Screen(srgb=False, plain_gammas=(2.4, 2.4), hlg_by_luminance=False)
_BT1886 = 2.4


@dataclass(frozen=True, slots=True)
class Colours:
    """What a file says of its colours; what it does not say is that of ordinary screens."""

    primaries: int = UNSPECIFIED  # H.273
    transfer: int = UNSPECIFIED
    gamma: float = 0.0  # exponent from the numbers to light, where there is no transfer
    corners: Corners = ()  # where there are no primaries

    @property
    def is_hdr(self) -> bool:
        """Return whether they code light brighter than paper."""
        return self.transfer in {PQ, HLG}

    def is_plain(self, screen: Screen) -> bool:
        """Return whether they need no conversion at all."""
        gamma = _GAMMA.get(self.transfer, self.gamma)
        low, high = screen.plain_gammas
        special = self.is_hdr or self.transfer in _LOGARITHMIC or self.transfer == _LINEAR
        return not special and (not gamma or low <= gamma <= high) and _is_bt709(_corners(self))


def convert(pixels: Floats, colours: Colours, screen: Screen) -> Floats:
    """Convert coded RGB to what ``screen`` shows; what is brighter than paper is compressed.

    Args:
        pixels: ``[…, 3]``, 0…1 as coded.
        colours: of them. Unknown primaries are those that go with the transfer; curves of cameras
            (BT.709, BT.601, BT.2020, sRGB) and unknown ones count as that of the screen.
        screen: PICTURE or FILM.

    Returns:
        A fresh array of the same shape, 0…1.
    """
    if colours.is_plain(screen):
        return np.clip(pixels, 0.0, 1.0).astype(np.float32)
    coded = pixels.astype(np.float64)
    light = np.sign(coded) * _linear(np.clip(np.abs(coded), 0.0, 1.0), colours, screen)
    corners = _corners(colours)
    if not _is_bt709(corners):
        light = light @ _matrix(corners).T
    if colours.is_hdr:
        light = _compressed(light)
    return _coded(np.clip(light, 0.0, 1.0), screen).astype(np.float32)


@lru_cache(maxsize=4)
def hald_table(colours: Colours, matrix: int, full_range: bool) -> NDArray[np.uint16]:  # noqa: FBT001  # lru_cache counts names apart
    """Return the whole conversion of a film to RGB as a Hald picture ``[512, 512, 3]``.

    The steps are those of luma, blue and red difference as they are coded, or of red, green and
    blue where ``matrix`` is 0; the first runs fastest. Colours that only fit into the wider
    primaries lie outside of RGB here, so nothing is cut before the primaries are converted.
    """
    pixels = _all_steps(LEVEL**2)
    if matrix != MATRIX_RGB:
        pixels = _from_yuv(pixels, matrix, full_range=full_range)
    pixels = convert(pixels, colours, FILM)
    return np.rint(pixels * 65_535).astype(np.uint16).reshape(LEVEL**3, LEVEL**3, 3)


def picture_table(colours: Colours, steps: int) -> Floats:
    """Return the conversion of ``steps`` of red, green and blue ``[blue, green, red, 3]``."""
    return convert(_all_steps(steps), colours, PICTURE)


def _all_steps(steps: int) -> Floats:
    ramp = np.linspace(0.0, 1.0, steps, dtype=np.float32)
    third, second, first = np.meshgrid(ramp, ramp, ramp, indexing="ij")
    return np.stack((first, second, third), axis=-1)


def _from_yuv(coded: Floats, matrix: int, *, full_range: bool) -> Floats:
    """Return RGB for coded luma and differences; 0…1 is what a screen can show."""
    levels = coded.astype(np.float64) * (255 if full_range else 65_535 / 256)
    luma = levels[..., 0] / 255 if full_range else (levels[..., 0] - 16) / 219
    blue_difference, red_difference = (
        (levels[..., plane] - 128) / (255 if full_range else 224) for plane in (1, 2)
    )
    kr, kb = _LUMA[matrix]
    red = luma + 2 * (1 - kr) * red_difference
    blue = luma + 2 * (1 - kb) * blue_difference
    green = (luma - kr * red - kb * blue) / (1 - kr - kb)
    return np.stack((red, green, blue), axis=-1).astype(np.float32)


def _corners(colours: Colours) -> Corners:
    if colours.corners:
        return colours.corners
    if colours.primaries == _XYZ:
        return _CORNERS_OF_XYZ
    return _PRIMARIES.get(colours.primaries) or _PRIMARIES[BT2020 if colours.is_hdr else BT709]


def _is_bt709(corners: Corners) -> bool:
    return bool(np.abs(np.array(corners) - np.array(_PRIMARIES[BT709])).max() < _NEAR)


def _linear(coded: NDArray[np.float64], colours: Colours, screen: Screen) -> NDArray[np.float64]:
    """Return the light of ``coded``; 1 is paper white."""
    transfer, gamma = colours.transfer, _GAMMA.get(colours.transfer, colours.gamma)
    if transfer == PQ:
        m1, m2, c1, c2, c3 = 0.1593017578125, 78.84375, 0.8359375, 18.8515625, 18.6875
        power = coded ** (1 / m2)
        nits = 10_000 * (np.maximum(power - c1, 0) / (c2 - c3 * power)) ** (1 / m1)
        return nits / _WHITE_NITS
    if transfer == HLG:
        a, b, c = 0.17883277, 0.28466892, 0.55991073
        scene = np.where(coded <= 0.5, coded**2 / 3, (np.exp((coded - c) / a) + b) / 12)
        bright = (scene @ _HLG_LUMA)[..., None] if screen.hlg_by_luminance else scene
        return scene * bright ** (_HLG_GAMMA - 1) * _PEAK_NITS / _WHITE_NITS
    if transfer in _LOGARITHMIC:
        return np.where(coded > 0, 10 ** ((coded - 1) * _LOGARITHMIC[transfer]), 0.0)
    if transfer == _LINEAR:
        return coded
    if gamma and not screen.plain_gammas[0] <= gamma <= screen.plain_gammas[1]:
        # 48 of 52.37 candelas are white in a cinema
        return coded**gamma * (52.37 / 48 if transfer == _DCI else 1)
    if screen.srgb:
        return np.where(coded <= 0.04045, coded / 12.92, ((coded + 0.055) / 1.055) ** 2.4)
    return coded**_BT1886


def _coded(light: NDArray[np.float64], screen: Screen) -> NDArray[np.float64]:
    """Return what ``screen`` shows as ``light``, 0…1."""
    if screen.srgb:
        return np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)
    return light ** (1 / _BT1886)


def _compressed(light: NDArray[np.float64]) -> NDArray[np.float64]:
    """Compress the brightest channel by the Möbius curve, and the others with it.

    The curve goes on from the knee without a bend, and reaches 1 at the peak.
    """
    peak = _PEAK_NITS / _WHITE_NITS
    most = np.minimum(light.max(axis=-1, keepdims=True), peak)
    a = -(_KNEE**2) * (peak - 1) / (_KNEE**2 - 2 * _KNEE + peak)
    b = (_KNEE**2 - 2 * _KNEE * peak + peak) / (peak - 1)
    scale = (b + _KNEE) ** 2 / (b - a)
    above = np.maximum(most, _KNEE)
    factor = np.where(most > _KNEE, scale * (above + a) / (above + b) / above, 1.0)
    return np.minimum(light, peak) * factor


def _matrix(corners: Corners) -> NDArray[np.float64]:
    """Return what takes linear RGB of ``corners`` to that of BT.709, white to white.

    Raises:
        LinAlgError: these are no colours.
    """
    here = _BRADFORD @ _xyz(*corners[3])
    there = _BRADFORD @ _xyz(*_D65)
    adaptation = np.linalg.inv(_BRADFORD) @ np.diag(there / here) @ _BRADFORD
    return np.linalg.inv(_to_xyz(_PRIMARIES[BT709])) @ adaptation @ _to_xyz(corners)


def _to_xyz(corners: Corners) -> NDArray[np.float64]:
    if corners == _CORNERS_OF_XYZ:
        return np.eye(3)
    *colours, white = (_xyz(*point) for point in corners)
    columns = np.stack(colours, axis=1)
    return columns * np.linalg.solve(columns, white)


def _xyz(x: float, y: float) -> NDArray[np.float64]:
    return np.array([x / y, 1.0, (1 - x - y) / y])
