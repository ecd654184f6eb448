"""What the enhancer may make of a prompt, and what it made, for whoever looks at the job."""

from dataclasses import replace

from core.domain.adjustments import Adjustment
from core.domain.jobs import Job
from core.domain.presets import Enhance


def prompt_note(job: Job) -> Adjustment | None:
    """Return what the model was given instead of the prompt, None where nobody asked for it.

    The prompt as it was typed stands for an answer that was of no use.
    """
    used = job.clip.prompt_used if job.clip is not None else ""
    if not used or job.asked is None:
        return None
    if used == job.asked.wording.prompt:
        return Adjustment("prompt_as_typed", {})
    return Adjustment("prompt_enhanced", {"prompt": used})


def without_enhancer(job: Job) -> Job:
    """Return ``job`` without the enhancer where it might write a word that is forbidden.

    For who cannot know the words.
    """
    if not job.forbidden:
        return job
    sampling = replace(job.request.sampling, enhance=Enhance.OFF)
    return replace(job, asked=replace(job.request, sampling=sampling), forbidden=())
