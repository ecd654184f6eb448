"""The jobs of the demonstration, one for each mode, with the files that they are made from.

A mode gets files by the kinds of its slots. What it says here is optional: a line to type, and
files that suit it better.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import cycle
from pathlib import Path

import numpy as np
from PIL import Image

from core.demo.paint import DUSK, MORNING, NIGHT, coast, portrait, poster
from core.demo.sounds import RATE, speech, tune, write_samples
from core.domain.dimensions import Size
from core.domain.media import MediaKind
from core.domain.modes import MODES, Mode, ModeSpec
from core.domain.options import Options
from core.media.output.encode import EncoderSettings, write_mp4

SECONDS = 3.0
FPS = 24
SIZE: tuple[int | None, int | None] = (None, None)  # of the clips; None: the preset's
_WIDE = (1152, 768)
_FILM = Size(576, 384)
_ANY_PROMPT = "The lighthouse and the sea, on a calm day"  # where a mode says nothing here
_TYPED = {
    Mode.T2V: ("Sunset over far hills, golden light, hardly a sound", 7),
    Mode.I2V: ("The boat drifts past the lighthouse", 11),
    Mode.A2V: ("Teal waves of sound under a pale moon", 3),
    Mode.LIPSYNC: ("", 5),
    Mode.KEYFRAME: ("A day by the sea", 2),
    Mode.STYLE: ("A screen print", 13),
}  # prompt and seed
_CHOSEN = {
    Mode.LIPSYNC: {"image": "portrait", "audio": "speech"},
    Mode.STYLE: {"image": "poster"},
}  # files that suit a mode better than those of their kind


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
    melody = tune(SECONDS)
    files = {
        "dusk": _picture(folder / "dusk.png", coast(DUSK, *_WIDE)),
        "morning": _picture(folder / "morning.png", coast(MORNING, *_WIDE)),
        "night": _picture(folder / "night.png", coast(NIGHT, *_WIDE)),
        "portrait": _picture(folder / "portrait.png", portrait(768, 768)),
        "poster": _picture(folder / "poster.png", poster(*_WIDE)),
        "melody": write_samples(folder / "melody.wav", melody),
        "speech": write_samples(folder / "speech.wav", speech(SECONDS)),
        "film": _film(folder / "film.mp4", melody),
    }
    return [_job(spec, files) for spec in MODES.values()]


def _job(spec: ModeSpec, files: Mapping[str, Path]) -> DemoJob:
    prompt, seed = _TYPED.get(spec.mode, (_ANY_PROMPT, 1))
    chosen = {**_by_kind(spec), **_CHOSEN.get(spec.mode, {})}
    return DemoJob(spec.mode, _typed(prompt, seed), {role: files[chosen[role]] for role in chosen})


def _by_kind(spec: ModeSpec) -> dict[str, str]:
    """Name a file for each slot: one picture is the coast at dusk, several are its day."""
    pictures = spec.roles(MediaKind.IMAGE)
    names = cycle(("morning", "night") if len(pictures) > 1 else ("dusk",))
    return {
        **dict(zip(pictures, names, strict=False)),
        **dict.fromkeys(spec.roles(MediaKind.AUDIO), "melody"),
        **dict.fromkeys(spec.roles(MediaKind.VIDEO), "film"),
    }


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
