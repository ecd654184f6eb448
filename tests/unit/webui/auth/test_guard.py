"""The rule in front of the Studio, request by request, without a server."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse

from core.settings import Settings
from webui.auth.guard import Guard
from webui.auth.origin import is_local

SPACE = {"space_id": "ada/clapper", "space_host": "ada-clapper.hf.space"}
EVIL = "https://evil.example"
READS = ("/studio/history", "/studio/state", "/clips/abc.mp4", "/config", "/gradio_api/queue/data")
WRITES = (
    "/studio/jobs/abc/delete",
    "/studio/jobs/abc/again",
    "/gradio_api/call/t2v",
    "/gradio_api/queue/join",
    "/gradio_api/upload",
    "/gradio_api/cancel",
    "/login",
    "/mcp",
)
NAVIGATE = {"sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}

Ask = Callable[..., Any]


async def echoing(scope: Any, receive: Any, send: Any) -> None:
    """Gradio's own CORS: whoever asks is allowed."""
    origin = HTTPConnection(scope).headers.get("origin", "*")
    headers = {
        "Access-Control-Allow-Origin": origin,
        "Access-Control-Allow-Credentials": "true",
        "Access-Control-Allow-Headers": "x-clapper",
    }
    await PlainTextResponse("secret", headers=headers)(scope, receive, send)


@pytest.fixture
def ask(settings_with: Callable[..., Settings]) -> Ask:
    async def asking(
        method: str, path: str, headers: dict[str, str] | None = None, **values: Any
    ) -> httpx.Response:
        base = "https://ada-clapper.hf.space" if "space_id" in values else "http://localhost:7860"
        transport = httpx.ASGITransport(Guard(echoing, settings_with(**values)))
        async with httpx.AsyncClient(transport=transport, base_url=base) as client:
            return await client.request(method, path, headers=headers)

    return asking


def allowed(answer: httpx.Response) -> list[str]:
    return [name for name in answer.headers if name.startswith("access-control")]


@pytest.mark.parametrize("path", [*READS, *WRITES])
@pytest.mark.parametrize("place", [{}, SPACE], ids=["here", "space"])
async def test_a_page_of_another_site_gets_nothing(ask: Ask, path: str, place: Any) -> None:
    method = "POST" if path in WRITES else "GET"
    for said in (
        {"origin": EVIL},
        {"origin": "null"},
        {"origin": "https://sibling.hf.space"},
        {"origin": "http://localhost:7861"},
        {"origin": "https://ada-clapper.hf.space:8443"},
        {"origin": "https://ada-clapper.hf.space.evil.example"},
        {"origin": "https://user@evil.example", "referer": "http://localhost:7860/"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": "cross-site", "origin": "http://localhost:7860"},
        {"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors", "sec-fetch-dest": "image"},
        {"referer": "https://evil.example/page"} if path not in ("/clips/abc.mp4",) else {},
    ):
        if not said:
            continue
        answer = await ask(method, path, said, **place)

        assert answer.status_code == 403, said
        assert "secret" not in answer.text
        assert allowed(answer) == []
        assert answer.json()["error"] == "foreign_page"
        asked_first = {**said, "access-control-request-method": method}
        assert (await ask("OPTIONS", path, asked_first, **place)).status_code in (403, 404)


@pytest.mark.parametrize("path", [*READS, *WRITES])
async def test_programs_and_the_page_itself_go_on(ask: Ask, path: str) -> None:
    method = "POST" if path in WRITES else "GET"
    for said in (
        {},
        {"origin": "http://localhost:7860"},
        {"origin": "http://localhost:7860", "sec-fetch-site": "same-origin"},
        {"sec-fetch-site": "none", **NAVIGATE},
        {"referer": "http://localhost:7860/?mode=t2v"},
        {"host": "127.0.0.1:9000", "origin": "http://127.0.0.1:9000"},
        {"host": "[::1]:7860", "origin": "http://[::1]:7860"},
        {"host": "192.168.1.5:7860", "origin": "http://192.168.1.5:7860"},
        {"host": "192.168.1.5", "origin": "https://192.168.1.5"},  # a proxy that ends TLS
    ):
        answer = await ask(method, path, said)

        assert answer.status_code == 200, said
        assert allowed(answer) == []
    here = {"origin": "https://ada-clapper.hf.space", "sec-fetch-site": "same-origin"}
    assert (await ask(method, path, here, **SPACE)).status_code == 200


async def test_the_public_name_counts_where_a_proxy_rewrites_the_host(ask: Ask) -> None:
    origin = {"host": "127.0.0.1:7860", "origin": "https://studio.example"}

    for values in ({"studio_url": "https://studio.example/"}, {"studio_hosts": "studio.example"}):
        assert (await ask("POST", "/login", origin, **values)).status_code == 200
        for other in ("https://studio.example:8443", "https://x.studio.example", EVIL):
            changed = {**origin, "origin": other}
            assert (await ask("POST", "/login", changed, **values)).status_code == 403
    plain = {"host": "studio.example", "origin": "http://studio.example"}
    only_https = {"studio_url": "https://studio.example"}
    secure = await ask("POST", "https://studio.example/login", plain, **only_https)
    assert secure.status_code == 403


@pytest.mark.parametrize(
    ("host", "known"),
    [
        ("evil.example", False),
        ("evil.example:7860", False),
        ("127.0.0.1.evil.example", False),
        ("localhost.evil.example", False),
        ("evil.example@127.0.0.1", False),
        ("studio.example", True),
        ("STUDIO.example.:443", True),
        ("a.studio.example", False),
        ("localhost:1234", True),
        ("studio.localhost", True),
        ("127.9.9.9", True),
        ("10.1.2.3:7860", True),
        ("[fe80::1]:7860", True),
        ("", True),
        ("[", False),
        ("a:b:c", False),
    ],
)
async def test_only_names_of_its_own_and_addresses_in_digits_are_answered(
    ask: Ask, host: str, known: bool
) -> None:
    answer = await ask("GET", "/", {"host": host}, studio_hosts="other.example, studio.example:443")

    assert answer.status_code == (200 if known else 421)
    if not known:
        assert "CLAPPER_STUDIO_HOSTS" in answer.json()["detail"]


async def test_a_machine_in_the_network_is_reached_by_its_own_name(
    ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("socket.gethostname", lambda: "attic")

    for name in ("attic:7860", "attic.local:7860"):
        said = {"host": name, "origin": f"http://{name}"}
        assert (await ask("POST", "/login", said, studio_host="0.0.0.0")).status_code == 200
        assert (await ask("POST", "/login", said)).status_code == 421


@pytest.mark.parametrize(
    ("path", "said", "open_here", "open_on_a_space"),
    [
        ("/?job=abc", NAVIGATE, True, True),
        ("/login/callback?code=x", NAVIGATE, True, True),
        ("/clips/abc.mp4", NAVIGATE, True, True),
        ("/", {**NAVIGATE, "sec-fetch-dest": "iframe"}, False, True),
        ("/", {**NAVIGATE, "sec-fetch-dest": "embed"}, False, False),
        ("/", {"sec-fetch-mode": "cors", "sec-fetch-dest": "empty"}, False, False),
        ("/", {**NAVIGATE, "origin": EVIL}, False, False),
        ("/clips/abc.mp4", {**NAVIGATE, "sec-fetch-dest": "iframe"}, False, False),
        ("/clips/abc.mp4", {"sec-fetch-mode": "no-cors", "sec-fetch-dest": "video"}, False, False),
        ("/logout", NAVIGATE, False, False),
        ("/studio/history", NAVIGATE, False, False),
        ("/gradio_api/queue/data", NAVIGATE, False, False),
    ],
)
async def test_a_link_from_elsewhere_opens_the_page_and_does_nothing(
    ask: Ask, path: str, said: dict[str, str], open_here: bool, open_on_a_space: bool
) -> None:
    headers = {"sec-fetch-site": "cross-site", **said}

    assert ((await ask("GET", path, headers)).status_code == 200) is open_here
    assert ((await ask("GET", path, headers, **SPACE)).status_code == 200) is open_on_a_space


async def test_every_answer_says_who_may_frame_and_embed_it(ask: Ask) -> None:
    for path in ("/", "/config", "/gradio_api/dev/reload"):
        here, space = await ask("GET", path), await ask("GET", path, **SPACE)

        assert here.headers["content-security-policy"] == "frame-ancestors 'self'"
        assert here.headers["x-frame-options"] == "SAMEORIGIN"
        assert "https://huggingface.co" in space.headers["content-security-policy"]
        assert "x-frame-options" not in space.headers
        for answer in (here, space):
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert answer.headers["referrer-policy"] == "same-origin"
            assert answer.headers["cross-origin-resource-policy"] == "same-origin"


@pytest.mark.parametrize(
    "path",
    [
        "/gradio_api/dev/reload",
        "/gradio_api/dev/reload/",
        "/gradio_api//dev/reload",
        "/monitoring",
        "/monitoring/summary",
        "/gradio_api/openapi.json",
        "/openapi.json",
        "/docs",
        "/redoc",
        "/gradio_api/runs",
        "/gradio_api/run-history/buckets",
        "/gradio_api/deep_link",
        "/gradio_api/deep_link/",
        "/gradio_api/proxy=https://evil.example/",
        "/gradio_api/stream/a/b/c/playlist.m3u8",
        "/gradio_api/custom_component/a/client/component/index.js",
        "/gradio_api/vibe-code/",
        "/gradio_api/profiling/traces",
        "/gradio_api/file=%00",
        "/gradio_api/file=a%0ab",
        "/gradio_api/file=%2500",
        "/clips/%00.mp4",
        "/studio/jobs/x/y",
    ],
)
async def test_what_is_not_used_is_not_there(ask: Ask, path: str) -> None:
    assert (await ask("GET", path)).status_code == 404


async def test_the_writing_addresses_of_gradio_that_are_not_used_are_not_there(ask: Ask) -> None:
    for name in ("component_server", "process_recording", "vibe-edit", "stream/a", "runs"):
        assert (await ask("POST", f"/gradio_api/{name}")).status_code == 404
    assert (await ask("POST", "/")).status_code == 404
    assert (await ask("DELETE", "/studio/history")).status_code == 404


async def test_no_socket_is_opened(settings: Settings) -> None:
    said: list[Any] = []

    async def send(message: Any) -> None:
        said.append(message)

    async def receive() -> Any:
        raise AssertionError

    scope = {"type": "websocket", "path": "/", "headers": []}
    await Guard(echoing, settings)(scope, receive, send)

    assert said == [{"type": "websocket.close", "code": 1008}]


@pytest.mark.parametrize(
    ("peer", "headers", "local"),
    [
        ("127.0.0.1", {"host": "127.0.0.1:7860"}, True),
        ("127.0.0.1", {"host": "localhost", "origin": "http://localhost"}, True),
        ("::1", {"host": "[::1]:7860"}, True),
        ("127.0.0.1", {"host": "studio.example"}, False),
        ("127.0.0.1", {"host": "192.168.1.5:7860"}, False),
        ("127.0.0.1", {"host": "localhost.evil.example"}, False),
        ("127.0.0.1", {}, False),
        ("127.0.0.1", {"host": "localhost", "origin": "https://studio.example"}, False),
        ("127.0.0.1", {"host": "localhost", "referer": "https://studio.example/"}, False),
        ("192.168.1.5", {"host": "localhost"}, False),
        ("127.0.0.1", {"host": "localhost", "x-forwarded-proto": "https"}, False),
        ("127.0.0.1", {"host": "localhost", "x-forwarded-for": "127.0.0.1"}, False),
        ("127.0.0.1", {"host": "localhost", "forwarded": "for=127.0.0.1"}, False),
        ("127.0.0.1", {"host": "localhost", "via": "1.1 proxy"}, False),
        ("127.0.0.1", {"host": "localhost", "cf-connecting-ip": "203.0.113.9"}, False),
    ],
)
def test_who_is_local_came_to_a_loopback_name_without_a_proxy(
    peer: str, headers: dict[str, str], local: bool
) -> None:
    raw = [(name.encode(), value.encode()) for name, value in headers.items()]

    assert is_local(HTTPConnection({"type": "http", "headers": raw, "client": (peer, 1)})) is local
