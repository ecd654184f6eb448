"""Let a job that a process was lost with have the process to itself.

What dies with it then is its own doing, and nobody else's job is blamed.
"""

import asyncio
from collections.abc import Mapping

from core.worker.attempt import JobAttempt


async def until_alone(
    attempt: JobAttempt, live: Mapping[JobAttempt, "asyncio.Future[None]"]
) -> None:
    """Wait until no attempt is under way beside which ``attempt`` may not run, or it is cancelled.

    Who comes while a suspect waits for the others lets it go first.

    Args:
        attempt: has a device.
        live: all attempts of this process, each with what is done when it is over; it changes.
    """
    attempt.waits_alone = attempt.suspect
    stopped = asyncio.create_task(attempt.cancel.wait())
    try:
        while not attempt.cancel.cancelled:
            others = {
                over
                for other, over in live.items()
                if other is not attempt and attempt.must_wait_for(other)
            }
            if not others:
                return
            await asyncio.wait({*others, stopped}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        stopped.cancel()
