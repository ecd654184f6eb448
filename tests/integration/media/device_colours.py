"""The test picture of every device, and what its colours are in other colour spaces."""

import struct

import numpy as np
from numpy.typing import NDArray
from PIL import Image

RED, GREEN, BLUE, YELLOW = (200, 40, 40), (40, 180, 60), (40, 60, 200), (220, 200, 40)
QUADRANTS = (RED, GREEN, BLUE, YELLOW)  # top left, top right, bottom left, bottom right

Chromaticities = tuple[tuple[float, float], ...]  # xy of red, green, blue, white

D65 = (0.3127, 0.3290)
D50 = (0.3457, 0.3585)
SRGB: Chromaticities = ((0.64, 0.33), (0.30, 0.60), (0.15, 0.06), D65)
P3: Chromaticities = ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060), D65)
ADOBE: Chromaticities = ((0.64, 0.33), (0.21, 0.71), (0.15, 0.06), D65)
PROPHOTO: Chromaticities = ((0.7347, 0.2653), (0.1596, 0.8404), (0.0366, 0.0001), D50)
BT2020: Chromaticities = ((0.708, 0.292), (0.170, 0.797), (0.131, 0.046), D65)

_BRADFORD = np.array(
    [[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]]
)


def picture(width: int = 384, height: int = 256, mode: str = "RGB") -> Image.Image:
    """Return four quadrants of known colours."""
    made = Image.new("RGB", (width, height), YELLOW)
    for colour, place in zip(QUADRANTS, _places(width, height), strict=True):
        made.paste(colour, place)
    return made.convert(mode)


def _places(width: int, height: int) -> list[tuple[int, int, int, int]]:
    x, y = width // 2, height // 2
    return [(0, 0, x, y), (x, 0, width, y), (0, y, x, height), (x, y, width, height)]


def quadrants(image: Image.Image) -> list[tuple[int, ...]]:
    """Return the colour in the middle of each quadrant."""
    rgb = image.convert("RGB")
    places = _places(*image.size)
    return [rgb.getpixel(((a + c) // 2, (b + d) // 2)) for a, b, c, d in places]  # pyright: ignore[reportReturnType]


def linear(colour: tuple[int, ...]) -> NDArray[np.float64]:
    value = np.asarray(colour, float) / 255
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def to_xyz(space: Chromaticities) -> NDArray[np.float64]:
    """Return the matrix from linear RGB of ``space`` to XYZ of D50."""
    xyz = np.array([[x / y, 1, (1 - x - y) / y] for x, y in space])
    primaries, white = xyz[:3].T, xyz[3]
    matrix = primaries * np.linalg.solve(primaries, white)
    d50 = np.array([0.9642, 1.0, 0.8249])
    gain = (_BRADFORD @ d50) / (_BRADFORD @ white)
    return np.linalg.inv(_BRADFORD) @ np.diag(gain) @ _BRADFORD @ matrix


def within(space: Chromaticities, colour: tuple[int, ...]) -> NDArray[np.float64]:
    """Return the linear RGB of an sRGB colour in ``space``."""
    return np.clip(np.linalg.solve(to_xyz(space), to_xyz(SRGB) @ linear(colour)), 0, 1)


def in_space(space: Chromaticities, gamma: float, bits: int = 8) -> NDArray[np.uint16]:
    """Return the test picture in the numbers of ``space``, encoded with a plain ``gamma``."""
    return _mapped(lambda colour: within(space, colour) ** (1 / gamma), bits)


def in_pq(bits: int = 16) -> NDArray[np.uint16]:
    """Return the test picture in BT.2020 and PQ, its white at 203 cd/m²."""

    def encoded(colour: tuple[int, ...]) -> NDArray[np.float64]:
        power = (within(BT2020, colour) * 203 / 10_000) ** 0.1593017578125
        return ((0.8359375 + 18.8515625 * power) / (1 + 18.6875 * power)) ** 78.84375

    return _mapped(encoded, bits)


def in_hlg(bits: int = 16) -> NDArray[np.uint16]:
    """Return the test picture in BT.2020 and HLG, its white at 203 of 1000 cd/m²."""

    def encoded(colour: tuple[int, ...]) -> NDArray[np.float64]:
        light = within(BT2020, colour) * 203 / 1000
        shown = float(light @ (0.2627, 0.6780, 0.0593))
        scene = light * max(shown, 1e-6) ** (1 / 1.2 - 1)
        low = np.sqrt(3 * scene)
        high = 0.17883277 * np.log(np.maximum(12 * scene - 0.28466892, 1e-9)) + 0.55991073
        return np.where(scene <= 1 / 12, low, high)

    return _mapped(encoded, bits)


def _mapped(encode: object, bits: int) -> NDArray[np.uint16]:
    made = np.zeros((256, 384, 3), np.uint16)
    for colour, (a, b, c, d) in zip(QUADRANTS, _places(384, 256), strict=True):
        made[b:d, a:c] = np.round(encode(colour) * ((1 << bits) - 1))  # type: ignore[operator]
    return made


def profile(space: Chromaticities | None, gamma: float, *, cmyk: bool = False) -> bytes:
    """Return an ICC profile: of ``space`` with a plain ``gamma``, grey without one, or of CMYK."""
    curve = b"curv" + bytes(4) + struct.pack(">IH", 1, round(gamma * 256)) + bytes(2)
    tags = {b"wtpt": _xyz((0.9642, 1.0, 0.8249)), b"desc": _text(b"test")}
    if cmyk:
        tags[b"A2B0"] = _ink_table()
    elif space is None:
        tags[b"kTRC"] = curve
    else:
        columns = to_xyz(space).T
        for letter, column in zip(b"rgb", columns, strict=True):
            tags[bytes([letter]) + b"XYZ"] = _xyz(tuple(column))
            tags[bytes([letter]) + b"TRC"] = curve
    kind = b"CMYK" if cmyk else b"GRAY" if space is None else b"RGB "
    return _profile_of(kind, b"prtr" if cmyk else b"mntr", b"Lab " if cmyk else b"XYZ ", tags)


def _profile_of(kind: bytes, device: bytes, between: bytes, tags: dict[bytes, bytes]) -> bytes:
    at = 128 + 4 + 12 * len(tags)
    table, body = struct.pack(">I", len(tags)), b""
    for name, content in tags.items():
        table += name + struct.pack(">II", at + len(body), len(content))
        body += content
    head = struct.pack(">I4sI", at + len(body), b"lcms", 0x02400000) + device + kind + between
    head = (head + bytes(12) + b"acsp").ljust(68, b"\0") + struct.pack(">iii", 63190, 65536, 54061)
    return head.ljust(128, b"\0") + table + body


def _xyz(values: tuple[float, ...]) -> bytes:
    return b"XYZ " + bytes(4) + struct.pack(">iii", *(round(v * 65536) for v in values))


def _text(text: bytes) -> bytes:
    return (b"desc" + bytes(4) + struct.pack(">I", len(text) + 1) + text + bytes(80)).ljust(92)


def _ink_table() -> bytes:
    """Return a table of 2⁴ points, in which every ink takes its colour and black takes all;
    the paper is grey (0.6 of white)."""
    same = bytes(range(256))
    points = b""
    for corner in range(16):
        cyan, magenta, yellow, black = ((corner >> bit) & 1 for bit in (3, 2, 1, 0))
        rgb = np.array([1 - cyan, 1 - magenta, 1 - yellow]) * (1 - black) * 0.6
        x, y, z = (to_xyz(SRGB) @ rgb) / (0.9642, 1.0, 0.8249)
        fx, fy, fz = (
            float(np.cbrt(v)) if v > 0.008856 else 7.787 * v + 16 / 116 for v in (x, y, z)
        )
        lab = (116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz))
        points += bytes([round(lab[0] * 2.55), *(round(v) + 128 & 255 for v in lab[1:])])
    head = b"mft1" + bytes(4) + bytes([4, 3, 2, 0])
    unit = struct.pack(">9i", 65536, 0, 0, 0, 65536, 0, 0, 0, 65536)
    return head + unit + same * 4 + points + same * 3
