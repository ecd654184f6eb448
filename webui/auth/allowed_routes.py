"""The addresses that the Studio has, by method; every other one of Gradio's is not there.

An allow-list: what a new version of Gradio adds stays closed until somebody wants it.
"""

import re

_READ = frozenset({"GET", "HEAD"})
_WRITE = frozenset({"POST"})
_NAME = "[A-Za-z0-9_-]+"
# of Gradio 6.31; left out are its reloader, monitoring, profiling, run history, deep links,
# proxying, media streams, heartbeats, custom components, component functions, recordings and
# code editors
_GRADIO_READ = (
    "",  # the page
    "config",
    "theme.css",
    "favicon.ico",
    "robots.txt",
    "manifest.json",
    "pwa_icon(/[0-9]+)?",
    "(assets|static|svelte)/.+",
    "gradio_api/(info|theme.css|startup-events|app_id|login_check|token|user)",
    "gradio_api/file=.+",
    "gradio_api/file/.+",
    "gradio_api/upload_progress",
    "gradio_api/queue/(data|status)",
    f"gradio_api/call/(v2/)?{_NAME}/{_NAME}",
)
_GRADIO_WRITE = (
    "gradio_api/(upload|cancel|reset)",
    "gradio_api/queue/join",
    f"gradio_api/(run|api)/{_NAME}",
    f"gradio_api/call/(v2/)?{_NAME}",
)
_OWN_READ = (
    "studio/(state|history|account|operators|kept|styles)",
    "studio/gallery\\.zip",
    f"clips/{_NAME}\\.(mp4|png)",
    f"originals/{_NAME}/{_NAME}\\.mp4",
    "studio/operators/logs",
    f"studio/jobs/{_NAME}/(lineage|feed)",
    f"studio/jobs/{_NAME}/inputs/{_NAME}\\.jpg",
    f"previews/{_NAME}\\.webp",
    "healthz",
    "metrics",
    "logout",
    "login/(huggingface|callback)",
)
_OWN_WRITE = (
    f"studio/jobs/{_NAME}/{_NAME}",
    f"studio/jobs/{_NAME}/feed/(publish|plain|take_down)",
    f"studio/forms/{_NAME}/{_NAME}",
    f"studio/operators/{_NAME}",
    "studio/gallery/(star|unstar|delete|undo)",
    "studio/(dropped|kept)",
    "studio/gallery\\.zip",
    "login",
)
_AGENTS = re.compile(r"/mcp/?")
# of programs with a token: an application of our own, which says itself what it has not
_PROGRAMS = re.compile(r"/api/v1(/.*)?", re.DOTALL)
NOWHERE = "/api/v1/-"  # an address of programs at which there is nothing


def _one_of(parts: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile(f"/({'|'.join(parts)})/?")


_OPEN = (
    (_READ, _one_of((*_GRADIO_READ, *_OWN_READ))),
    (_WRITE, _one_of((*_GRADIO_WRITE, *_OWN_WRITE))),
    (frozenset({"GET", "POST", "DELETE"}), _AGENTS),
)
# a link in a chat, a sign-in that comes back: they only show something to who follows them
_LINKED = re.compile(
    r"/(login/callback|clips/[A-Za-z0-9_-]+\.(mp4|png)|originals(/[A-Za-z0-9_-]+){2}\.mp4)?"
)


_ENDPOINT = re.compile(rf"/gradio_api/(?:run|api|call/v2|call)/(?P<name>{_NAME})(?:/{_NAME})?/?")


def endpoint_in(path: str) -> str:
    """Return the name of the endpoint of Gradio's that ``path`` calls; empty where it is none."""
    found = _ENDPOINT.fullmatch(path)
    return "" if found is None else found["name"]


def of_programs(path: str) -> bool:
    """Return whether an address belongs to the interface of programs."""
    return _PROGRAMS.fullmatch(path) is not None


def exists(method: str, path: str) -> bool:
    """Return whether there is something at ``path``, which is decoded."""
    if path.startswith("/api/v1/"):
        return True
    return any(method in methods and found.fullmatch(path) for methods, found in _OPEN)


def linked(path: str) -> bool:
    """Return whether a link from another site may lead to ``path``."""
    return _LINKED.fullmatch(path) is not None
