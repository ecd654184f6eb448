"""What looks at a run: when it makes pictures, of which latents, and what it learns."""

import json
import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from core.comfy.previews.colour_fit import ColourSums
from core.comfy.previews.colour_folder import ColourFolder, decoder_key
from core.comfy.previews.device_latents import LatentCopy
from core.comfy.previews.run_previews import LEARNT_CLIPS, PreviewWorkshop, RunPreviews
from core.domain.clip_preview import EVERY_S, ClipPreview
from core.workflow.graph import Graph, Literal, Node
from tests.support.clocks import Seconds

CHANNELS, STRIDES = 4, (8, 32)


class Values:
    """A tensor in main memory."""

    def __init__(self, values: np.ndarray) -> None:
        self.values = values

    def float(self) -> "Values":
        return self

    def numpy(self) -> np.ndarray:
        return self.values


@dataclass
class Latents:
    """Latents on a device, which is ready when a test says so."""

    values: np.ndarray  # [frames, height, width, channels]
    ready: threading.Event = field(default_factory=threading.Event)
    copied: list[tuple[int, ...]] = field(default_factory=list)
    strides: tuple[int, int] = STRIDES

    @property
    def count(self) -> int:
        return len(self.values)

    @property
    def shape(self) -> tuple[int, ...]:
        frames, height, width, channels = self.values.shape
        return 1, channels, frames, height, width

    def copy(self, frames: tuple[int, ...]) -> LatentCopy:
        self.copied.append(tuple(frames))
        chosen = self.values[list(frames)].transpose(3, 0, 1, 2)[None]
        return LatentCopy(tuple(frames), self.strides, self.ready.is_set, Values(chosen))


def latents(frames: int = 5, value: float = 0.5) -> Latents:
    made = Latents(np.full((frames, 3, 4, CHANNELS), value, np.float32))
    made.ready.set()
    return made


def graph(name: str = "a.safetensors") -> Graph:
    return Graph.of(
        [Node("1", "CheckpointLoaderSimple", {"ckpt_name": Literal(json.dumps(name))}, "loader")]
    )


@dataclass
class Room:
    """A workshop, a clock, and what was shown."""

    workshop: PreviewWorkshop
    clock: Seconds = field(default_factory=Seconds)
    shown: list[ClipPreview] = field(default_factory=list)

    def run(self, frames: int = 33, name: str = "a.safetensors") -> RunPreviews:
        made = RunPreviews(self.workshop, self.shown.append, frames, self.clock)
        return made.begin(graph(name))

    def know(self, name: str = "a.safetensors", clips: int = 1) -> None:
        dice = np.random.default_rng(1)
        values = dice.standard_normal((400, CHANNELS)).astype(np.float32)
        sums = ColourSums.none(CHANNELS)
        for _ in range(clips):
            sums = sums.plus(values, 0.5 + values[:, :3].astype(np.float64) / 8)
        self.workshop.colours.write(decoder_key(graph(name), self.workshop.models), sums)

    def done(self) -> None:
        self.workshop.thread.submit(lambda: None).result(30)


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    made = Room(PreviewWorkshop(ColourFolder(tmp_path / "colours"), tmp_path / "models"))
    made.clock.now = 100.0
    yield made
    made.workshop.close()


def test_nothing_is_copied_nor_shown_of_a_decoder_that_is_not_known(room: Room) -> None:
    given = latents()

    room.run().stepped(given)

    room.done()
    assert (given.copied, room.shown) == ([], [])


def test_a_picture_is_of_the_clips_own_latents_and_not_of_guides_behind_them(room: Room) -> None:
    room.know()
    given = latents(frames=9)  # 5 of the clip, 4 of guides

    room.run(frames=33).stepped(given)

    room.done()
    assert given.copied == [(0, 1, 2, 3, 4)]
    assert [one.moments for one in room.shown] == [5]


def test_of_steps_that_follow_quickly_the_newest_is_shown_half_a_second_later(room: Room) -> None:
    room.know()
    run = room.run()
    run.stepped(latents())
    room.done()
    for tenths in range(1, 5):
        room.clock.now = 100 + tenths / 10
        run.stepped(latents(value=tenths / 10))
    assert len(room.shown) == 1

    room.clock.now = 100 + EVERY_S
    room.done()

    assert len(room.shown) == 2


def test_nobody_waits_for_the_device_but_the_thread_of_pictures(room: Room) -> None:
    room.know()
    run, given = room.run(), latents()
    given.ready.clear()

    run.stepped(given)
    run.sampled(given)

    assert room.shown == []
    given.ready.set()
    room.clock.now += 1
    room.done()
    assert len(room.shown) == 1


def test_a_run_that_is_over_shows_nothing_more(room: Room) -> None:
    room.know()
    run, given = room.run(), latents()
    given.ready.clear()
    run.stepped(given)

    run.end()

    room.done()
    assert room.shown == []


def scene(seed: int = 2) -> tuple[Latents, np.ndarray]:
    """Latents of 33 frames, and frames that are linear in them."""
    dice = np.random.default_rng(seed)
    given = Latents(dice.standard_normal((5, 3, 4, CHANNELS)).astype(np.float32))
    given.ready.set()
    colours = (0.5 + given.values[..., :3] / 10).clip(0, 1) * 255
    large = colours.repeat(32, axis=1).repeat(32, axis=2).round().astype(np.uint8)
    return given, np.concatenate([large[:1], large[1:].repeat(8, axis=0)])


def test_the_next_run_shows_the_colours_that_a_first_clip_taught(room: Room) -> None:
    first, (given, frames) = room.run(), scene()
    first.sampled(given)
    first.learn(frames)
    room.done()

    second = room.run()
    found = second._known.map

    assert found is not None
    others, expected = scene(seed=3)
    seen = found.pictures(others.values)
    assert np.abs(seen.astype(int) - expected[[0, 1, 9, 17, 25]][:, ::32, ::32]).mean() < 3
    second.stepped(others)
    room.done()
    assert len(room.shown) == 1


def test_what_was_learnt_of_one_decoder_says_nothing_of_another(room: Room) -> None:
    models = room.workshop.models / "checkpoints"
    models.mkdir(parents=True)
    (models / "a.safetensors").write_bytes(b"1")
    room.know("a.safetensors")

    assert room.run(name="a.safetensors")._known.map is not None
    assert room.run(name="b.safetensors")._known.map is None
    os.utime(models / "a.safetensors", (1, 1))  # another file of the same name
    assert room.run(name="a.safetensors")._known.map is None


@pytest.mark.parametrize("shape", [(65, 96, 128), (33, 96, 120), (32, 96, 128)])
def test_frames_that_are_not_what_was_sampled_teach_nothing(
    room: Room, shape: tuple[int, int, int]
) -> None:
    run, (given, _) = room.run(), scene()
    run.sampled(given)
    run.learn(np.zeros((*shape, 3), np.uint8))

    room.done()
    assert room.run()._known.sums is None


def test_what_two_runs_in_a_row_teach_is_added_up(room: Room) -> None:
    runs = room.run(), room.run()  # the second begins before the first is learnt from
    for seed, run in enumerate(runs):
        given, frames = scene(seed=seed)
        run.sampled(given)
        run.learn(frames)

    room.done()
    sums = room.run()._known.sums
    assert sums is not None
    assert sums.clips == 2


def test_after_some_clips_nothing_more_is_copied_to_learn_from(room: Room) -> None:
    room.know(clips=LEARNT_CLIPS)
    run, (given, frames) = room.run(), scene()
    run.sampled(given)
    run.learn(frames)

    room.done()
    assert len(given.copied) == 1  # for the picture
    sums = room.run()._known.sums
    assert sums is not None
    assert sums.clips == LEARNT_CLIPS


def test_a_file_of_colours_that_is_damaged_is_learnt_anew(room: Room) -> None:
    room.know()
    [file] = (room.workshop.colours._folder).iterdir()
    file.write_bytes(file.read_bytes()[:100])

    assert room.run()._known.sums is None
