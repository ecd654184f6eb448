"""Every address that we offer is on the list of those that exist; what is not is silently 404."""

import re
from typing import TYPE_CHECKING

from core.app.core import Core
from core.app.serve import front_services
from webui.auth.allowed_routes import exists
from webui.auth.uploads import Uploads
from webui.page.clip_routes import ClipRoutes
from webui.page.feed_routes import FeedRoutes
from webui.page.form_routes import FormRoutes
from webui.page.gallery_routes import GalleryRoutes
from webui.page.handlers import Handlers
from webui.page.operator_routes import OperatorRoutes
from webui.page.original_routes import OriginalRoutes
from webui.page.preflight import Preflight
from webui.page.style_choice import StyleRoutes
from webui.routes import StudioRoutes
from webui.studio.loop_bridge import Bridge
from webui.studio.metrics import Metrics
from webui.studio.service import StudioService

if TYPE_CHECKING:
    from starlette.routing import Route

# the words that stand for a whole list in a route
_WORDS = {"verb": ("star", "unstar", "delete", "undo", "publish", "plain", "take_down", "pause")}


async def test_every_address_of_ours_gets_past_the_list_of_routes(core: Core) -> None:
    service, metrics = StudioService(front_services(core), Uploads()), Metrics()
    bridge = Bridge(None)  # type: ignore[arg-type]  # nothing is called
    handlers = Handlers(service, Preflight(service), bridge, metrics)
    routes: list[Route] = [
        *FormRoutes(handlers).all(),
        *GalleryRoutes(service.gallery, bridge).all(),
        *OriginalRoutes(service.originals, bridge).all(),
        *ClipRoutes(service.sources, bridge, service.limits, guided=True).all(),
        *FeedRoutes(service.publishing, bridge).all(),
        *StyleRoutes(service.styles, bridge).all(),
        *OperatorRoutes(service.operators, bridge).all(),
        *StudioRoutes(service, bridge, metrics, None).all(),  # type: ignore[arg-type]  # not asked
    ]

    for route in routes:
        paths = {re.sub(r"\{\w+\}", "abc", route.path)}
        if "{verb}" in route.path:
            paths = {
                re.sub(r"\{\w+\}", "abc", route.path.replace("{verb}", word))
                for word in _WORDS["verb"]
            }
        for method in route.methods or ():
            assert any(exists(method, path) for path in paths), (method, route.path)
