"""What can go wrong with a borrowed GPU, from the title of the lender's error."""

from core.errors import GenerationFailed, InternalError


class GpuQuotaExceeded(GenerationFailed):
    """The visitor's day of GPU time does not hold the ``declared_s`` seconds."""

    declared_s: int
    detail: str = ""


class GpuDurationIllegal(GenerationFailed):
    """More seconds at once than the lender gives this visitor."""

    declared_s: int


class GpuCallTooLong(GenerationFailed):
    """More seconds at once than the lender gives; the largest setting that fits is named.

    ``limit_s`` is what it gave or is believed to give, ``width`` and ``height`` px of the clip.
    """

    limit_s: int
    width: int
    height: int
    seconds: float
    preset: str


class GpuTimeExceeded(GenerationFailed):
    """Stopped by the lender because the ``granted_s`` seconds were over.

    ``reached`` is how far it got, in percent of the work on the device.
    """

    granted_s: int
    reached: int = 0


class GpuQueueTimeout(GenerationFailed):
    """No GPU became free within the lender's own waiting time."""


class GpuWorkerDied(GenerationFailed):
    """The process with the GPU ended long before its time, as when memory runs out."""


class GpuLoginNeeded(GenerationFailed):
    """The lender does not know who asks; logging in or reloading the page helps."""


class GpuTokenExpired(GenerationFailed):
    """The lender knew who asked, but too long ago; the next request has a new token."""


class GpuPageClosed(GenerationFailed):
    """The visitor has left, so there is nobody in whose name a GPU could be borrowed."""


class GpuUnavailable(GenerationFailed):
    """The lender does not answer as it should."""


TIME_OVER = 0.9  # of the granted seconds: a death after that is the end of the lease


def classify(
    title: str, message: str, declared_s: int, elapsed_s: float, granted_s: float
) -> GenerationFailed:
    """Translate the lender's error into ours.

    Args:
        title: the lender's word; messages change, titles have not.
        message: its sentence; only where one title stands for two things.
        declared_s: what was asked for.
        elapsed_s: since the GPU was lent.
        granted_s: what was granted for it.
    """
    kind = title.removeprefix("ZeroGPU ").lower()
    if kind == "worker error":
        over = elapsed_s >= TIME_OVER * granted_s
        if "aborted" not in message:
            return InternalError()
        return GpuTimeExceeded(round(granted_s)) if over else GpuWorkerDied()
    if kind in {"quota exceeded", "pending credits exceeded"}:
        return _no_quota(message, declared_s)
    if kind == "client error":
        return GpuTokenExpired() if "token" in message.lower() else GpuUnavailable()
    if kind == "illegal duration":
        return GpuDurationIllegal(declared_s)
    return GpuQueueTimeout() if kind == "queue timeout" else InternalError()


def was_lent(title: str) -> bool:
    """Tell whether the lender's error with ``title`` came after a GPU was lent."""
    return title.removeprefix("ZeroGPU ").lower() == "worker error"


def _no_quota(message: str, declared_s: int) -> GenerationFailed:
    """Return what the title for a spent quota means; two other things are told under it."""
    if "Space app" in message:
        return GpuLoginNeeded()
    if "No GPU was available" in message:
        return GpuQueueTimeout()
    return GpuQuotaExceeded(declared_s, _again_in(message))


def _again_in(message: str) -> str:
    _, found, rest = message.partition("Try again in ")
    return f"{found}{rest.split('. ')[0]}." if found else ""
