"""What a graph is shown of the film that a clip continues: its last pictures, and their sound.

The sound is as long as the run. Behind the film's end follows the given sound, where there is one,
else silence, which the graph draws over.
"""

from core.domain.continuation import film_frames, run_frames, shown_frames
from core.domain.dimensions import Size, play_time
from core.domain.media import MediaFile
from core.domain.modes import MODES
from core.domain.requests import Request
from core.workflow.control_video import ControlVideo, canvas_of
from core.workflow.heard_sound import HeardSound, whole_blocks


def shown_pictures(request: Request, film: MediaFile, canvas: int, size: Size) -> ControlVideo:
    """Return how the last pictures of ``film`` are prepared, at most a second."""
    sampling, count = request.sampling, shown_frames(request) + 1
    last = (film_frames(film, sampling.fps) - 1) // sampling.factor  # at the rate of sampling
    start, canvas_size = last + 1 - count, canvas_of(size, canvas)
    return ControlVideo(size, canvas_size, count, sampling.sampled_fps, start=start)


def shown_sound(request: Request, film: MediaFile) -> HeardSound:
    """Return how the sound of a run that continues ``film`` is prepared."""
    sampling = request.sampling
    shown_s = play_time(shown_frames(request), sampling.sampled_fps) + play_time(1, sampling.fps)
    whole_s = whole_blocks(play_time(run_frames(request), sampling.sampled_fps))
    start_s = play_time(film_frames(film, sampling.fps), sampling.fps) - shown_s
    given = MODES[request.mode].length_from in request.media()
    return HeardSound(start_s, shown_s, whole_s, (sampling.sound_from or 0.0) if given else 0.0)
