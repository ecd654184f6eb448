"""Look at a finished clip inside the sandbox: what its container holds, not what was said of it."""

from typing import BinaryIO

from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from core.errors import MediaDamaged
from core.media.intake.probe import survey
from core.media.intake.protocol import RecodeResult, RecodeTask
from core.media.intake.tracks import damage_of, open_source

_CODEC = "h264"  # what core.media.output.encode writes


def probe_clip(task: RecodeTask, source: BinaryIO, output: BinaryIO) -> RecodeResult:
    """Measure a clip by its packets, and decode its first picture; nothing is written.

    Raises:
        MediaDamaged: it is no clip of ours: another codec, no picture, or less than it claims.
    """
    del output
    found = survey(task, source)
    if found.video is None or found.missing or found.video.seconds <= 0:
        raise MediaDamaged(task.role)
    with open_source(task, source) as container, damage_of(task):
        stream = container.streams[found.video_index]
        if not isinstance(stream, VideoStream) or stream.codec_context.name != _CODEC:
            raise MediaDamaged(task.role)
        first = next(container.decode(stream), None)
        if not isinstance(first, VideoFrame):
            raise MediaDamaged(task.role)
    return RecodeResult(
        width=first.width,
        height=first.height,
        seconds=found.video.seconds,
        fps=len(found.video.times) / found.video.seconds,
        sample_rate=int(found.audio is not None),
        suffix=".mp4",
    )
