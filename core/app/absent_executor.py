"""What stands where a front node has no device: it makes nothing, others do."""

from typing import TYPE_CHECKING

from core.domain.media import RawClip
from core.domain.progress import ProgressSink
from core.errors import InternalError
from core.interfaces.executor import Order
from core.runtime.cancellation import CancelToken

if TYPE_CHECKING:
    from collections.abc import Callable

    from core.domain.nodes import Pool


class AbsentExecutor:
    """Implements :class:`core.interfaces.executor.Executor` by refusing; it imports no torch."""

    def __init__(self) -> None:
        """Know no pools yet."""
        self.pools: Callable[[], tuple[Pool, ...]] = tuple

    @property
    def name(self) -> str:
        """Return what the workers use: ``draft`` where all that are known draw."""
        names = {device.device for pool in self.pools() for device in pool.devices}
        return "draft" if names == {"draft"} else "comfy"

    async def execute(
        self, order: Order, on_progress: ProgressSink, cancel: CancelToken
    ) -> RawClip:
        """Refuse.

        Raises:
            InternalError: always; nothing claims here.
        """
        del order, on_progress, cancel
        raise InternalError

    async def close(self) -> None:
        """Do nothing."""
