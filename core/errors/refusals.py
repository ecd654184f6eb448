"""Sound requests that may not run now, or not for this requester."""

from core.errors.base import ClapperError


class Refused(ClapperError):
    """A sound request that may not run now, or not for this requester."""


class QuotaExceeded(Refused):
    """Costs more GPU-milliseconds than are left; ``resets_at_ms`` is epoch milliseconds.

    ``scope`` is the limit, a name of :data:`core.accounts.limits.LIMITS`, and says whose it is.
    """

    need_ms: int
    left_ms: int
    limit_ms: int
    resets_at_ms: int | None = None
    scope: str = "own"


class TooManyJobs(Refused):
    """Needs more jobs than are left; the same shape as :class:`QuotaExceeded`, in jobs."""

    need: int
    left: int
    limit: int
    resets_at_ms: int | None = None
    scope: str = "own"


class TooCostly(Refused):
    """Costs more than can ever be lent at once; the largest setting that fits is named.

    ``need_ms`` and ``limit_ms`` are GPU-milliseconds, ``width`` and ``height`` px of the
    finished clip; typed with ``preset``, they are accepted.
    """

    need_ms: int
    limit_ms: int
    width: int
    height: int
    seconds: float
    preset: str


class ShareTooCostly(TooCostly):
    """Costs more than is left of what several share, ``limit_ms``; a smaller setting would fit.

    ``scope`` is the limit, as of :class:`QuotaExceeded`.
    """

    scope: str = "guests"
    resets_at_ms: int | None = None


class NothingFits(Refused):
    """Costs more than can be lent at once, also at the smallest setting."""

    need_ms: int
    limit_ms: int


class TooLargeForDevice(Refused):
    """Has no room in the memory of the device; the largest setting that has is named.

    ``memory`` is what the device has, bytes; ``width`` and ``height`` are px of the finished clip.
    """

    memory: int
    width: int
    height: int
    seconds: float
    preset: str


class DeviceTooSmall(Refused):
    """Not even the smallest setting has room in the device's ``memory``, bytes."""

    memory: int


class TooManyQueued(Refused):
    """The requester already has as many waiting jobs as allowed."""

    limit: int


class IntakeClosed(Refused):
    """The operator paused or drains the queue, the disk is nearly full, or no file can be read."""

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


class NoJob(Refused):
    """The person has no job: ``no_job_yet`` at all, or ``no_live_job`` that runs or waits."""

    which: str


class NotYours(Refused):
    """The job belongs to somebody else."""

    job_id: str


class OperatorsOnly(Refused):
    """Only those whom the settings name may do that."""


class AlreadyFinished(Refused):
    """The job reached a terminal state before."""

    job_id: str
    state: str


class KeyReused(Refused):
    """The key made another job before; the same key with another request is a defect of its maker.

    ``job_id`` is what the key made.
    """

    job_id: str


class LinkCodeUnknown(Refused):
    """A one-time code that is wrong, used or too old."""


class LinkCodeOwn(Refused):
    """A one-time code that was made for this very account, or one that is joined to it."""


class LinkTriesUsed(Refused):
    """Too many codes did not fit within an hour, of this person or of everybody."""

    limit: int


class NothingToFetch(Refused):
    """The clip is not there: not finished, deleted, or past its retention time."""

    job_id: str
