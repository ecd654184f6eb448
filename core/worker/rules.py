"""How long the parts of an attempt may take."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class WorkerRules:
    """Times of the worker, in seconds."""

    lead_s: float = 1.0  # the next job is claimed so long before the device should be free
    heartbeat_s: float = 5.0
    poll_s: float = 2.0  # how long a lost wake-up may delay a claim
    job_timeout_s: float = 1800.0
    finish_timeout_s: float = 300.0  # encoding and storing one clip
    grace_s: float = 5.0  # a running job may still finish so long after a stop
    notice_s: float | None = None  # at a stop, what takes longer is handed over at once; None: not
    unwind_s: float = 30.0  # what ignores a cancel so long is abandoned …
    ending_unwind_s: float = 1.0  # … and so long once the service stops
    stuck_s: float = 30.0  # an abandoned executor that keeps the device so long never gives it back
    most_stuck: int = 2  # encoders that never return, until only a new process helps
    previews: bool = True  # executors that can show what they make do so
    retry_s: float = 1.0  # first wait where an outcome could not be written; doubles up to 30
