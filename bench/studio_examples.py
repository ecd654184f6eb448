"""Make the files that the Studio's examples begin with, from the drawings of ``make demo``.

Run: ``PYTHONPATH=. python bench/studio_examples.py``. It writes ``webui/assets/examples``; what is
there is in git, since the page gives these files without drawing anything. Small: 480×320, 3 s.
"""

import sys
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import av
import numpy as np

from core.demo.paint import DUSK, MORNING, NIGHT, coast, portrait, poster
from core.demo.sounds import RATE, speech, tune
from core.domain.dimensions import Size
from core.media.output.encode import EncoderSettings, write_mp4

if TYPE_CHECKING:
    from numpy.typing import NDArray

FOLDER = Path(__file__).resolve().parents[1] / "webui" / "assets" / "examples"
SECONDS, FPS = 3.0, 12
WIDE, SQUARE, FILM = (480, 320), (384, 384), Size(384, 256)
BIT_RATE = 32_000  # of Opus, mono


def write_opus(path: Path, samples: "NDArray[np.float32]") -> None:
    """Write mono samples at 48 kHz as Opus in Ogg."""
    with av.open(path, "w", "ogg", {"fflags": "+bitexact"}) as target:
        stream = target.add_stream("libopus", RATE, layout="mono")
        stream.bit_rate = BIT_RATE
        frame = av.AudioFrame.from_ndarray(samples[None], "flt", "mono")
        frame.sample_rate = RATE
        resampler = av.AudioResampler("s16", "mono", RATE, frame_size=960)
        for one in (frame, None):
            for piece in resampler.resample(one):
                target.mux(stream.encode(piece))
        target.mux(stream.encode(None))


def main() -> int:
    FOLDER.mkdir(parents=True, exist_ok=True)
    pictures = {
        "dusk": coast(DUSK, *WIDE),
        "morning": coast(MORNING, *WIDE),
        "night": coast(NIGHT, *WIDE),
        "portrait": portrait(*SQUARE),
        "poster": poster(*WIDE),
    }
    for name, picture in pictures.items():
        picture.convert("RGB").save(FOLDER / f"{name}.jpg", quality=84, optimize=True)
    melody = tune(SECONDS)[: round(SECONDS * RATE)]
    write_opus(FOLDER / "melody.ogg", melody)
    write_opus(FOLDER / "speech.ogg", speech(SECONDS))
    frames = (
        np.asarray(coast(MORNING, FILM.width, FILM.height, index / FPS))
        for index in range(round(SECONDS * FPS) + 1)
    )
    recipe = EncoderSettings(FILM, Fraction(FPS), {"preset": "slow", "crf": "28"})
    write_mp4(FOLDER / "film.mp4", recipe, frames, np.stack([melody, melody]), lambda: None)
    sizes = {path.name: path.stat().st_size for path in sorted(FOLDER.iterdir())}
    sys.stdout.write(f"{sizes}\n{sum(sizes.values())} bytes\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
