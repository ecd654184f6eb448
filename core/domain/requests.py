"""What was asked: one frozen record per mode, checked when it is made, never a dict.

Fronts call :func:`core.domain.request_builder.compose`, which fills defaults, snaps sizes and
checks limits. The records here hold only what is always true of a request, whatever the limits are
set to.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, ClassVar, TypeAlias

from core.domain.dimensions import FRAME_STRIDE, SIDE_MULTIPLE, Size, play_time
from core.domain.limits import MAX_SEED
from core.domain.media import MediaFile, MediaKind
from core.domain.modes import MODES, Mode
from core.domain.presets import PRESETS, Camera, Preset
from core.errors import MediaMissing, OutOfRange, PromptMissing, Scalar


@dataclass(frozen=True, slots=True)
class Sampling:
    """How the clip is made; the values a requester may choose, after defaults and snapping."""

    preset: Preset
    width: int  # px, multiple of 64
    height: int
    frames: int  # 8k + 1
    fps: int
    seed: int  # 0 … 2⁶³ − 1
    camera: Camera = Camera.NONE
    negative_prompt: str = ""

    def __post_init__(self) -> None:
        for name, side in (("width", self.width), ("height", self.height)):
            if side < SIDE_MULTIPLE or side % SIDE_MULTIPLE:
                raise OutOfRange(name, side, SIDE_MULTIPLE, side // SIDE_MULTIPLE * 64, "px")
        if self.frames < FRAME_STRIDE + 1 or self.frames % FRAME_STRIDE != 1:
            raise OutOfRange("frames", self.frames, FRAME_STRIDE + 1, self.frames, "8k+1")
        if self.fps < 1:
            raise OutOfRange("fps", self.fps, 1, self.fps)
        if not 0 <= self.seed <= MAX_SEED:
            raise OutOfRange("seed", self.seed, 0, MAX_SEED)

    @property
    def size(self) -> Size:
        """Return the picture size."""
        return Size(self.width, self.height)

    @property
    def finished(self) -> Size:
        """Return the size of the clip that this becomes: twice its own for a draft."""
        scale = PRESETS[self.preset].scale
        return Size(self.width * scale, self.height * scale)

    @property
    def seconds(self) -> float:
        """Return how long the clip plays."""
        return play_time(self.frames, self.fps)


@dataclass(frozen=True, slots=True)
class _BaseRequest:
    """What every mode has."""

    mode: ClassVar[Mode]
    prompt: str
    sampling: Sampling

    def __post_init__(self) -> None:
        spec = MODES[self.mode]
        if spec.prompt_required and not self.prompt.strip():
            raise PromptMissing(self.mode)
        for slot in spec.slots:
            if self.media()[slot.role].kind is not slot.kind:
                raise MediaMissing(self.mode, slot.role)

    def media(self) -> dict[str, MediaFile]:
        """Return the files of this request by role, in the order of the mode's slots."""
        return {slot.role: getattr(self, slot.role) for slot in MODES[self.mode].slots}


@dataclass(frozen=True, slots=True)
class TextToVideo(_BaseRequest):
    """``t2v``: a prompt becomes a video."""

    mode: ClassVar[Mode] = Mode.T2V


@dataclass(frozen=True, slots=True)
class ImageToVideo(_BaseRequest):
    """``i2v``: the image is the first frame."""

    mode: ClassVar[Mode] = Mode.I2V
    image: MediaFile


@dataclass(frozen=True, slots=True)
class AudioToVideo(_BaseRequest):
    """``a2v``: pictures that follow the sound; the sound is kept as it is."""

    mode: ClassVar[Mode] = Mode.A2V
    audio: MediaFile


@dataclass(frozen=True, slots=True)
class Lipsync(_BaseRequest):
    """``lipsync``: the portrait speaks the audio; the sound is kept as it is."""

    mode: ClassVar[Mode] = Mode.LIPSYNC
    image: MediaFile
    audio: MediaFile


@dataclass(frozen=True, slots=True)
class Keyframe(_BaseRequest):
    """``keyframe``: from the first image to the last."""

    mode: ClassVar[Mode] = Mode.KEYFRAME
    first: MediaFile
    last: MediaFile


@dataclass(frozen=True, slots=True)
class Style(_BaseRequest):
    """``style``: the video's motion in the look of the image."""

    mode: ClassVar[Mode] = Mode.STYLE
    video: MediaFile
    image: MediaFile


Request: TypeAlias = TextToVideo | ImageToVideo | AudioToVideo | Lipsync | Keyframe | Style

KINDS: dict[Mode, type[Request]] = {
    kind.mode: kind for kind in (TextToVideo, ImageToVideo, AudioToVideo, Lipsync, Keyframe, Style)
}


def make_request(
    mode: Mode, prompt: str, sampling: Sampling, media: Mapping[str, MediaFile]
) -> Request:
    """Make the request of ``mode``.

    Args:
        mode: which of the six.
        prompt: what the person wrote.
        sampling: already snapped.
        media: exactly the files of the mode's slots, by role.

    Returns:
        The frozen record.

    Raises:
        MediaMissing: a slot has no file, or one of another kind.
    """
    for slot in MODES[mode].slots:
        if slot.role not in media:
            raise MediaMissing(mode, slot.role)
    return KINDS[mode](prompt=prompt, sampling=sampling, **dict(media))


def to_json(request: Request) -> dict[str, Any]:
    """Return ``request`` as plain data, for a row or for a clip's metadata."""
    return {
        "mode": request.mode.value,
        "prompt": request.prompt,
        "sampling": _plain(request.sampling),
        "media": {role: file_to_json(file) for role, file in request.media().items()},
    }


def from_json(data: Mapping[str, Any]) -> Request:
    """Read the request that :func:`to_json` described; values are checked again."""
    sampling = dict(data["sampling"])
    sampling["preset"] = Preset(sampling["preset"])
    sampling["camera"] = Camera(sampling["camera"])
    media = {role: file_from_json(file) for role, file in data["media"].items()}
    return make_request(Mode(data["mode"]), data["prompt"], Sampling(**sampling), media)


def file_to_json(file: MediaFile) -> dict[str, Any]:
    """Return ``file`` as plain data."""
    return _plain(file)


def file_from_json(data: Mapping[str, Any]) -> MediaFile:
    """Read the file that :func:`file_to_json` described."""
    return MediaFile(kind=MediaKind(data["kind"]), **_without(data, "kind"))


def _without(values: Mapping[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in values.items() if key != name}


def _plain(record: Sampling | MediaFile) -> dict[str, Any]:
    values = {item.name: getattr(record, item.name) for item in fields(record)}
    return {
        name: str(value) if isinstance(value, Preset | Camera | MediaKind) else value
        for name, value in values.items()
    }


def latents_name(request: Request) -> str:
    """Return the name of what the first stage of ``request`` makes: a hash of what was asked.

    A draft and the clip that it becomes have the same.
    """
    sampling = request.sampling
    asked = {
        "mode": request.mode.value,
        "prompt": request.prompt,
        "media": {role: file.sha256 for role, file in request.media().items()},
        "size": [sampling.finished.width, sampling.finished.height],
        "time": [sampling.frames, sampling.fps],
        "seed": sampling.seed,
        "camera": sampling.camera.value,
    }
    return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Options:
    """What a person may type beside the files; None means "choose for me"."""

    prompt: str = ""
    preset: str | None = None
    width: int | None = None
    height: int | None = None
    aspect: str | None = None  # a key of ASPECTS; ignored where width and height are given
    seconds: float | None = None
    fps: int | None = None
    seed: int | None = None
    camera: str | None = None
    negative_prompt: str = ""


@dataclass(frozen=True, slots=True)
class Adjustment:
    """Something that was changed, with the reason as a message code and its data."""

    code: str
    data: dict[str, Scalar]


@dataclass(frozen=True, slots=True)
class Composition:
    """The request and what the requester should be told about it."""

    request: Request
    adjustments: tuple[Adjustment, ...]
