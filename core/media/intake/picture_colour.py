"""Convert the colours of a picture to sRGB, whatever its file says that they are.

Profiles (ICC) are applied by LittleCMS. Colours given by numbers (ITU-T H.273, as in PNG, HEIC and
AVIF) or by chromaticities go through a table; HDR keeps everything below its reference white
(203 cd/m², ITU-R BT.2408) nearly as it is, and compresses what is above.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from typing import Any, cast

from PIL import Image, ImageChops, ImageCms, ImageFilter

Vector = tuple[float, float, float]
Matrix = tuple[Vector, Vector, Vector]

UNKNOWN = 2  # in H.273
_LINEAR, _PQ, _HLG = 8, 16, 18
_D65 = (0.3127, 0.3290)
_BT709 = (_D65, (0.64, 0.33), (0.30, 0.60), (0.15, 0.06))
# H.273, table 2: xy of white, red, green, blue
_PRIMARIES = {
    5: (_D65, (0.64, 0.33), (0.29, 0.60), (0.15, 0.06)),
    6: (_D65, (0.630, 0.340), (0.310, 0.595), (0.155, 0.070)),
    7: (_D65, (0.630, 0.340), (0.310, 0.595), (0.155, 0.070)),
    9: (_D65, (0.708, 0.292), (0.170, 0.797), (0.131, 0.046)),
    11: ((0.314, 0.351), (0.680, 0.320), (0.265, 0.690), (0.150, 0.060)),
    12: (_D65, (0.680, 0.320), (0.265, 0.690), (0.150, 0.060)),
}
_GAMMAS = {4: 2.2, 5: 2.8, _LINEAR: 1.0}  # other curves are shown as sRGB's by every viewer
_BRADFORD: Matrix = (
    (0.8951, 0.2664, -0.1614),
    (-0.7502, 1.7135, 0.0367),
    (0.0389, -0.0685, 1.0296),
)
_WHITE = 203.0  # cd/m² of HDR's reference white
_PEAK = 1000.0 / _WHITE  # of most HDR pictures, in reference whites
_KNEE = 0.75  # of the reference white; what is darker stays as it is
_GRID = 33  # points of the table in each direction
_SPACES = {"RGB": "RGB", "GRAY": "L", "CMYK": "CMYK"}
_UNSEEN = 2  # of 255; a profile that changes less is that of sRGB


@dataclass(frozen=True, slots=True)
class PictureColour:
    """What a file says of its colours; the first that is there counts."""

    primaries: int = UNKNOWN  # H.273
    transfer: int = UNKNOWN
    profile: bytes = b""  # ICC
    gamma: float = 0.0  # exponent from the file's numbers to light; 0 where it is not said
    chromaticities: tuple[tuple[float, float], ...] = ()  # xy of white, red, green, blue


def to_srgb(picture: Image.Image, colour: PictureColour) -> Image.Image:
    """Convert ``picture`` (grey, RGB or CMYK, 8 bits a channel) to sRGB.

    A profile that is broken, or of another kind of picture, is left out: the numbers stay.
    """
    if colour.profile and colour.transfer not in {_PQ, _HLG}:
        converted = _by_profile(picture, colour.profile)
        if converted is not None:
            return converted
    rgb = picture if picture.mode == "RGB" else picture.convert("RGB")
    if colour.transfer in {_PQ, _HLG}:
        matrix = _to_bt709(_PRIMARIES.get(colour.primaries, _PRIMARIES[9]))
        shown = _shown_pq if colour.transfer == _PQ else _shown_hlg
        return rgb.filter(_table(partial(_tone_mapped, shown, matrix)))
    gamma = _GAMMAS.get(colour.transfer, colour.gamma)
    if gamma and not 1.9 < gamma < 2.5:
        rgb = rgb.point([round(255 * _encoded((v / 255) ** gamma)) for v in range(256)] * 3)
    corners = colour.chromaticities or _PRIMARIES.get(colour.primaries, _BT709)
    if _near(corners):
        return rgb
    try:
        matrix = _to_bt709(corners)
    except ZeroDivisionError:
        return rgb  # these are no colours
    return rgb.filter(_table(partial(_moved, matrix)))


def _by_profile(picture: Image.Image, content: bytes) -> Image.Image | None:
    """Apply an ICC profile; None where that cannot be done."""
    try:
        profile = ImageCms.ImageCmsProfile(BytesIO(content))
        core = cast("Any", profile.profile)  # pyright: ignore[reportUnknownMemberType]  # untyped
        mode = _SPACES.get(core.xcolor_space.strip(), "")
        if mode == "RGB" and picture.mode == "L":
            picture = picture.convert("RGB")
        if mode != picture.mode:
            return None
        transform = ImageCms.buildTransform(
            profile,
            ImageCms.createProfile("sRGB"),  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType]  # as above
            mode,
            "RGB",
            ImageCms.Intent.RELATIVE_COLORIMETRIC,
            ImageCms.Flags.BLACKPOINTCOMPENSATION,
        )
        if mode != "CMYK" and _changes_nothing(transform, mode):
            return picture.convert("RGB")
        return ImageCms.applyTransform(picture, transform)
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return None


def _changes_nothing(transform: ImageCms.ImageCmsTransform, mode: str) -> bool:
    steps = bytes(range(0, 256, 51))
    values = (
        bytes(range(256))
        if mode == "L"
        else b"".join(bytes((r, g, b)) for r in steps for g in steps for b in steps)
    )
    sample = Image.frombytes(mode, (len(values) // len(mode), 1), values)
    made = ImageCms.applyTransform(sample, transform)
    if made is None:
        return False
    extrema = ImageChops.difference(sample.convert("RGB"), made).getextrema()
    return max(int(high) for _, high in extrema) <= _UNSEEN  # type: ignore[misc]  # three bands


def _table(convert: Callable[[float, float, float], Vector]) -> ImageFilter.Color3DLUT:
    return ImageFilter.Color3DLUT.generate(_GRID, convert)


def _moved(matrix: Matrix, red: float, green: float, blue: float) -> Vector:
    light = _times(matrix, (_decoded(red), _decoded(green), _decoded(blue)))
    return _encoded(light[0]), _encoded(light[1]), _encoded(light[2])


def _tone_mapped(
    shown: Callable[[Vector], Vector], matrix: Matrix, red: float, green: float, blue: float
) -> Vector:
    light = _times(matrix, shown((red, green, blue)))
    brightest = max(light)
    scale = _compressed(brightest) / brightest if brightest > _KNEE else 1.0
    return _encoded(light[0] * scale), _encoded(light[1] * scale), _encoded(light[2] * scale)


def _compressed(light: float) -> float:
    """Map _KNEE … _PEAK to _KNEE … 1, smoothly (Reinhard's curve with a white point)."""
    above, most = (light - _KNEE) / (1 - _KNEE), (_PEAK - _KNEE) / (1 - _KNEE)
    return min(1.0, _KNEE + (1 - _KNEE) * above * (1 + above / most**2) / (1 + above))


def _shown_pq(code: Vector) -> Vector:
    """Return the light of PQ numbers (ITU-R BT.2100), in reference whites."""

    def light(value: float) -> float:
        power = value ** (1 / 78.84375)
        ratio = max(power - 0.8359375, 0.0) / (18.8515625 - 18.6875 * power)
        return ratio ** (1 / 0.1593017578125) * 10_000 / _WHITE

    return light(code[0]), light(code[1]), light(code[2])


def _shown_hlg(code: Vector) -> Vector:
    """Return the light of HLG numbers on a display of 1000 cd/m², in reference whites."""

    def scene(value: float) -> float:
        if value <= 0.5:
            return value * value / 3
        return (2.718281828 ** ((value - 0.55991073) / 0.17883277) + 0.28466892) / 12

    red, green, blue = scene(code[0]), scene(code[1]), scene(code[2])
    brightness = 0.2627 * red + 0.6780 * green + 0.0593 * blue
    gain = brightness**0.2 * _PEAK
    return red * gain, green * gain, blue * gain


def _decoded(value: float) -> float:
    return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4


def _encoded(light: float) -> float:
    light = min(max(light, 0.0), 1.0)
    return light * 12.92 if light <= 0.0031308 else 1.055 * light ** (1 / 2.4) - 0.055


def _near(corners: tuple[tuple[float, float], ...]) -> bool:
    pairs = zip(corners, _BT709, strict=True)
    return all(abs(a - c) < 0.003 and abs(b - d) < 0.003 for (a, b), (c, d) in pairs)


def _to_bt709(corners: tuple[tuple[float, float], ...]) -> Matrix:
    """Return the matrix from the linear RGB of ``corners`` to that of BT.709."""
    source, target = _to_xyz(corners), _to_xyz(_BT709)
    return _product(_inverse(target), source)


def _to_xyz(corners: tuple[tuple[float, float], ...]) -> Matrix:
    """Return the matrix from linear RGB to XYZ, adapted to the white of BT.709 (Bradford)."""
    white, *primaries = ((x / y, 1.0, (1 - x - y) / y) for x, y in corners)
    columns = _transposed((primaries[0], primaries[1], primaries[2]))
    gains = _times(_inverse(columns), white)
    scaled = tuple(tuple(v * g for v, g in zip(row, gains, strict=True)) for row in columns)
    x, y = _D65
    here, there = _times(_BRADFORD, white), _times(_BRADFORD, (x / y, 1.0, (1 - x - y) / y))
    ratio = [a / b for a, b in zip(there, here, strict=True)]
    adapt: Matrix = ((ratio[0], 0, 0), (0, ratio[1], 0), (0, 0, ratio[2]))
    adapted = _product(_inverse(_BRADFORD), _product(adapt, _BRADFORD))
    return _product(adapted, scaled)  # type: ignore[arg-type]  # three by three


def _times(matrix: Matrix, vector: Vector) -> Vector:
    a, b, c = vector
    first, second, third = (row[0] * a + row[1] * b + row[2] * c for row in matrix)
    return first, second, third


def _transposed(matrix: Matrix) -> Matrix:
    first, second, third = zip(*matrix, strict=True)
    return first, second, third


def _product(left: Matrix, right: Matrix) -> Matrix:
    first, second, third = (_times(left, column) for column in _transposed(right))
    return _transposed((first, second, third))


def _inverse(matrix: Matrix) -> Matrix:
    (a, b, c), (d, e, f), (g, h, i) = matrix
    rows = (
        (e * i - f * h, c * h - b * i, b * f - c * e),
        (f * g - d * i, a * i - c * g, c * d - a * f),
        (d * h - e * g, b * g - a * h, a * e - b * d),
    )
    size = a * rows[0][0] + b * rows[1][0] + c * rows[2][0]
    first, second, third = ((x / size, y / size, z / size) for x, y, z in rows)
    return first, second, third
