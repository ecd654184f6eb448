"""The jobs that a rented machine was given: the key of each attempt, and where its inputs are."""

from dataclasses import dataclass

from core.domain.jobs import Job, JobState, ReplyTo
from core.domain.people import Requester
from core.domain.requests import from_json
from core.gate.wire import ClaimedJob

PLATFORM = "gate"  # for whom a job is, as far as a rented machine knows


@dataclass(frozen=True, slots=True)
class InputPlace:
    """Where an input is read, and the key of an attempt that may; an address, or a path there."""

    address: str
    key: str


class GivenJobs:
    """Remembers each job from its claim to its outcome."""

    def __init__(self) -> None:
        self._waiting: dict[str, Job] = {}  # without the device
        self._inputs: dict[str, dict[str, str]] = {}  # address by name, by job
        self.keys: dict[str, str] = {}  # of attempts, by job

    def take(self, given: ClaimedJob) -> Job:
        """Make the job of what the gate gave.

        Raises:
            UndecodableError: this version cannot read its request.
        """
        job = Job(
            id=given.job,
            requester=Requester(PLATFORM, given.job),
            asked=from_json(given.request),
            reply_to=ReplyTo(PLATFORM),
            state=JobState.RUNNING,
            estimate_ms=given.estimate_ms,
            attempt=given.attempt,
            token=given.key,
            created_at_ms=given.created_at_ms,
            started_at_ms=given.started_at_ms,
            losses=given.losses,
            forbidden=tuple(given.forbidden),
        )
        self.keys[job.id] = given.key
        self._inputs[job.id] = given.inputs
        self._waiting[job.id] = job
        return job

    def begin(self, job_id: str) -> None:
        """Note that a job has the device."""
        self._waiting.pop(job_id, None)

    def next_up(self) -> Job | None:
        """Return the job that waits for the device; None where none does."""
        return next(reversed(self._waiting.values()), None)

    def input(self, name: str) -> InputPlace | None:
        """Return where an input is read; None where no job here has it."""
        for job_id, inputs in self._inputs.items():
            if name in inputs:
                return InputPlace(inputs[name], self.keys[job_id])
        return None

    def drop(self, job_id: str, key: str) -> None:
        """Forget a job whose attempt with ``key`` is over; a newer attempt at it stays."""
        self._waiting.pop(job_id, None)
        if self.keys.get(job_id) == key:
            del self.keys[job_id]
            self._inputs.pop(job_id, None)
