# gradio's own types are incomplete
# pyright: reportUnknownMemberType=false
"""Put the page, its API, our own addresses and the middleware together, and start the server."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import gradio as gr
from starlette.middleware import Middleware
from starlette.routing import BaseRoute

from core.errors.setup import BadConfiguration
from core.i18n.messages import say
from core.runtime.extras import install_extra
from core.settings import Settings
from webui.api.arity import FilledBlocks, on_type_error
from webui.api.calls import CheckedCalls
from webui.api.endpoints import Api
from webui.api.no_fetch import refuse_links
from webui.api.v1.access import ProgramAccess
from webui.api.v1.application import ProgramInterface
from webui.auth.guard import Guard
from webui.auth.metrics_access import MetricsAccess
from webui.auth.middleware import VisitorMiddleware
from webui.auth.open_streams import StreamLimits
from webui.auth.sign_in import SignInMethods, SignInRoutes
from webui.page.clip_routes import ClipRoutes
from webui.page.events import bind
from webui.page.feed_routes import FeedRoutes
from webui.page.form import FormRules
from webui.page.form_routes import FormRoutes
from webui.page.gallery_routes import GalleryRoutes
from webui.page.handlers import Handlers
from webui.page.layout import build_page
from webui.page.operator_routes import OperatorRoutes
from webui.page.original_routes import OriginalRoutes
from webui.page.preflight import Preflight
from webui.page.program_samples import ProgramSamples
from webui.page.session_state import CAPACITY, lighten
from webui.page.style_choice import StyleRoutes
from webui.page.theme import ROOT_STYLE, STYLE_SHEETS, icons, script, theme
from webui.routes import StudioRoutes
from webui.serving.assets import Assets
from webui.serving.body_limit import BodyLimit
from webui.serving.compression import Compression
from webui.serving.first_paint import FirstPaint
from webui.serving.languages import InLanguage
from webui.serving.server_log import join_server_log
from webui.serving.spoken_page import Parts, in_every_language, let_speak
from webui.studio.loop_bridge import Bridge
from webui.studio.metrics import Metrics
from webui.studio.service import StudioService

if TYPE_CHECKING:
    from webui.api.mcp_server import McpServer

_AT_ONCE = 32  # events of one kind that are handled side by side; each waits for the core only


@dataclass(frozen=True, slots=True)
class Studio:
    """A page that is built and not yet served."""

    blocks: gr.Blocks
    handlers: Handlers
    parts: dict[str, Parts]  # of the page, by every other language

    @property
    def metrics(self) -> Metrics:
        """Return what the page counts."""
        return self.handlers.metrics


def build(
    service: StudioService, bridge: Bridge, metrics: Metrics, *, accounts: bool = False
) -> Studio:
    """Build the page with all its events and endpoints; ``accounts``: one can sign in or out."""
    handlers = Handlers(service, Preflight(service), bridge, metrics)
    settings = service.settings

    def page() -> gr.Blocks:
        with FilledBlocks(
            title=say("studio_title"), analytics_enabled=False, fill_width=True
        ) as blocks:
            rules = FormRules(service.limits, service.guided)
            bind(build_page(rules, accounts=accounts, notice=service.notice()))
            Api(handlers).publish()
        return blocks

    blocks, parts = in_every_language(page)
    # on ZeroGPU the size would be 1 unless it is named
    blocks.queue(max_size=settings.studio.sessions, default_concurrency_limit=_AT_ONCE)
    return Studio(blocks, handlers, parts)


def _mcp_server(service: StudioService, bridge: Bridge, metrics: Metrics) -> "McpServer":
    """Make the tools for agents.

    Raises:
        BadConfiguration: the library for them is not installed.
    """
    try:
        from webui.api.mcp_server import McpServer
    except ImportError:
        raise BadConfiguration(
            "CLAPPER_STUDIO_MCP", say("mcp_not_installed", {"command": install_extra("mcp")})
        ) from None
    return McpServer(service, bridge, metrics)


def _layers(app: Any, studio: Studio, settings: Settings) -> InLanguage:  # noqa: ANN401  # Gradio's own
    page = FirstPaint(Assets(app, framed=settings.on_space))
    checked = CheckedCalls(page, studio.blocks)
    limited = BodyLimit(checked, settings.media.limits().stream_bytes)
    return InLanguage(Compression(Guard(limited, settings)))


def _routes(
    studio: Studio, service: StudioService, bridge: Bridge, access: MetricsAccess
) -> list[BaseRoute]:
    """List the addresses of the page and of programs, without those of the sign-in."""
    return [
        *FormRoutes(studio.handlers).all(),
        ProgramSamples(service, ProgramAccess(service, bridge)).route,
        *GalleryRoutes(service.gallery, bridge).all(),
        *OriginalRoutes(service.originals, bridge).all(),
        *ClipRoutes(service.sources, bridge, service.limits, guided=service.guided).all(),
        *FeedRoutes(service.publishing, bridge).all(),
        *StyleRoutes(service.styles, bridge).all(),
        *OperatorRoutes(service.operators, bridge).all(),
        *StudioRoutes(service, bridge, studio.metrics, access).all(),
        ProgramInterface(service, bridge, studio.metrics).mount,
    ]


def _app_parts(
    studio: Studio, service: StudioService, bridge: Bridge, sign_in: SignInMethods
) -> dict[str, Any]:
    """Make what the web application has besides the page: addresses, middleware, MCP."""
    settings = service.settings
    sign_in_routes = SignInRoutes(sign_in, settings)
    access = MetricsAccess(settings, closed=sign_in.authenticator.closed)
    routes = [*sign_in_routes.all(), *_routes(studio, service, bridge, access)]
    mcp_server = _mcp_server(service, bridge, studio.metrics) if settings.studio.mcp else None
    if mcp_server is not None:
        routes.append(mcp_server.route)

    @asynccontextmanager
    async def lifespan(app: Any) -> AsyncGenerator[None]:  # noqa: ANN401  # Gradio's own
        lighten(app)
        let_speak(app, studio.parts)
        # around Gradio's own layers, of which one allows every origin; nothing is served before
        app.middleware_stack = _layers(app.middleware_stack, studio, settings)
        async with mcp_server.running() if mcp_server else nullcontext():
            yield

    return {
        "routes": routes,
        "middleware": [
            _identify(service, bridge, sign_in, sign_in_routes),
            _limit_streams(sign_in),
            *sign_in_routes.middleware(),
        ],
        "exception_handlers": {TypeError: on_type_error},
        "lifespan": lifespan,
        "openapi_url": None,
    }


def _identify(
    service: StudioService, bridge: Bridge, sign_in: SignInMethods, routes: SignInRoutes
) -> Middleware:
    """Make what tells who asks."""
    return Middleware(
        VisitorMiddleware,
        authenticator=sign_in.authenticator,
        uploads=service.files.uploads,
        keep=lambda path, visitor: bridge.call(service.files.keep_upload(path, visitor)),
        sign_in_page=routes.sign_in_page,
        has_room=service.has_room,
        secure=service.settings.on_space,
    )


def _limit_streams(sign_in: SignInMethods) -> Middleware:
    """Make what counts and ends answers that stay open."""
    known = sign_in.authenticator
    return Middleware(StreamLimits, identify=known.visitor, network_of=known.networks.of)


def start(
    studio: Studio, service: StudioService, bridge: Bridge, sign_in: SignInMethods, port: int
) -> None:
    """Serve the page on ``port`` from a thread of its own; returns once it answers."""
    settings = service.settings
    refuse_links()
    studio.blocks.launch(
        server_name=settings.studio.host,
        server_port=port,
        prevent_thread_lock=True,
        _frontend=False,  # else it asks for the page, and 3 s on a busy machine end the start
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
        css=icons(),
        css_paths=[*STYLE_SHEETS],
        # the script itself: a request for it could lose the race
        head=f"{ROOT_STYLE}<script>{script()}</script>",
        state_session_capacity=CAPACITY,
        app_kwargs=_app_parts(studio, service, bridge, sign_in),
    )
    join_server_log()
