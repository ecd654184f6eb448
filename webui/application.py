# gradio's own types are incomplete
# pyright: reportUnknownMemberType=false
"""Puts the page, its API, our own addresses and the doorway together, and starts the server."""

from dataclasses import dataclass
from typing import Any

import gradio as gr
from starlette.middleware import Middleware

from core.messages import say
from core.models.family import LTX_2_3, Profile
from core.settings import Settings
from webui.api import Api
from webui.bridge import Bridge
from webui.counter import StudioCounter
from webui.doorway import Doorway
from webui.events import bind
from webui.form import FormRules
from webui.handlers import Handlers
from webui.metrics import Metrics
from webui.page import build_page
from webui.people import Doorkeeper
from webui.preflight import Preflight
from webui.routes import Routes
from webui.theme import ROOT_STYLE, SCRIPT, STYLES, theme

_HOUR_S = 3600
_AT_ONCE = 32  # events of one kind that are handled side by side; each waits for the core only


@dataclass(frozen=True, slots=True)
class Studio:
    """A page that is built and not yet served."""

    blocks: gr.Blocks
    metrics: Metrics


def build(counter: StudioCounter, bridge: Bridge, metrics: Metrics) -> Studio:
    """Return the page with all its events and endpoints."""
    handlers = Handlers(counter, Preflight(counter), bridge, metrics)
    settings = counter.core.settings
    guided = counter.core.executor.name != "draft" and _guided(settings)
    with gr.Blocks(
        title=say("studio_title"),
        analytics_enabled=False,
        fill_width=True,
        delete_cache=(_HOUR_S, 24 * _HOUR_S),
    ) as blocks:
        page = build_page(FormRules(counter.service.limits, guided))
        bind(page, handlers)
        Api(handlers).publish()
    # on ZeroGPU the size would be 1 unless it is named
    blocks.queue(max_size=settings.studio_sessions, default_concurrency_limit=_AT_ONCE)
    return Studio(blocks, metrics)


def _guided(settings: Settings) -> bool:
    return LTX_2_3.profiles[Profile(settings.model_profile)].guided


def start(
    studio: Studio, counter: StudioCounter, bridge: Bridge, keeper: Doorkeeper, port: int
) -> None:
    """Serve the page on ``port`` from a thread of its own; returns once it answers."""
    settings = counter.core.settings
    doorway = Middleware(Doorway, keeper=keeper, uploads=counter.uploads, secure=settings.on_space)
    login: dict[str, Any] = {}
    if keeper.users is not None:
        login = {"auth": keeper.users.admit, "auth_message": say("studio_login")}
    studio.blocks.launch(
        server_name=settings.studio_host,
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
        mcp_server=settings.studio_mcp,
        max_file_size=settings.media_limits().stream_bytes,
        footer_links=["api"],
        theme=theme(),
        css_paths=[STYLES],
        head=f"{ROOT_STYLE}<script>{SCRIPT.read_text()}</script>",  # a request could lose the race
        app_kwargs={
            "routes": Routes(counter, bridge, studio.metrics).all(),
            "middleware": [doorway],
        },
        **login,
    )
