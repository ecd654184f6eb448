"""A headless stand-in for ComfyUI's web server; it opens no port."""

from collections.abc import Callable, Mapping
from typing import Any

EventSink = Callable[[str, Mapping[str, Any]], None]


class HeadlessServer:
    """Stands in for ComfyUI's ``PromptServer``, with exactly the names that are used of it.

    The same object must be ``PromptServer.instance`` and the executor's server: nodes read
    ``last_node_id`` from the one, and the executor writes it to the other. A name that is not
    listed raises AttributeError, when read and when written, so that a new ComfyUI which needs
    more shows it in the tests and not in a wrong result.
    """

    __slots__ = (
        "app",
        "client_id",
        "last_node_id",
        "last_prompt_id",
        "listener",
        "node_replace_manager",
        "number",
        "prompt_queue",
        "routes",
        "sockets",
        "sockets_metadata",
        "supports",
        "web_root",
    )

    def __init__(self) -> None:
        self.listener: EventSink | None = None  # ours: gets every event of the running prompt
        # what the executor and core nodes use
        self.client_id: str | None = None
        self.last_node_id: str | None = None
        self.last_prompt_id: str | None = None
        self.sockets_metadata: dict[str, Any] = {}
        self.node_replace_manager = _IgnoredReplacements()
        # what node packs touch when they are imported
        self.routes = _Routes()
        self.app = _App()
        self.supports: list[str] = []
        self.prompt_queue: Any = None
        self.web_root = ""
        self.sockets: dict[str, Any] = {}
        self.number = 0

    def send_sync(self, event: str, data: Mapping[str, Any], sid: str | None = None) -> None:
        """Pass an event of the running prompt on; called on the executor's thread."""
        del sid
        if self.listener is not None:
            self.listener(event, data)

    def send_progress_text(self, text: str, node_id: str, sid: str | None = None) -> None:
        """Drop what a node would show beside itself in the web page."""

    def queue_updated(self) -> None:
        """Drop the news that ComfyUI's own queue changed; we have none."""

    def add_on_prompt_handler(self, handler: Callable[..., Any]) -> None:
        """Drop a pack's wish to see prompts of the web page; there is no such page."""


class _IgnoredReplacements:
    """Accepts node replacements, which only ComfyUI's editor applies."""

    def register(self, *arguments: object) -> None:
        """Drop one replacement."""


class _Router:
    """A table of routes that is closed, so that packs add no files of their own to it."""

    frozen = True


class _App:
    """The web application: its table of routes, and nothing that could be served."""

    router = _Router()

    def add_routes(self, routes: object) -> None:
        """Drop routes; some packs add them without looking whether the table is closed."""


class _Routes:
    """Decorators for web routes that nobody serves; packs use them at import."""

    def get(self, path: str, **options: object) -> Callable[[Any], Any]:
        """Return a decorator that leaves the handler alone."""
        del path, options
        return lambda handler: handler

    post = put = delete = patch = static = get
