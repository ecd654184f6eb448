"""Small inputs for the animatic, admitted files in a folder, and a way to draw with them."""

import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from core.animatic import DraftExecutor
from core.demo.paint import DUSK, MORNING, NIGHT, coast, portrait, poster
from core.demo.sounds import speech, tune, write_samples
from core.domain.dimensions import Size
from core.domain.media import MediaFile, MediaKind, RawClip
from core.domain.modes import MODES, Mode
from core.domain.presets import Preset
from core.domain.requests import Request, Sampling, make_request
from core.interfaces.executor import Order
from core.media.output.encode import EncoderSettings, write_mp4
from core.runtime.cancellation import CancelToken


@dataclass
class Lab:
    """Inputs by name, requests made of them, and clips drawn from those."""

    folder: Path
    files: dict[str, MediaFile]

    def add(self, source: Path, kind: MediaKind, **facts: Any) -> MediaFile:
        digest = hashlib.sha256(source.read_bytes()).hexdigest()
        file = MediaFile(digest, source.suffix, kind, source.stat().st_size, **facts)
        source.rename(self.folder / file.name)
        return file

    def sound(self, samples: np.ndarray) -> MediaFile:
        path = write_samples(self.folder / "new.wav", samples.astype(np.float32))
        return self.add(path, MediaKind.AUDIO, seconds=len(samples) / 48_000, sample_rate=48_000)

    def picture(self, picture: Image.Image) -> MediaFile:
        path = self.folder / "new.png"
        picture.save(path)
        return self.add(path, MediaKind.IMAGE, width=picture.width, height=picture.height)

    def film(self, shift: float = 0.0, samples: np.ndarray | None = None) -> MediaFile:
        frames = [np.asarray(coast(MORNING, 192, 128, shift + i / 12)) for i in range(12)]
        recipe = EncoderSettings(Size(192, 128), Fraction(12), {"preset": "ultrafast", "crf": "15"})
        both = None if samples is None else np.stack([samples, samples]).astype(np.float32)
        path = self.folder / "new.mp4"
        write_mp4(path, recipe, frames, both, lambda: None)
        facts = {"width": 192, "height": 128, "seconds": 1.0, "fps": 12.0}
        rate = 0 if samples is None else 48_000
        return self.add(path, MediaKind.VIDEO, sample_rate=rate, **facts)

    def by_kind(self) -> dict[str, MediaFile]:
        """Make a file for every slot of every mode: the hours of a day, a tune, a film."""
        pictures = [self.picture(coast(hour, 192, 128)) for hour in (DUSK, MORNING, NIGHT)]
        others = {
            MediaKind.AUDIO: self.sound(tune(1.2)),
            MediaKind.VIDEO: self.film(samples=tune(1.0)),
        }
        return {
            f"{spec.mode}.{slot.role}": others.get(slot.kind) or pictures[index % 3]
            for spec in MODES.values()
            for index, slot in enumerate(spec.slots)
        }

    def request(self, mode: Mode, prompt: str = "a calm sea", **changes: Any) -> Request:
        """Return a small request; ``changes`` are fields of its sampling or its files."""
        spec = MODES[mode]
        media = {slot.role: self.files[f"{mode}.{slot.role}"] for slot in spec.slots}
        media |= {role: changes.pop(role) for role in list(changes) if role in media}
        sampling = Sampling(Preset.FAST, 192, 128, frames=17, fps=16, seed=1)
        return make_request(mode, prompt, replace(sampling, **changes), media)

    def order(self, request: Request) -> Order:
        return Order("0" * 32, 1, request, self.folder, self.folder)

    async def draw(self, request: Request) -> RawClip:
        return await DraftExecutor().execute(
            self.order(request), lambda _event: None, CancelToken()
        )


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Lab:
    made = Lab(tmp_path_factory.mktemp("draft"), {})
    face, voice = made.picture(portrait(192, 192)), made.sound(speech(1.2))
    made.files = made.by_kind() | {
        "i2v.image": made.picture(coast(DUSK, 192, 128)),
        "a2v.audio": made.sound(tune(1.2)),
        "lipsync.image": face,
        "lipsync.audio": voice,
        "keyframe.first": made.picture(coast(MORNING, 200, 130)),
        "keyframe.last": made.picture(coast(NIGHT, 200, 130)),
        "style.video": made.film(samples=tune(1.0)),
        "style.image": made.picture(poster(192, 128)),
        # a second file of every kind, for tests that exchange one
        "other.image": made.picture(poster(180, 180)),
        "other.audio": made.sound(tune(1.2)[::-1].copy()),
        "other.video": made.film(shift=2.0),
    }
    return made


@pytest.fixture
def draw(lab: Lab) -> Callable[..., Awaitable[RawClip]]:
    async def drawn(mode: Mode, prompt: str = "a calm sea", **changes: Any) -> RawClip:
        return await lab.draw(lab.request(mode, prompt, **changes))

    return drawn
