"""Say what the enhancer made of a prompt, for whoever looks at the job."""

from core.domain.adjustments import Adjustment
from core.domain.jobs import Job


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
