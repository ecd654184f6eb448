"""Agents: the tools through the real client of the protocol, over streamable HTTP."""

from base64 import b64encode
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from mcp import ClientSession, types
from mcp.client.streamable_http import streamable_http_client

from core.demo.samples import write_png, write_video, write_wav
from core.domain.modes import MODES
from core.domain.people import Requester
from core.errors import TooManyQueued
from core.i18n.messages import sentences
from core.settings import Settings
from core.testing.doubles import QuickExecutor, eventually
from webui.api.mcp_tools import KEY as IDEMPOTENCY
from webui.auth.guard import JOB_ENDPOINTS
from webui.testing.server import ServedStudio, served

KEY = {"x-clapper-key": "the secret of the first agent"}
OTHER = {"authorization": "Bearer the-secret-of-the-other-agent"}
SMALL = {"prompt": "a boat", "preset": "fast", "width": 256, "height": 256, "seconds": 1.0}


@pytest.fixture
def studio_settings(settings_with: Callable[..., Settings]) -> Settings:
    return settings_with(studio_port=0, max_queued=2, studio_mcp=True)


async def tools_of(studio: ServedStudio) -> list[types.Tool]:
    async with (
        streamable_http_client(f"{studio.url}/mcp") as (read, write, _),
        ClientSession(read, write) as session,
    ):
        await session.initialize()
        return (await session.list_tools()).tools


async def use(
    studio: ServedStudio, tool: str, headers: dict[str, str] | None = None, **arguments: Any
) -> types.CallToolResult:
    """Connect anew, as agents do, and use one tool."""
    async with (
        httpx.AsyncClient(headers=headers, timeout=30) as http,
        streamable_http_client(f"{studio.url}/mcp", http_client=http) as (read, write, _),
        ClientSession(read, write) as session,
    ):
        await session.initialize()
        return await session.call_tool(tool, arguments)


def answer(result: types.CallToolResult) -> dict[str, Any]:
    assert not result.isError, result.content
    assert result.structuredContent is not None
    return result.structuredContent


def sentence(result: types.CallToolResult) -> str:
    assert result.isError
    assert isinstance(result.content[0], types.TextContent)
    return result.content[0].text


async def finished(studio: ServedStudio, job: str, headers: dict[str, str] = KEY) -> dict[str, Any]:
    async def over() -> bool:
        return not answer(await use(studio, "status", headers, job=job))["live"]

    await eventually(over, 30)
    return answer(await use(studio, "status", headers, job=job))


async def test_the_tools_are_the_public_endpoints_with_typed_and_described_arguments(
    studio: ServedStudio,
) -> None:
    async with httpx.AsyncClient(timeout=60, base_url=studio.url) as http:
        info = (await http.get("/gradio_api/info")).json()
    tools = {tool.name: tool for tool in await tools_of(studio)}
    described = {
        (name, key): (value.get("type"), value.get("description"))
        for name, tool in tools.items()
        for key, value in tool.inputSchema["properties"].items()
    }

    assert {f"/{name}" for name in tools} == set(info["named_endpoints"])
    for name, tool in tools.items():
        parameters = info["named_endpoints"][f"/{name}"]["parameters"]
        own = {IDEMPOTENCY} & set(tool.inputSchema["properties"])  # agents repeat calls
        assert {item["parameter_name"] for item in parameters} | own == set(
            tool.inputSchema["properties"]
        )
        assert tool.description
        assert tool.annotations is not None
    assert all(kind and text for kind, text in described.values())
    for mode, spec in MODES.items():
        required = set(tools[mode].inputSchema["required"])
        assert required == {slot.role for slot in spec.slots} | (
            {"prompt"} if spec.prompt_required else set()
        )


async def test_submit_status_result_and_the_film_with_the_same_key(studio: ServedStudio) -> None:
    accepted = answer(await use(studio, "t2v", KEY, **SMALL))
    status = await finished(studio, accepted["job"])
    result = answer(await use(studio, "result", KEY, job=accepted["job"]))
    async with httpx.AsyncClient(timeout=60) as http:
        film = await http.get(result["video"], headers=KEY)
        foreign = await http.get(result["video"], headers=OTHER)

    assert accepted["estimate_seconds"] > 0
    assert (status["state"], status["mode"]) == ("succeeded", "t2v")
    assert len(film.content) == result["bytes"]
    assert foreign.status_code == 404


async def test_a_call_that_is_repeated_under_its_own_name_is_one_job_whatever_refuses_now(
    studio: ServedStudio, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    picture = write_png(tmp_path / "a.png").read_bytes()
    image = f"data:image/png;base64,{b64encode(picture).decode()}"
    named = {**SMALL, IDEMPOTENCY: "kite", "image": image}
    first = answer(await use(studio, "i2v", KEY, **named))
    await finished(studio, first["job"])
    again = {"job": first["job"], "action": "again", IDEMPOTENCY: "another take"}
    taken = answer(await use(studio, "follow_up", KEY, **again))
    await studio.core.intake.set_intake("paused")
    monkeypatch.setattr(studio.core.admission, "has_room", lambda *_: False)

    assert answer(await use(studio, "i2v", KEY, **named))["job"] == first["job"]
    assert answer(await use(studio, "follow_up", KEY, **again))["job"] == taken["job"]
    other = sentence(await use(studio, "i2v", KEY, **{**named, "prompt": "a cat"}))
    foreign = await use(studio, "i2v", OTHER, **named)

    assert first["job"] in other
    assert foreign.isError
    await studio.core.intake.set_intake("open")


async def test_files_come_as_bytes_or_as_uploads_of_the_same_key(
    studio: ServedStudio, tmp_path: Any
) -> None:
    image = write_png(tmp_path / "a.png").read_bytes()
    sound = write_wav(tmp_path / "a.wav").read_bytes()
    film = write_video(tmp_path / "a.mp4", frames=30).read_bytes()
    async with httpx.AsyncClient(timeout=60, base_url=studio.url, headers=KEY) as http:
        path = (await http.post("/gradio_api/upload", files={"files": film})).json()[0]

    spoken = await use(
        studio,
        "lipsync",
        KEY,
        image=f"data:image/png;base64,{b64encode(image).decode()}",
        audio=f"data:audio/wav;base64,{b64encode(sound).decode()}",
        **SMALL,
    )
    await finished(studio, answer(spoken)["job"])
    picture = f"data:image/png;base64,{b64encode(image).decode()}"
    styled = await use(studio, "style", KEY, video=path, image=picture, **SMALL)
    stolen = await use(studio, "style", OTHER, video=path, image=picture, **SMALL)
    broken = await use(studio, "i2v", KEY, image="data:image/png;base64,%%%", **SMALL)
    elsewhere = await use(studio, "i2v", KEY, image="/etc/passwd", **SMALL)
    linked = await use(studio, "i2v", KEY, image="http://127.0.0.1:1/a.png", **SMALL)

    assert (await finished(studio, answer(styled)["job"]))["state"] == "succeeded"
    for refused in (stolen, elsewhere, linked):
        assert "not here any more" in sentence(refused)
    assert "could not be read" in sentence(broken)


async def test_an_agents_jobs_are_its_own(studio: ServedStudio, executor: QuickExecutor) -> None:
    executor.gate.clear()
    job = answer(await use(studio, "t2v", KEY, **SMALL))["job"]
    owner = (await studio.core.jobs.get(job)).requester

    for tool in JOB_ENDPOINTS:
        more = {"action": "again"} if tool == "follow_up" else {}
        assert "no job" in sentence(await use(studio, tool, OTHER, job=job, **more))
    stopped = answer(await use(studio, "cancel", KEY, job=job))

    assert owner != Requester.from_key("studio:guest")
    assert owner.user_id.startswith("guest-")
    assert stopped["state"] == "cancelled"


async def test_without_a_secret_nothing_is_made(studio: ServedStudio) -> None:
    for headers in (
        None,
        {"authorization": "Basic eHh4eHh4eHh4eHg6eA=="},
    ):
        result = await use(studio, "t2v", headers, **SMALL)
        assert sentence(result) == sentences("en")["key_missing"]
    for short in ({"x-clapper-key": "short"}, {"authorization": "Bearer short"}):
        result = await use(studio, "t2v", short, **SMALL)
        assert (result.structuredContent or {})["error"] == "key_too_short"
        assert "5 characters" in sentence(result)
    assert (await studio.core.health.read()).waiting == 0


async def test_agents_from_elsewhere_have_the_quota_of_guests(
    settings_with: Callable[..., Settings], executor: QuickExecutor
) -> None:
    settings = settings_with(studio_port=0, studio_mcp=True, studio_guest_minutes=0.001)
    async with served(settings, executor) as studio:
        answer(await use(studio, "t2v", KEY, **SMALL))
        far = {**OTHER, "x-forwarded-for": "203.0.113.9"}
        assert "GPU time" in sentence(await use(studio, "t2v", far, **SMALL))


async def test_bad_arguments_and_refusals_have_a_sentence_and_a_code(
    studio: ServedStudio, executor: QuickExecutor
) -> None:
    executor.gate.clear()
    long = await use(studio, "t2v", KEY, prompt="a boat", seconds=99.0)
    unknown = await use(studio, "t2v", KEY, prompt="a boat", colour="red")
    missing = await use(studio, "i2v", KEY, prompt="a boat")
    nothing = await use(studio, "paint", KEY, prompt="a boat")
    for _ in range(3):
        answer(await use(studio, "t2v", KEY, **SMALL))
        await executor.started.wait()
    crowded = await use(studio, "t2v", KEY, **SMALL)

    assert "99" in sentence(long)
    assert "colour" in sentence(unknown)
    assert "image" in sentence(missing)
    assert "paint" in sentence(nothing)
    assert (crowded.structuredContent or {})["error"] == TooManyQueued.code


async def test_a_body_above_the_limit_is_refused(
    settings_with: Callable[..., Settings], executor: QuickExecutor
) -> None:
    settings = settings_with(studio_port=0, studio_mcp=True, media_megabytes=0.01)
    async with served(settings, executor) as studio, httpx.AsyncClient(timeout=60) as http:
        sent = await http.post(f"{studio.url}/mcp", content=b"x" * 50_000, headers=KEY)

    assert sent.status_code == 413


async def test_it_is_off_unless_asked_for(
    settings_with: Callable[..., Settings],
    executor: QuickExecutor,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("GRADIO_MCP_SERVER", "true")  # Gradio's own switch
    async with (
        served(settings_with(studio_port=0), executor) as studio,
        httpx.AsyncClient(timeout=60, base_url=studio.url) as http,
    ):
        for address in ("/mcp", "/gradio_api/mcp/", "/gradio_api/mcp/schema"):
            assert (await http.get(address)).status_code == 404
            assert (await http.post(address, json={})).status_code in {404, 405}


async def test_a_closed_studio_lets_no_agent_in(
    settings_with: Callable[..., Settings], executor: QuickExecutor, tmp_path: Any
) -> None:
    from webui.auth.user_file import User, add

    add(tmp_path / "users", User.of("ada", "correct horse"))
    settings = settings_with(studio_port=0, studio_mcp=True, studio_users=tmp_path / "users")
    async with served(settings, executor) as studio, httpx.AsyncClient(timeout=60) as http:
        sent = await http.post(f"{studio.url}/mcp", json={}, headers=KEY)

    assert sent.status_code == 401
