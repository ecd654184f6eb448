# gradio's own types are incomplete
# pyright: reportUnknownMemberType=false
"""Puts the page, its API, our own addresses and the doorway together, and starts the server."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import gradio as gr
from starlette.middleware import Middleware

from core.errors.setup import BadConfiguration
from core.i18n.messages import say
from core.models.catalog import LTX_2_3, Profile
from core.settings import Settings
from webui.api.endpoints import Api
from webui.api.no_fetch import refuse_links
from webui.auth.guard import Guard
from webui.auth.metrics_access import MetricsAccess
from webui.auth.middleware import Doorway
from webui.auth.sign_in import Accounts, Entrance
from webui.page.events import bind
from webui.page.form import FormRules
from webui.page.form_routes import FormRoutes
from webui.page.handlers import Handlers
from webui.page.layout import build_page
from webui.page.preflight import Preflight
from webui.page.session_state import CAPACITY, lighten
from webui.page.theme import ROOT_STYLE, STYLES, script, theme
from webui.routes import Routes
from webui.studio.loop_bridge import Bridge
from webui.studio.metrics import Metrics
from webui.studio.service import StudioCounter

if TYPE_CHECKING:
    from starlette.routing import BaseRoute

    from webui.api.mcp_server import Agents

_AT_ONCE = 32  # events of one kind that are handled side by side; each waits for the core only


@dataclass(frozen=True, slots=True)
class Studio:
    """A page that is built and not yet served."""

    blocks: gr.Blocks
    handlers: Handlers

    @property
    def metrics(self) -> Metrics:
        """Return what the page counts."""
        return self.handlers.metrics


def build(
    counter: StudioCounter, bridge: Bridge, metrics: Metrics, *, accounts: bool = False
) -> Studio:
    """Return the page with all its events and endpoints; ``accounts``: one can sign in or out."""
    handlers = Handlers(counter, Preflight(counter), bridge, metrics)
    settings = counter.core.settings
    guided = counter.core.executor.name != "draft" and _guided(settings)
    with gr.Blocks(
        title=say("studio_title"),
        analytics_enabled=False,
        fill_width=True,
    ) as blocks:
        page = build_page(FormRules(counter.service.limits, guided), accounts=accounts)
        bind(page)
        Api(handlers).publish()
    # on ZeroGPU the size would be 1 unless it is named
    blocks.queue(max_size=settings.studio.sessions, default_concurrency_limit=_AT_ONCE)
    return Studio(blocks, handlers)


def _guided(settings: Settings) -> bool:
    return LTX_2_3.profiles[Profile(settings.models.profile)].guided


def _agents(counter: StudioCounter, bridge: Bridge, metrics: Metrics) -> "Agents":
    """Return the tools for agents.

    Raises:
        BadConfiguration: the library for them is not installed.
    """
    try:
        from webui.api.mcp_server import Agents
    except ImportError:
        raise BadConfiguration("CLAPPER_STUDIO_MCP", say("mcp_not_installed")) from None
    return Agents(counter, bridge, metrics)


def _surroundings(
    studio: Studio, counter: StudioCounter, bridge: Bridge, entrance: Entrance
) -> dict[str, Any]:
    """Return what the web application has besides the page: addresses, doorway, agents."""
    settings = counter.core.settings
    accounts = Accounts(entrance, settings)
    access = MetricsAccess(settings, closed=entrance.keeper.closed)
    routes: list[BaseRoute] = [
        *accounts.all(),
        *FormRoutes(studio.handlers).all(),
        *Routes(counter, bridge, studio.metrics, access).all(),
    ]
    agents = _agents(counter, bridge, studio.metrics) if settings.studio.mcp else None
    if agents is not None:
        routes.append(agents.route)

    @asynccontextmanager
    async def lifespan(app: Any) -> AsyncGenerator[None]:  # noqa: ANN401  # the toolkit's own
        lighten(app)
        # around Gradio's own layers, of which one allows every origin; nothing is served before
        app.middleware_stack = Guard(app.middleware_stack, settings)
        async with agents.running() if agents else nullcontext():
            yield

    doorway = Middleware(
        Doorway,
        keeper=entrance.keeper,
        uploads=counter.uploads,
        keep=lambda path, owner: bridge.call(counter.keep_upload(path, owner)),
        gate=accounts.gate,
        has_room=counter.service.has_room,
        largest_bytes=settings.media.limits().stream_bytes,
        secure=settings.on_space,
    )
    middleware = [doorway, *accounts.middleware()]
    return {
        "routes": routes,
        "middleware": middleware,
        "lifespan": lifespan,
        "openapi_url": None,
    }


def start(
    studio: Studio, counter: StudioCounter, bridge: Bridge, entrance: Entrance, port: int
) -> None:
    """Serve the page on ``port`` from a thread of its own; returns once it answers."""
    settings = counter.core.settings
    refuse_links()
    studio.blocks.launch(
        server_name=settings.studio.host,
        server_port=port,
        prevent_thread_lock=True,
        quiet=True,
        share=False,
        inbrowser=False,
        show_error=False,
        allowed_paths=[],
        enable_monitoring=False,
        run_history=False,
        ssr_mode=False,
        pwa=False,
        mcp_server=False,  # its own would call in its own name, see webui.api.mcp_server
        max_file_size=settings.media.limits().stream_bytes,
        footer_links=["api"],
        theme=theme(),
        css_paths=[STYLES],
        # the script itself: a request for it could lose the race
        head=f"{ROOT_STYLE}<script>{script()}</script>",
        state_session_capacity=CAPACITY,
        app_kwargs=_surroundings(studio, counter, bridge, entrance),
    )
