from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from core.domain.dimensions import Size
from core.media.decode import load_sound, video_frames
from core.media.output.encode import SOUND_RATE, EncoderSettings, write_mp4
from core.workflow.control_video import ControlVideo, canvas_of, prepare_control


class Stopped(Exception):
    pass


@pytest.fixture
def video(tmp_path: Path) -> Callable[[bool], Path]:
    """Two seconds at 30 fps that turn from black to white in the middle; a tone if asked."""

    def make(sound: bool) -> Path:
        path = tmp_path / f"source-{sound}.mp4"
        frames = [np.full((90, 160, 3), 255 * (index >= 30), np.uint8) for index in range(60)]
        tone = np.sin(np.arange(2 * SOUND_RATE) / 20).astype(np.float32)
        samples = np.stack([tone, tone]) if sound else None
        write_mp4(
            path, EncoderSettings(Size(160, 90), Fraction(30), {}), frames, samples, lambda: None
        )
        return path

    return make


def test_the_source_comes_at_the_clips_rate_length_and_canvas(
    tmp_path: Path, video: Callable[[bool], Path]
) -> None:
    target = tmp_path / "control.mp4"
    prepare_control(
        video(True), target, ControlVideo(Size(192, 128), Size(256, 128), frames=25, fps=12)
    )

    with av.open(str(target)) as container:
        stream = container.streams.video[0]
        assert (stream.width, stream.height, stream.average_rate) == (256, 128, 12)
        assert not container.streams.audio
        means = [frame.to_ndarray(format="rgb24").mean() for frame in container.decode(video=0)]
    assert len(means) == 25
    assert [mean > 128 for mean in means] == [False] * 12 + [True] * 13  # a second is a second


def test_the_border_repeats_the_edge(tmp_path: Path, video: Callable[[bool], Path]) -> None:
    target = tmp_path / "control.mp4"
    prepare_control(
        video(False), target, ControlVideo(Size(64, 64), Size(128, 128), frames=9, fps=8)
    )

    last = list(video_frames(target, 8, 9, Size(128, 128)))[-1]
    assert last.min() > 240


@pytest.mark.parametrize("sound", [True, False])
def test_a_track_as_long_as_the_clip_is_there_if_asked_for(
    tmp_path: Path, video: Callable[[bool], Path], sound: bool
) -> None:
    target = tmp_path / "control.mp4"
    control = ControlVideo(Size(128, 64), Size(128, 64), frames=9, fps=8, sound=True)
    prepare_control(video(sound), target, control)

    track = load_sound(target, SOUND_RATE, 2)
    assert track.samples.shape[1] >= 9 / 8 * SOUND_RATE - 1
    assert (np.abs(track.samples).max() > 0.5) == sound


def test_preparing_can_be_stopped(tmp_path: Path, video: Callable[[bool], Path]) -> None:
    def stop() -> None:
        raise Stopped

    source, control = video(False), ControlVideo(Size(64, 64), Size(64, 64), 9, 8)

    with pytest.raises(Stopped):
        prepare_control(source, tmp_path / "control.mp4", control, stop)


def test_a_canvas_is_the_next_multiple() -> None:
    assert canvas_of(Size(1280, 704), 128) == Size(1280, 768)
    assert canvas_of(Size(1280, 704), 64) == Size(1280, 704)
