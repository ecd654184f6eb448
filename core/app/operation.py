"""What operators have beside a running service: the control socket."""

from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack, asynccontextmanager

from core.app.core import Core
from core.app.steering import steered_service
from core.control.server import control_server


@asynccontextmanager
async def operated(core: Core, announce: Callable[[str], None]) -> AsyncGenerator[None]:
    """Let operators steer and watch ``core`` inside the block.

    Raises:
        SetupProblem: an address that was asked for cannot be used.
    """
    del announce
    async with AsyncExitStack() as stack:
        service = steered_service(core, serving=True)
        core.router.register(service.delivery)
        await stack.enter_async_context(control_server(service))
        yield
