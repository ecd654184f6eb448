"""Give the control socket the parts of the core that commands reach."""

from collections.abc import Awaitable, Callable

from core import __version__
from core.app.core import Core
from core.app.logs import RECENT
from core.app.self_check import SelfCheck
from core.control.service import SteeredService
from core.control.watch import WatchedDelivery
from core.gate.nodes import GateNodes


async def _no_troubles() -> tuple[str, ...]:
    return ()


def steered_service(
    core: Core,
    *,
    serving: bool,
    troubles: Callable[[], Awaitable[tuple[str, ...]]] = _no_troubles,
) -> SteeredService:
    """Return what commands reach of ``core``.

    Args:
        core: an open one.
        serving: it works and delivers; else it was opened for one command.
        troubles: names the health checks that fail.
    """

    async def contradictions() -> list[str]:
        return [str(violation) for violation in await SelfCheck(core.database).check()]

    return SteeredService(
        operators=core.operators,
        submission=core.submission,
        compose=core.users.compose,
        admission=core.admission,
        cancellation=core.cancellation,
        jobs=core.jobs,
        machines=GateNodes(core.database, core.queue.clock),
        check=contradictions,
        troubles=troubles,
        data_dir=core.settings.data_dir,
        version=__version__,
        lines=RECENT,
        delivery=WatchedDelivery(core.membership.files),
        serving=serving,
    )
