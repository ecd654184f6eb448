"""Everything that can go wrong, as data: a code and fields, never a sentence.

The words a person reads are in ``core/words`` and are chosen by :mod:`core.messages` from the code.

::

    ClapperError
    ├── InvalidInput            the request can never work as asked; nothing was reserved
    │   ├── OutOfRange          a number outside its limits
    │   ├── NotAChoice          a value outside a closed list
    │   ├── PromptMissing, PromptTooLong
    │   ├── MediaMissing, MediaUnexpected
    │   └── MediaRefused        a file, before it is decoded or while it is
    │       ├── MediaTooLarge, MediaTooManyPixels, MediaTooLong
    │       ├── MediaFormatRefused
    │       └── MediaUnreadable
    ├── Refused                 a sound request that may not run now, or not for this requester
    │   ├── QuotaExceeded, TooCostly, NothingFits, TooManyQueued
    │   ├── IntakeClosed, RequesterBlocked, PolicyForbids
    │   ├── JobUnknown, NotYours, AlreadyFinished
    │   └── LinkCodeUnknown, NothingToFetch
    ├── GenerationFailed        an accepted job that did not become a clip; its quota is refunded
    │   ├── Cancelled           by its owner, an operator or the shutdown
    │   ├── OutOfMemory, ModelUnavailable, WorkflowRefused
    │   ├── DiskFull, WorkerLost, TimedOut
    │   └── InternalError
    ├── DeliveryFailed          a finished job that could not be handed over
    │   ├── DeliveryRetry       try again, after at least ``after_s``
    │   └── DeliveryImpossible  never; the reason is for the operator
    │       └── ClipTooLarge    for its destination, at any acceptable quality
    └── SetupProblem            the installation, not the request: see core/problems.py
"""

import re
from dataclasses import dataclass, fields
from typing import ClassVar, TypeAlias, dataclass_transform

Scalar: TypeAlias = str | int | float | bool | None


@dataclass_transform(eq_default=False)
class ClapperError(Exception):
    """The root. ``code``, the class name in snake case, names the sentence, ``data`` fills it."""

    code: ClassVar[str] = "clapper_error"

    def __init_subclass__(cls) -> None:
        """Make each subclass a dataclass of its fields, and derive its code."""
        dataclass(eq=False)(cls)
        cls.code = re.sub(r"(?<!^)(?=[A-Z])", "_", cls.__name__).lower()

    def data(self) -> dict[str, Scalar]:
        """Return the fields of this error, ready to be stored and to fill a sentence."""
        return {item.name: getattr(self, item.name) for item in fields(self)}  # pyright: ignore[reportArgumentType]  # every subclass is a dataclass, see __init_subclass__

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle by fields: errors cross from child processes and GPU workers."""
        return _rebuild, (type(self), self.data())

    def __str__(self) -> str:
        details = ", ".join(f"{key}={value!r}" for key, value in self.data().items())
        return f"{self.code}({details})"


def _rebuild(kind: type[ClapperError], data: dict[str, Scalar]) -> ClapperError:
    return kind(**data)


class InvalidInput(ClapperError):
    """The request can never work as asked."""


class OutOfRange(InvalidInput):
    """A number lies outside its limits; ``unit`` is a short word such as ``px`` or ``s``."""

    field: str
    value: float
    low: float
    high: float
    unit: str = ""


class NotAChoice(InvalidInput):
    """A value is not in a closed list; ``choices`` is comma separated."""

    field: str
    value: str
    choices: str


class PromptMissing(InvalidInput):
    """The mode needs a prompt and got none."""

    mode: str


class PromptTooLong(InvalidInput):
    """The prompt has more characters than the limit."""

    length: int
    limit: int


class MediaMissing(InvalidInput):
    """The mode needs a file for ``role`` and got none."""

    mode: str
    role: str


class MediaUnexpected(InvalidInput):
    """A file was given in a role which the mode does not use."""

    mode: str
    role: str


class MediaRefused(InvalidInput):
    """A file that Clapper will not decode, or could not."""

    role: str


class MediaTooLarge(MediaRefused):
    """More bytes than the limit of its kind."""

    size_bytes: int
    limit_bytes: int


class MediaTooManyPixels(MediaRefused):
    """More pixels than the limit of its kind."""

    width: int
    height: int
    limit_pixels: int


class MediaTooLong(MediaRefused):
    """Plays longer than the limit."""

    seconds: float
    limit_s: float


class MediaFormatRefused(MediaRefused):
    """The bytes are not one of the accepted formats (``accepted`` is comma separated)."""

    found: str
    accepted: str


class MediaUnreadable(MediaRefused):
    """An accepted format, but damaged, truncated, empty or too expensive to decode."""

    reason: str = "damaged"


class Refused(ClapperError):
    """A sound request that may not run now, or not for this requester."""


class QuotaExceeded(Refused):
    """Costs more GPU-milliseconds than are left; ``resets_at_ms`` is epoch milliseconds."""

    need_ms: int
    left_ms: int
    limit_ms: int
    resets_at_ms: int | None = None


class TooCostly(Refused):
    """Costs more than can ever be lent at once; the largest setting that fits is named.

    ``need_ms`` and ``limit_ms`` are GPU-milliseconds, ``width`` and ``height`` px.
    """

    need_ms: int
    limit_ms: int
    width: int
    height: int
    seconds: float


class NothingFits(Refused):
    """Costs more than can be lent at once, also at the smallest setting."""

    need_ms: int
    limit_ms: int


class TooManyQueued(Refused):
    """The requester already has as many waiting jobs as allowed."""

    limit: int


class IntakeClosed(Refused):
    """The operator paused or drains the queue, or the disk is nearly full."""

    reason: str = "paused"


class RequesterBlocked(Refused):
    """The operator blocked this requester."""

    reason: str = ""


class PolicyForbids(Refused):
    """A rule of the place forbids it; ``rule`` names the rule, ``detail`` the value."""

    rule: str
    detail: str = ""


class JobUnknown(Refused):
    """No such job, or not any more."""

    job_id: str


class NotYours(Refused):
    """The job belongs to somebody else."""

    job_id: str


class AlreadyFinished(Refused):
    """The job reached a terminal state before."""

    job_id: str
    state: str


class LinkCodeUnknown(Refused):
    """A one-time code that is wrong, used or too old."""


class NothingToFetch(Refused):
    """The clip is not there: not finished, deleted, or past its retention time."""

    job_id: str


class GenerationFailed(ClapperError):
    """An accepted job did not become a clip."""


class Cancelled(GenerationFailed):
    """Stopped on purpose; ``by`` is ``owner``, ``operator`` or ``shutdown``."""

    by: str = "owner"


class OutOfMemory(GenerationFailed):
    """The device ran out of memory, also at the lower plan."""

    width: int = 0
    height: int = 0
    frames: int = 0


class ModelUnavailable(GenerationFailed):
    """A model file is missing or unknown; ``command`` fixes it."""

    file: str
    command: str = "clapper models pull"


class WorkflowRefused(GenerationFailed):
    """ComfyUI's validation refused the bound graph."""

    node: str = ""
    reason: str = ""


class DiskFull(GenerationFailed):
    """No room for the output."""


class WorkerLost(GenerationFailed):
    """The service died with the job as often as is allowed."""

    attempts: int


class TimedOut(GenerationFailed):
    """Ran longer than a job may."""

    limit_s: float


class InternalError(GenerationFailed):
    """A defect of ours; the traceback is in the log under the job id."""


class DeliveryFailed(ClapperError):
    """A finished job could not be handed over."""


class DeliveryRetry(DeliveryFailed):
    """Try again after at least ``after_s`` seconds; ``after_s`` None leaves it to the backoff.

    ``sent`` is True where the platform may have stored the message although the call failed.
    """

    reason: str
    after_s: float | None = None
    sent: bool = False


class DeliveryImpossible(DeliveryFailed):
    """Nobody is there to receive it any more."""

    reason: str


class ClipTooLarge(DeliveryImpossible):
    """Even the smallest acceptable version exceeds what the destination takes."""

    size_bytes: int
    limit_bytes: int


class SetupProblem(ClapperError):
    """The installation cannot do what was asked."""
