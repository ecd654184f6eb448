import hashlib
import json
from dataclasses import fields, replace

import pytest

from core.domain.jobs import MOVES, JobState
from core.domain.media import MediaFile, MediaKind
from core.domain.modes import MODES, Mode
from core.domain.options import KEPT
from core.domain.people import Requester
from core.domain.presets import Camera, Preset
from core.domain.requests import FORMAT, Request, Sampling, from_json, make_request, to_json
from core.domain.seeds import MAX_SEED
from core.errors import MediaMissing, OutOfRange, PromptMissing

SAMPLING = Sampling(Preset.FAST, width=768, height=512, frames=121, fps=24, seed=7)
FILES = {
    MediaKind.IMAGE: MediaFile("a" * 64, ".png", MediaKind.IMAGE, 10, 640, 480),
    MediaKind.AUDIO: MediaFile(
        "b" * 64, ".flac", MediaKind.AUDIO, 10, seconds=3, sample_rate=48000
    ),
    MediaKind.VIDEO: MediaFile("c" * 64, ".mp4", MediaKind.VIDEO, 10, 640, 480, 3.0, 24.0),
}


def request_of(mode: Mode) -> Request:
    media = {slot.role: FILES[slot.kind] for slot in MODES[mode].slots}
    return make_request(mode, "a cat", SAMPLING, media)


@pytest.mark.parametrize("mode", Mode)
def test_requests_survive_json_unchanged(mode: Mode) -> None:
    request = request_of(mode)

    assert from_json(json.loads(json.dumps(to_json(request)))) == request


@pytest.mark.parametrize("mode", [mode for mode in Mode if MODES[mode].slots])
def test_a_missing_file_is_named(mode: Mode) -> None:
    with pytest.raises(MediaMissing) as caught:
        make_request(mode, "a cat", SAMPLING, {})

    assert caught.value.role == MODES[mode].slots[0].role


def test_a_file_of_another_kind_does_not_fill_a_slot() -> None:
    with pytest.raises(MediaMissing):
        make_request(Mode.A2V, "a cat", SAMPLING, {"audio": FILES[MediaKind.IMAGE]})


def test_text_to_video_needs_words() -> None:
    with pytest.raises(PromptMissing):
        Request(Mode.T2V, "  ", SAMPLING)


@pytest.mark.parametrize(
    "change",
    [
        {"width": 700},
        {"height": 0},
        {"frames": 120},
        {"frames": 1},
        {"fps": 0},
        {"seed": -1},
        {"seed": MAX_SEED + 1},
    ],
)
def test_impossible_sampling_is_refused(change: dict[str, int]) -> None:
    with pytest.raises(OutOfRange):
        replace(SAMPLING, **change)


def test_terminal_states_have_no_way_out() -> None:
    assert {state for state in JobState if state.terminal} == {
        JobState.SUCCEEDED,
        JobState.FAILED,
        JobState.CANCELLED,
        JobState.EXPIRED,
    }
    assert set(MOVES) == set(JobState)


def test_requester_key_keeps_colons_of_the_user_id() -> None:
    requester = Requester("studio", "user:with:colons")

    assert Requester.from_key(requester.key) == requester


# What stored requests may say, by the number of their format. Programs of before leave jobs of a
# higher number to others, so whatever they cannot read raises it: add a line, and raise FORMAT.
FORMATS = {1: "16bf41acaacd0563", 2: "7c515a7b54c66b1d", 3: "a5e00ac8340a4af8"}


def test_what_older_programs_cannot_read_has_a_format_of_its_own():
    words = {
        "modes": {mode: [(one.role, one.kind) for one in MODES[mode].every_slot] for mode in Mode},
        "request": sorted(field.name for field in fields(Request)),
        "sampling": sorted(field.name for field in fields(Sampling)),
        "presets": sorted(Preset),
        "cameras": sorted(Camera),
        "choices": {option.name: sorted(option.choices) for option in KEPT},
    }
    told = hashlib.sha256(json.dumps(words, sort_keys=True).encode()).hexdigest()[:16]

    assert max(FORMATS) == FORMAT
    assert FORMATS[FORMAT] == told
