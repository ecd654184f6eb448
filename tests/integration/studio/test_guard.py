"""The served Studio: foreign pages, unknown names, malformed addresses, lost identities."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from core.i18n.messages import sentences
from core.settings import Settings
from core.testing.doubles import QuickExecutor
from webui.testing.server import ServedStudio, served

EVIL = {"origin": "https://evil.example"}
T2V = ["a boat", "fast", None, 1.0, None, "none", 256, 256, None, "", None]
STANDING = pytest.mark.asyncio(loop_scope="module")
KEY = {"x-clapper-key": "a-secret-of-the-first-program"}


async def call(client: httpx.AsyncClient, **headers: Any) -> str:
    """Ask for a clip as a program does; return what the event says."""
    posted = await client.post("/gradio_api/call/t2v", json={"data": T2V}, **headers)
    event = posted.json()["event_id"]
    return (await client.get(f"/gradio_api/call/t2v/{event}", **headers)).text


async def jobs(studio: ServedStudio) -> int:
    """How many jobs there are of anybody."""
    async with studio.core.database.transaction() as session:
        from sqlalchemy import text

        return int((await session.execute(text("select count(*) from job"))).scalar_one())


@STANDING
async def test_gradios_cors_does_not_get_through(
    passer_by: httpx.AsyncClient, open_studio: ServedStudio
) -> None:
    port = open_studio.url.rpartition(":")[2]
    await passer_by.get("/")
    for host in (f"127.0.0.1:{port}", f"192.168.1.5:{port}"):
        for method, path in (("GET", "/studio/history"), ("POST", "/gradio_api/call/t2v")):
            asked = {"access-control-request-method": "POST"}
            for verb, more in ((method, {}), ("OPTIONS", asked)):
                headers = {"host": host, **EVIL, **more}
                answer = await passer_by.request(verb, path, headers=headers)
                assert answer.status_code in (403, 404)
                assert not [one for one in answer.headers if one.startswith("access-control")]


@STANDING
async def test_a_name_that_was_led_here_is_not_answered(
    passer_by: httpx.AsyncClient, open_studio: ServedStudio
) -> None:
    answer = await passer_by.get("/studio/state", headers={"host": "evil.example"})

    assert answer.status_code == 421
    assert "evil.example" in answer.json()["detail"]


async def test_a_proxy_that_adds_no_header_makes_nobody_local(
    settings_with: Callable[..., Settings], executor: QuickExecutor
) -> None:
    settings = settings_with(studio_port=0, studio_hosts="studio.example", quota_minutes=1000)
    async with served(settings, executor) as studio, httpx.AsyncClient(timeout=60) as http:
        http.base_url = studio.url
        lines: list[str] = []
        for headers in ({}, {"host": "studio.example"}, {"referer": "https://studio.example/"}):
            state = await http.get("/studio/state", headers=headers)
            lines.append(state.json()["quota"]["text"])

    assert "1000 min" in lines[0]
    assert "5 min" in lines[1]
    assert "1000" not in lines[1]
    assert "5 min" in lines[2]
    assert "1000" not in lines[2]


@STANDING
@pytest.mark.parametrize(
    "path",
    [
        "/gradio_api/dev/reload",
        "/gradio_api/openapi.json",
        "/monitoring",
        "/gradio_api/file=%00",
        "/gradio_api/file/%00",
        "/gradio_api/file=" + "a" * 5000,
        "/gradio_api/file=" + "..%2f" * 900,
        "/gradio_api/file=%ff%fe",
        "/static/%00",
        "/assets/%00",
        "/assets/" + "a" * 5000,
        "/static/" + "a" * 5000,
        "/svelte/" + "a" * 5000,
        "/pwa_icon/99999999999999999999",
        "/clips/%00.mp4",
        "/clips/" + "a" * 5000 + ".mp4",
        "/studio/history?before=99999999999999999999",
        "/studio/history?before=" + "9" * 5000,
        "/studio/history?before=-1",
        "/studio/history?before=1e3",
        "/studio/history?before=%D9%A3",
        "/studio/history?before=%00",
        "/studio/jobs/%00/again",
    ],
)
async def test_a_malformed_address_is_the_askers_mistake(
    passer_by: httpx.AsyncClient, path: str
) -> None:
    answer = await passer_by.get(path)

    assert answer.status_code in (400, 403, 404), answer.text[:500]
    assert "Traceback" not in answer.text
    if "before" in path:
        assert answer.status_code == 400
        assert answer.json()["error"]["code"] == "bad_address"


@STANDING
async def test_an_address_that_names_no_job_shows_none(passer_by: httpx.AsyncClient) -> None:
    for job in ("%00", "%ff", "a" * 5000, "9" * 5000):
        assert (await passer_by.get(f"/studio/state?job={job}")).status_code == 200
    listed = await passer_by.get("/studio/history?before=999999999999999")
    assert listed.status_code == 200


@STANDING
async def test_an_upload_by_an_impossible_name_is_gone_and_no_crash(
    open_studio: ServedStudio,
) -> None:
    async with httpx.AsyncClient(timeout=60, base_url=open_studio.url, headers=KEY) as http:
        for path in ("\0", "a" * 5000):
            data = [{"path": path, "meta": {"_type": "gradio.FileData"}}, *T2V]
            posted = await http.post("/gradio_api/call/i2v", json={"data": data})
            event = posted.json()["event_id"]
            answer = await http.get(f"/gradio_api/call/i2v/{event}")
            assert "event: error" in answer.text
            assert open_studio.core is not None


async def test_a_clip_that_could_not_be_shown_is_not_made(
    studio: ServedStudio, executor: QuickExecutor
) -> None:
    async with httpx.AsyncClient(timeout=60, base_url=studio.url) as http:
        event = (await http.post("/gradio_api/call/t2v", json={"data": T2V})).json()["event_id"]
        answer = (await http.get(f"/gradio_api/call/t2v/{event}")).text

    assert "identity_not_kept" in answer
    assert "X-Clapper-Key" in answer
    assert await jobs(studio) == 0


async def test_a_browser_and_a_program_with_a_key_go_on(studio: ServedStudio) -> None:
    async with httpx.AsyncClient(timeout=60, base_url=studio.url) as http:
        await http.get("/")  # the page brings the cookie
        assert "job" in await call(http)
    async with httpx.AsyncClient(timeout=60, base_url=studio.url) as http:
        assert "job" in await call(http, headers=KEY)
    assert await jobs(studio) == 2


@STANDING
@pytest.mark.parametrize(
    "key",
    [
        {"x-clapper-key": "short"},
        {"x-clapper-key": "fifteen-letters"},
        {"authorization": "Bearer short"},
        {"x-clapper-key": "short", "authorization": "Bearer a-secret-of-the-first-program"},
    ],
)
async def test_a_key_that_is_too_short_is_refused_with_the_reason_everywhere(
    open_studio: ServedStudio, key: dict[str, str]
) -> None:
    async with httpx.AsyncClient(timeout=60, base_url=open_studio.url, headers=key) as http:
        http.headers["x-clapper"] = "1"
        state = await http.get("/studio/state")
        act = await http.post("/studio/jobs/abc/again")
        upload = await http.post("/gradio_api/upload", files={"files": b"x"})
        event = await call(http)

    for answer in (state, act):
        assert answer.status_code == 400
        assert answer.json()["error"]["code"] == "key_too_short"
        assert "16" in answer.json()["error"]["text"]
    assert upload.status_code == 400
    assert "16" in upload.text
    assert "key_too_short" in event
    assert "16" in event
    assert await jobs(open_studio) == 0
    assert "{needed}" in sentences("en")["key_too_short"]


@STANDING
async def test_the_page_is_told_whether_its_cookie_came_back(open_studio: ServedStudio) -> None:
    async with httpx.AsyncClient(timeout=60, base_url=open_studio.url) as http:
        first, second = await http.get("/studio/state"), await http.get("/studio/state")

    assert first.json()["kept"] is False
    assert second.json()["kept"] is True


@STANDING
async def test_cookies_in_the_frame_of_a_space_are_partitioned(
    open_studio: ServedStudio, settings_with: Callable[..., Settings], executor: QuickExecutor
) -> None:
    host = "ada-clapper.hf.space"
    settings = settings_with(studio_port=0, space_id="ada/clapper", space_host=host)
    async with served(settings, executor) as studio, httpx.AsyncClient(timeout=60) as http:
        answer = await http.get(f"{studio.url}/", headers={"host": host})
    async with httpx.AsyncClient(timeout=60) as http:
        plain = await http.get(f"{open_studio.url}/")

    attributes = answer.headers["set-cookie"].lower()
    assert "samesite=none" in attributes
    assert "secure" in attributes
    assert attributes.endswith("; partitioned")
    assert "partitioned" not in plain.headers["set-cookie"].lower()
