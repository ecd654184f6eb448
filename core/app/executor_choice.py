"""Which executor runs here, and why not the other: the only place that knows both."""

from collections.abc import Callable
from typing import Protocol, runtime_checkable

import structlog

from core.duration.launching import Launching
from core.errors.setup import ComfyUnavailable
from core.i18n.messages import say
from core.interfaces.executor import Executor
from core.models.catalog import FAMILY, Profile
from core.settings import Settings
from core.storage.runs import RunPlace

log = structlog.get_logger(__name__)


@runtime_checkable
class Borrowing(Protocol):
    """An executor whose device is not in this machine, and so asked for by name."""

    @property
    def device(self) -> str:
        """Return the key of :mod:`core.duration.hardware`."""
        ...


def choose_executor(settings: Settings, announce: Callable[[str], None]) -> Executor:
    """Return the executor that the settings ask for.

    ``auto`` takes ComfyUI where it can run and the animatic elsewhere, and says once what is
    missing and the command that changes it.

    Args:
        settings: with ``executor``.
        announce: gets the sentence.

    Returns:
        Ready to execute; models are loaded by the first job.

    Raises:
        ComfyUnavailable: ComfyUI was asked for by name and cannot run.
    """
    if settings.executor == "draft":
        return _draft()
    try:
        return _comfy(settings)
    except ComfyUnavailable as problem:
        if settings.executor == "comfy":
            raise
        announce(say("draft_instead", problem.data()))
        log.info("executor_is_draft", missing=problem.missing)
        return _draft()


def place_of(executor: Executor, settings: Settings) -> RunPlace:
    """Return what recorded runs are kept under: the device, the model files, ComfyUI's commit.

    The device is named as its driver does, or by its kind where there is no driver to ask. What
    makes the same work take another time stands beside the commit.
    """
    if executor.name != "comfy":
        return RunPlace("draft", "draft", "")
    from core.comfy.device import device_kind, first_device

    if isinstance(executor, Borrowing):
        return RunPlace(executor.device, settings.models.profile, _made_by(settings))
    device = first_device()
    name = device.name if device else device_kind().value
    return RunPlace(name, settings.models.profile, _made_by(settings))


def _made_by(settings: Settings) -> str:
    from core.comfy.install.pins import load_pins
    from core.comfy.paths import comfy_paths

    version = comfy_paths(settings).wanted or load_pins().version
    return f"{version} {launching(settings).noted}".rstrip()


def launching(settings: Settings) -> Launching:
    """Return the way in which ComfyUI is told to launch the transformer."""
    if not settings.comfy.accelerate:
        return Launching.PLAIN
    return Launching.FAST if settings.comfy.fast else Launching.GRAPHS


def memory_of(executor: Executor) -> int | None:
    """Return how many bytes the device of ``executor`` has; None where no driver tells."""
    if executor.name != "comfy" or isinstance(executor, Borrowing):
        return None
    from core.comfy.device import first_device

    device = first_device()
    return device.memory_bytes if device else None


def is_guided(executor: Executor, settings: Settings) -> bool:
    """Return whether a preset runs with guidance here, so that a negative prompt acts."""
    profile = FAMILY.profiles[Profile(settings.models.profile)]
    return executor.name != "draft" and profile.guided


def _draft() -> Executor:
    from core.animatic.executor import DraftExecutor

    return DraftExecutor()


def _comfy(settings: Settings) -> Executor:
    """Return the ComfyUI executor.

    Raises:
        ComfyUnavailable: no torch, no device, or no checkout.
    """
    from core.comfy.executor import ComfyExecutor

    return ComfyExecutor.open(settings)
