"""What was asked: one frozen record, checked against its mode when it is made, never a dict.

Fronts call :func:`core.domain.request_builder.compose`, which fills defaults, snaps sizes and
checks limits. The records here hold only what is always true of a request, whatever the limits are
set to.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from enum import StrEnum
from typing import Any, Self

from core.domain.adjustments import Adjustment
from core.domain.decoding import UndecodableError, decode
from core.domain.dimensions import FRAME_STRIDE, SIDE_MULTIPLE, Size, play_time
from core.domain.lineage import DRAFTS, JobOrigin
from core.domain.media import MediaFile
from core.domain.modes import MODES, Mode
from core.domain.options import KEPT
from core.domain.presets import PRESETS, Camera, Control, Enhance, Preset, Sync
from core.domain.seeds import MAX_SEED
from core.domain.words import StyleWords, Wording, worded
from core.errors import ClapperError, MediaMissing, MediaUnexpected, OutOfRange, PromptMissing

# Of stored requests. One more with everything that a program of before cannot read: such a program
# leaves the job to others. tests/unit/domain/test_requests.py notices it.
FORMAT = 3


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
    enhance: Enhance = Enhance.OFF
    sync: Sync = Sync.AUTO
    control: Control = Control.EDGES
    negative_prompt: str = ""
    times: str = ""  # s, of each picture, separated by commas; empty: spread evenly
    sound_from: float | None = None  # s into the given sound, where the clip begins
    doubled: bool = False  # made at half the rate; a network puts a frame between every two

    def __post_init__(self) -> None:
        for name, side in (("width", self.width), ("height", self.height)):
            if side < SIDE_MULTIPLE or side % SIDE_MULTIPLE:
                raise OutOfRange(name, side, SIDE_MULTIPLE, side // SIDE_MULTIPLE * 64, "px")
        if self.doubled and (self.fps % 2 or self.frames % (2 * FRAME_STRIDE) != 1):
            raise OutOfRange("frames", self.frames, 2 * FRAME_STRIDE + 1, self.frames, "16k+1")
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
    def factor(self) -> int:
        """Return how many frames the clip has for each one that is sampled."""
        return 2 if self.doubled else 1

    @property
    def sampled_fps(self) -> int:
        """Return the rate at which the clip is sampled."""
        return self.fps // self.factor

    @property
    def sampled_frames(self) -> int:
        """Return how many frames are sampled, 8k+1."""
        return (self.frames - 1) // self.factor + 1

    @property
    def seconds(self) -> float:
        """Return how long the clip plays."""
        return play_time(self.frames, self.fps)


@dataclass(frozen=True, slots=True)
class Request:
    """One request of any mode: its words, how the clip is made, and a file for each slot."""

    mode: Mode
    prompt: str
    sampling: Sampling
    files: tuple[MediaFile, ...] = ()  # in the order of the mode's slots
    style: StyleWords | None = None  # as it was when the request was made
    chosen_by: tuple[tuple[str, str], ...] = ()  # options that nobody typed, and who chose them
    words_seed: int | None = None  # draws the wildcards; None: the seed of the clip

    def __post_init__(self) -> None:
        spec = MODES[self.mode]
        if spec.prompt_required and not self.prompt.strip():
            raise PromptMissing(self.mode)
        for number, slot in enumerate(spec.slots):
            if number >= len(self.files) or self.files[number].kind is not slot.kind:
                raise MediaMissing(self.mode, slot.role)
        for slot, file in zip(spec.more, self.files[len(spec.slots) :], strict=False):
            if file.kind is not slot.kind:
                raise MediaUnexpected(self.mode, file.kind)
        if len(self.files) > len(spec.every_slot):
            raise MediaUnexpected(self.mode, self.files[-1].kind)

    def media(self) -> dict[str, MediaFile]:
        """Return the files of this request by role, in the order of the mode's slots."""
        slots = MODES[self.mode].every_slot
        return {slot.role: file for slot, file in zip(slots, self.files, strict=False)}

    @property
    def wording(self) -> Wording:
        """Return the words that the model is given."""
        seed = self.sampling.seed if self.words_seed is None else self.words_seed
        return worded(self.prompt, self.sampling.negative_prompt, self.style, seed)

    @property
    def as_worded(self) -> Self:
        """Return the request as whatever makes it needs it: :attr:`wording` stands in it."""
        words = self.wording
        sampling = replace(self.sampling, negative_prompt=words.negative)
        return replace(self, prompt=words.prompt, sampling=sampling, style=None)


def make_request(
    mode: Mode, prompt: str, sampling: Sampling, media: Mapping[str, MediaFile]
) -> Request:
    """Return the request of ``mode``.

    Args:
        mode: a member of the table of modes.
        prompt: what the person wrote.
        sampling: already snapped.
        media: a file for each slot that needs one, by role, and for those that may have one;
            of these the first ones are filled.

    Returns:
        The frozen record.

    Raises:
        MediaMissing: a slot has no file, or one of another kind.
        MediaUnexpected: a file in a role that the mode does not have.
    """
    roles = [slot.role for slot in MODES[mode].every_slot]
    for role in roles[: len(MODES[mode].slots)]:
        if role not in media:
            raise MediaMissing(mode, role)
    check_roles(mode, media)
    return Request(mode, prompt, sampling, tuple(media[role] for role in roles if role in media))


def check_roles(mode: Mode, roles: Iterable[str]) -> None:
    """Refuse a file in a role that ``mode`` does not have.

    Raises:
        MediaUnexpected: naming the first.
    """
    known = {slot.role for slot in MODES[mode].every_slot}
    for role in roles:
        if role not in known:
            raise MediaUnexpected(mode, role)


@dataclass(frozen=True, slots=True)
class _StoredRequest:
    """A request as its row has it."""

    mode: Mode
    sampling: dict[str, Any]
    prompt: str = ""
    media: dict[str, MediaFile] = field(default_factory=dict[str, MediaFile])
    style: StyleWords | None = None
    chosen_by: dict[str, str] = field(default_factory=dict[str, str])
    words_seed: int | None = None


def to_json(request: Request) -> dict[str, Any]:
    """Return ``request`` as plain data, for a row or for a clip's metadata."""
    return {
        "mode": request.mode.value,
        "prompt": request.prompt,
        "sampling": _plain(request.sampling),
        "media": {role: file_to_json(file) for role, file in request.media().items()},
        **_said_of_words(request),
    }


def _said_of_words(request: Request) -> dict[str, Any]:
    """Return as plain data what others chose; nothing where nobody did."""
    said: dict[str, Any] = {} if request.style is None else {"style": asdict(request.style)}
    said |= {"chosen_by": dict(request.chosen_by)} if request.chosen_by else {}
    return said | ({} if request.words_seed is None else {"words_seed": request.words_seed})


def from_json(data: object) -> Request:
    """Return the request that :func:`to_json` described; values are checked again.

    Raises:
        UndecodableError: it is no request that this version knows.
    """
    stored = decode(_StoredRequest, data)
    sampling = sampling_from_json(stored.sampling)
    try:
        made = make_request(stored.mode, stored.prompt, sampling, stored.media)
    except ClapperError as error:
        raise UndecodableError(error.code) from error
    chosen_by = tuple(stored.chosen_by.items())
    return replace(made, style=stored.style, chosen_by=chosen_by, words_seed=stored.words_seed)


def sampling_from_json(data: object) -> Sampling:
    """Return the sampling that was written as plain data.

    An option that is newer than the data has its default, one that is not known any more is left
    out.

    Raises:
        UndecodableError: a value is missing or unknown.
    """
    return decode(Sampling, data)


def sampling_to_json(sampling: Sampling) -> dict[str, Any]:
    """Return ``sampling`` as plain data."""
    return _plain(sampling)


def file_to_json(file: MediaFile) -> dict[str, Any]:
    """Return ``file`` as plain data; without notes nothing is written of them."""
    values = _plain(file)
    notes = [{"code": note.code, "data": note.data} for note in values.pop("notes")]
    return values | {"notes": notes} if notes else values


def _plain(record: Sampling | MediaFile) -> dict[str, Any]:
    values = {item.name: getattr(record, item.name) for item in fields(record)}
    return {
        name: str(value) if isinstance(value, StrEnum) else value for name, value in values.items()
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
        **({"doubled": True} if sampling.doubled else {}),
        **{option.name: getattr(sampling, option.name) for option in KEPT if option.shapes_draft},
    }
    return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()


def further_drafts(request: Request) -> tuple[Request, ...]:
    """Return more drafts like ``request``, by the seeds that follow its own."""
    seeds = ((request.sampling.seed + n) % (MAX_SEED + 1) for n in range(1, DRAFTS))
    return tuple(replace(request, sampling=replace(request.sampling, seed=seed)) for seed in seeds)


@dataclass(frozen=True, slots=True)
class Composition:
    """The request and what the requester should be told about it."""

    request: Request
    adjustments: tuple[Adjustment, ...]
    fingerprint: str = (
        ""  # of what was typed, :mod:`core.domain.fingerprints`; empty: of the request
    )
    origin: JobOrigin | None = None  # what it is made from
    drafts: tuple[Request, ...] = ()  # further ones of the same idea, to choose among
