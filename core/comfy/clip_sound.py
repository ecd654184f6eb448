"""The sound of a finished clip: the requester's own where they gave one, never a copy of it."""

from dataclasses import replace

import numpy as np

from core.comfy.output_node import NodeOutput
from core.comfy.returned import sound_as_asked
from core.domain.continuation import FADE_S, film_of, shown_frames, sound_start_s
from core.domain.dimensions import play_time
from core.domain.media import MediaFile, MediaKind, Sound
from core.domain.modes import MODES
from core.interfaces.executor import Order
from core.media.decode import load_sound, sound_between
from core.workflow.adopt.given_sound import carries_given
from core.workflow.library import Workflow


def sound_of(order: Order, output: NodeOutput, workflow: Workflow) -> Sound | None:
    """Return the sound of the clip of ``order``.

    A waveform that went through the audio VAE and back is not the one that was sent.

    Args:
        order: what was asked, and where its files are.
        output: what the graph gave.
        workflow: somebody's own may give sound of any length, and end with another than the given.
    """
    request = order.request
    given = request.media().get(MODES[request.mode].length_from or "")
    if film_of(request) is not None:
        return _continued(order, output, given)
    if given is None or given.kind is not MediaKind.AUDIO or not carries_given(workflow):
        own = workflow.custom
        return sound_as_asked(output.sound, request.sampling) if own else output.sound
    seconds = request.sampling.seconds
    return load_sound(order.path_of(given), given.sample_rate or 48_000, 2, seconds)


def _continued(order: Order, output: NodeOutput, given: MediaFile | None) -> Sound | None:
    """Return the sound from the fade before the film's end on, as given or as made."""
    sampling = order.request.sampling
    if given is not None:
        rate, seconds = given.sample_rate or 48_000, FADE_S + sampling.seconds
        return sound_between(order.path_of(given), rate, sound_start_s(sampling), seconds)
    if output.sound is None:
        return None
    start_s = play_time(shown_frames(order.request), sampling.sampled_fps) - FADE_S
    start = round(start_s * output.sound.rate)
    samples = np.pad(output.sound.samples, ((0, 0), (max(0, -start), 0)))
    return replace(output.sound, samples=samples[:, max(0, start) :])
