"""What operators have beside a running service: the control socket, probes and alerts."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack, asynccontextmanager

import structlog

from core.app.alert_watch import AlertWatch
from core.app.core import Core
from core.app.front_gate import front_gate
from core.app.health_server import Probes, health_server
from core.app.metrics import collect
from core.app.steering import steered_service
from core.control.server import control_server
from core.errors.setup import DataDirectoryBusy
from core.i18n.messages import say
from core.runtime.listening import host_in_address

log = structlog.get_logger(__name__)

_LAST_LOOK_S = 1.0  # what is told at the end of a process may be told by the next one


@asynccontextmanager
async def operated(core: Core, announce: Callable[[str], None]) -> AsyncGenerator[None]:
    """Let operators steer and watch ``core`` inside the block.

    Raises:
        DataDirectoryBusy: a process that has the data directory to itself finds another one there.
        SetupProblem: an address that was asked for cannot be used.
    """
    async with AsyncExitStack() as stack:
        service = steered_service(core, serving=True, troubles=core.readiness.troubles)
        try:
            await stack.enter_async_context(control_server(service))
            core.router.register(service.delivery)  # only who takes commands tells how they ended
        except DataDirectoryBusy:
            if core.membership.deployment.has_folder_alone:
                raise
            log.info("control_socket_of_another_node")  # which steers the same rows
        await stack.enter_async_context(health_of(core, core.settings.health.host, announce))
        gate = core.settings.gate
        if gate.port is not None:
            port = await stack.enter_async_context(front_gate(core))
            announce(say("gate_ready", {"host": host_in_address(gate.host), "port": port}))
        watch = AlertWatch(
            core.alerts, core.readiness, core.housekeeping, core.settings.alerts.restarts
        )
        stop = asyncio.Event()
        watching = asyncio.create_task(watch.run(stop))
        try:
            yield
        finally:
            stop.set()
            await asyncio.wait({watching}, timeout=_LAST_LOOK_S)
            watching.cancel()


@asynccontextmanager
async def health_of(core: Core, host: str, announce: Callable[[str], None]) -> AsyncGenerator[None]:
    """Answer probes at ``host`` inside the block, where the settings name a port.

    Raises:
        SetupProblem: the port cannot be used.
    """
    port = core.settings.health.port
    if port is None:
        yield
        return
    probes = Probes(core.readiness.read, lambda: collect(core), _token(core))
    async with health_server(host, port, probes) as actual:
        announce(say("health_ready", {"host": host_in_address(host), "port": actual}))
        yield


def _token(core: Core) -> str:
    token = core.settings.metrics.token
    return token.get_secret_value() if token else ""
