# gradio's own types are incomplete
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
"""Start and stop the Studio beside the core; its server has a thread and loop of its own."""

import asyncio
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import structlog

from core.errors.setup import BadConfiguration
from core.i18n.messages import explain, say
from core.interfaces.platform_check import PlatformCheck
from core.runtime.environment import hand_on
from core.service.front_services import FrontServices
from core.settings import Settings
from webui.api.v1.webhooks import WebhookDelivery
from webui.auth.origin import LOOPBACK, unfit_hosts
from webui.auth.sign_in import SignInMethods
from webui.auth.sign_in_sources import sign_in_sources
from webui.auth.uploads import Uploads
from webui.auth.visitors import PLATFORM
from webui.studio.delivery import StudioDelivery
from webui.studio.loop_bridge import Bridge
from webui.studio.metrics import Metrics
from webui.studio.service import StudioService

if TYPE_CHECKING:
    import gradio as gr

    from webui.zerogpu.request_context import RequestContexts

log = structlog.get_logger(__name__)
T = TypeVar("T")

# events until Gradio sums up all events for its dashboard, which is off; by default after each
_NEVER = str(2**62)


class StudioFront:
    """Runs unless CLAPPER_STUDIO is off."""

    name = PLATFORM

    def __init__(self, contexts: "RequestContexts | None" = None) -> None:
        """Take where the contexts of requests wait, where the executor wants them."""
        self._contexts = contexts
        self.url = ""  # once it runs

    def configured(self, settings: Settings) -> bool:
        """Return whether the settings ask for the page."""
        return settings.studio.enabled

    def check(self, settings: Settings) -> list[PlatformCheck]:
        """Check who may sign in, as :meth:`run` will, and by which names people come."""
        found: list[PlatformCheck] = []
        try:
            sign_in_sources(settings)
        except BadConfiguration as problem:
            found.append(PlatformCheck("Studio", "bad", explain(problem)))
        hosts = ", ".join(unfit_hosts(settings))
        if hosts:
            told, fix = say("studio_hosts_unfit", {"hosts": hosts}), say("studio_hosts_fix")
            found.append(PlatformCheck("Studio", "bad", told, fix))
        return found

    async def run(self, services: FrontServices, on_ready: Callable[[], None]) -> None:
        """Serve until cancelled.

        Raises:
            BadConfiguration: the port is taken, or nobody could sign in as the settings say.
        """
        settings = services.settings
        days_ms = None if self._contexts is None else self._contexts.days_ms
        sign_in = SignInMethods.of(settings, days_ms)
        service = StudioService(services, Uploads(), self._contexts)
        await service.files.restore_uploads()
        await service.endings.restore()
        await service.forms.drop_old()
        services.register(StudioDelivery())
        services.register(_webhooks(services))
        bridge = Bridge(asyncio.get_running_loop())
        port = await asyncio.to_thread(_free_port, settings)
        demo = await asyncio.to_thread(_open, service, bridge, sign_in, settings, port)
        self.url = str(demo.local_url)
        log.info("studio_ready", url=self.url)
        meant_to_be = settings.on_space or sign_in.authenticator.closed
        if settings.studio.host not in LOOPBACK and not meant_to_be:
            log.warning(
                "studio_open_to_network", hint=say("studio_open_to_network", {"url": self.url})
            )
        on_ready()
        try:
            await asyncio.Event().wait()
        finally:
            service.programs.end_streams()
            service.endings.stop()
            await asyncio.to_thread(close, demo)


def _webhooks(services: FrontServices) -> WebhookDelivery:
    loopback = services.settings.studio.webhook_loopback
    return WebhookDelivery(services.programs, services.clock, loopback=loopback)


def _open(
    service: StudioService, bridge: Bridge, sign_in: SignInMethods, settings: Settings, port: int
) -> "gr.Blocks":
    hand_on("GRADIO_TEMP_DIR", str(settings.uploads_folder))
    hand_on("GRADIO_ANALYTICS_CACHE_FREQUENCY", _NEVER)
    from webui.application import build, start

    def opened() -> "gr.Blocks":
        studio = build(service, bridge, Metrics(), accounts=sign_in.signer is not None)
        start(studio, service, bridge, sign_in, port)
        return studio.blocks

    return in_own_loop(opened)


def in_own_loop(call: Callable[[], T]) -> T:
    """Call ``call`` inside an event loop of this thread.

    Without a running one Gradio makes one for each lock and never closes it.
    """

    async def called() -> T:
        return call()

    return asyncio.run(called())


def close(demo: Any) -> None:  # noqa: ANN401  # gradio's own types are incomplete
    """End the server of ``demo``."""
    demo.server.config.timeout_graceful_shutdown = 1  # s; open pages hold connections
    demo.close(verbose=False)


def _free_port(settings: Settings) -> int:
    """Find the port to listen on.

    Raises:
        BadConfiguration: it is taken.
    """
    port = settings.studio.port
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            reason = say("studio_port_taken", {"port": port})
            raise BadConfiguration("CLAPPER_STUDIO_PORT", reason) from None
        return int(probe.getsockname()[1])


FRONT = StudioFront()
