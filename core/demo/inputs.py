"""The six jobs of the demonstration, with the files that they are made from."""

from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import numpy as np
from PIL import Image

from core.demo.paint import DUSK, MORNING, NIGHT, coast, portrait, poster
from core.demo.sounds import RATE, speech, tune, write_samples
from core.domain.dimensions import Size
from core.domain.media import MediaKind
from core.domain.modes import MODES, Mode
from core.domain.options import Options
from core.media.output.encode import EncoderSettings, write_mp4

SECONDS = 3.0
FPS = 24
SIZE: tuple[int | None, int | None] = (None, None)  # of the clips; None: the preset's
_WIDE = (1152, 768)
_FILM = Size(576, 384)


@dataclass(frozen=True, slots=True)
class DemoJob:
    """One job: a mode, what would be typed, and the files by role."""

    mode: Mode
    options: Options
    files: dict[str, Path] = field(default_factory=dict[str, Path])

    def slots(self) -> list[tuple[str, Path, MediaKind]]:
        """Return role, file and kind of every input."""
        return [(slot.role, self.files[slot.role], slot.kind) for slot in MODES[self.mode].slots]


def make_demo_jobs(folder: Path) -> list[DemoJob]:
    """Write the inputs into ``folder``, and return one demo job per mode."""
    folder.mkdir(parents=True, exist_ok=True)
    dusk = _picture(folder / "dusk.png", coast(DUSK, *_WIDE))
    morning = _picture(folder / "morning.png", coast(MORNING, *_WIDE))
    night = _picture(folder / "night.png", coast(NIGHT, *_WIDE))
    face = _picture(folder / "portrait.png", portrait(768, 768))
    print_ = _picture(folder / "poster.png", poster(*_WIDE))
    melody, voice = tune(SECONDS), speech(SECONDS)
    song = write_samples(folder / "melody.wav", melody)
    talk = write_samples(folder / "speech.wav", voice)
    film = _film(folder / "film.mp4", melody)
    return [
        DemoJob(Mode.T2V, _typed("Sunset over far hills, golden light, hardly a sound", 7)),
        DemoJob(Mode.I2V, _typed("The boat drifts past the lighthouse", 11), {"image": dusk}),
        DemoJob(Mode.A2V, _typed("Teal waves of sound under a pale moon", 3), {"audio": song}),
        DemoJob(Mode.LIPSYNC, _typed("", 5), {"image": face, "audio": talk}),
        DemoJob(Mode.KEYFRAME, _typed("A day by the sea", 2), {"first": morning, "last": night}),
        DemoJob(Mode.STYLE, _typed("A screen print", 13), {"video": film, "image": print_}),
    ]


def _typed(prompt: str, seed: int) -> Options:
    width, height = SIZE
    return Options(prompt, "fast", width, height, seconds=SECONDS, fps=FPS, seed=seed)


def _picture(path: Path, picture: Image.Image) -> Path:
    picture.save(path, compress_level=1)
    return path


def _film(path: Path, melody: "np.ndarray[tuple[int], np.dtype[np.float32]]") -> Path:
    frames = (
        np.asarray(coast(MORNING, _FILM.width, _FILM.height, index / FPS))
        for index in range(round(SECONDS * FPS) + 1)
    )
    recipe = EncoderSettings(_FILM, Fraction(FPS), {"preset": "veryfast", "crf": "20"})
    samples = np.stack([melody, melody])[:, : round(SECONDS * RATE)]
    write_mp4(path, recipe, frames, samples, lambda: None)
    return path
