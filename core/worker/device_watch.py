"""Watch whether the device can be trusted, and say once when this process has lost it."""

from typing import TYPE_CHECKING

import structlog

from core.domain.jobs import RequeueReason
from core.errors import ClapperError, DeviceLost, InternalError
from core.worker.attempt import JobAttempt, Phase

if TYPE_CHECKING:
    from collections.abc import Callable

log = structlog.get_logger(__name__)

IN_A_ROW = 2  # jobs that broke before their first step; one alone may be its own fault


class DeviceWatch:
    """Knows what the attempts of this process showed of the device."""

    def __init__(self, *, own: bool = True) -> None:
        """Watch the device of this process; where each order has one of its own, doubt none."""
        self._own = own
        self.lost: DeviceLost | None = None  # set once; then nothing is claimed any more
        self.on_lost: Callable[[], None] = lambda: None
        self._proven = False  # a job succeeded in this process
        self._broken = 0  # in a row
        self._stuck = 0  # calls that were left behind and have not returned

    def works(self) -> None:
        """Note that a job succeeded."""
        self._proven = True
        self._broken = 0

    def judge(self, error: ClapperError, attempt: JobAttempt) -> ClapperError:
        """Decide whether ``error``, which ended ``attempt``, is the job's or the device's.

        What breaks before the executor has the order, or after it, shows nothing of the device;
        nor does an operator's own workflow that breaks by itself.

        Returns:
            ``error``, or DeviceLost where it was one job after the other that broke early.
        """
        on_device = attempt.phase is Phase.EXECUTING
        if isinstance(error, InternalError) and self._own and on_device:
            self._broken = 0 if attempt.stepped else self._broken + 1
            if self._broken >= IN_A_ROW:
                error = DeviceLost("doubt")
        if isinstance(error, DeviceLost):
            self.lose(error)
        return error

    def lose(self, error: DeviceLost) -> None:
        """Note that the device is lost to this process; the first call counts."""
        if self.lost is None:
            self.lost = error
            log.error("device_lost", reason=error.reason)
            self.on_lost()

    def left_behind(self, most: int) -> None:
        """Count a call that does not return; from ``most`` on only a new process helps."""
        self._stuck += 1
        if self._stuck >= most:
            self.lose(DeviceLost("stuck"))

    def returned(self) -> None:
        """Count a call that was left behind and has returned after all."""
        self._stuck -= 1

    def blame(self, error: DeviceLost) -> RequeueReason:
        """Choose how the job goes back in line that met ``error``."""
        if error.reason == "stuck":  # by what another job left there
            return RequeueReason.STOPPED
        return RequeueReason.DEVICE if self._proven else RequeueReason.DOUBTED
