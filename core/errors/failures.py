"""Accepted jobs that did not become a clip, and clips that could not be handed over."""

from core.errors.base import ClapperError


class GenerationFailed(ClapperError):
    """An accepted job did not become a clip."""


class Cancelled(GenerationFailed):
    """Stopped on purpose; ``by`` is ``owner``, ``operator``, ``shutdown`` or ``time_limit``."""

    by: str = "owner"


class OutOfMemory(GenerationFailed):
    """The device, also at the lower plan, or the machine ran out of memory."""

    width: int = 0
    height: int = 0
    frames: int = 0


class ModelUnavailable(GenerationFailed):
    """A model file is missing or unknown; ``command`` fixes it."""

    file: str
    command: str = "clapper models pull"


class ModelDamaged(GenerationFailed):
    """A model file is there and cannot be read; ``fault`` is an identifier with a word."""

    file: str
    fault: str


class ClipDiffers(GenerationFailed):
    """A workflow made something else than was asked; ``what`` is an identifier with a word."""

    what: str
    asked: str
    given: str


class OwnNodeFailed(GenerationFailed):
    """A node of somebody's own workflow did not run in a trial; ``problem`` is ComfyUI's word."""

    node: str
    title: str
    problem: str


class SpaceIncomplete(GenerationFailed):
    """A Space lacks something that its owner can bring; ``problems`` is JSON: code and fields."""

    problems: str


class OwnWorkflowFailed(GenerationFailed):
    """The operator's own workflow broke while it ran: at ``node``, where ComfyUI named one."""

    node: str = ""


class WorkflowRefused(GenerationFailed):
    """ComfyUI's validation refused the bound graph."""

    node: str = ""
    reason: str = ""


class DiskFull(GenerationFailed):
    """No room for the output."""


class RequestUnreadable(GenerationFailed):
    """Another version of Clapper wrote the request, and this one cannot read it."""


class WorkerLost(GenerationFailed):
    """The service died with the job as often as is allowed."""

    attempts: int


class DeviceLost(GenerationFailed):
    """The device, its driver or this process's hold of it is broken; only a new process helps.

    ``reason`` is ``device_error`` (it said so), ``doubt`` (job after job broke before its first
    step) or ``stuck`` (something on it does not return).
    """

    reason: str = "device_error"


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
