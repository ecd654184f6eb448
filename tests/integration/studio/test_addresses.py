"""Our own addresses: state, clips for their owners, health, metrics, login, ports."""

import asyncio
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from core.domain.modes import Mode
from core.domain.people import Requester
from core.domain.prompt_preview import PromptPreview
from core.domain.requests import Request
from core.errors import OutOfMemory
from core.errors.setup import BadConfiguration
from core.i18n.messages import say
from core.settings import Settings
from core.testing.doubles import QuickExecutor, eventually, grey_preview, t2v
from core.testing.jobs import submit_request
from tests.support.jobs import clip_in
from webui.auth.user_file import User, UserFile, add
from webui.auth.visitors import COOKIE, VisitorAuthenticator
from webui.studio.delivery import reply_to_page
from webui.testing.server import ServedStudio, served


async def requester_of(client: httpx.AsyncClient, studio: ServedStudio) -> Requester:
    """Who the Studio takes this client for."""
    from starlette.requests import Request

    await client.get("/studio/state")
    headers = [(b"cookie", f"{COOKIE}={client.cookies[COOKIE]}".encode())]
    scope: dict[str, Any] = {"type": "http", "headers": headers, "client": ("127.0.0.1", 1)}
    visitor = VisitorAuthenticator(studio.core.settings, None).visitor(Request(scope))
    assert visitor is not None
    return visitor.requester


async def ordered(
    client: httpx.AsyncClient, studio: ServedStudio, request: Request | None = None
) -> str:
    """A job of this client."""
    requester = await requester_of(client, studio)
    key = f"test:{requester.user_id}:{id(request)}:{asyncio.get_running_loop().time()}"
    ticket = await submit_request(studio.core, request or t2v(), requester, reply_to_page(), key)
    return ticket.job_id


async def made(client: httpx.AsyncClient, studio: ServedStudio) -> str:
    """A finished job of this client."""
    job = await ordered(client, studio)

    async def over() -> bool:
        return (await studio.core.jobs.get(job)).state.terminal

    await eventually(over)
    return job


async def test_the_owner_gets_the_clip_whole_and_in_ranges(
    studio: ServedStudio, browser: httpx.AsyncClient
) -> None:
    job = await made(browser, studio)
    size = (await clip_in(studio.core, job)).size_bytes

    whole = await browser.get(f"/clips/{job}.mp4")
    part = await browser.get(f"/clips/{job}.mp4", headers={"Range": "bytes=100-199"})
    saved = await browser.get(f"/clips/{job}.mp4?download=1")
    poster = await browser.get(f"/clips/{job}.png")

    assert len(whole.content) == size
    assert whole.headers["content-type"] == "video/mp4"
    assert part.status_code == 206
    assert part.content == whole.content[100:200]
    assert saved.headers["content-disposition"].startswith("attachment")
    assert poster.headers["content-type"] == "image/png"


async def test_a_preview_is_its_owners_alone_and_gone_with_the_run(
    studio: ServedStudio,
    browser: httpx.AsyncClient,
    stranger: httpx.AsyncClient,
    executor: QuickExecutor,
) -> None:
    executor.gate.clear()
    executor.started.clear()
    job = await ordered(browser, studio)
    nothing_yet = await browser.get(f"/previews/{job}.webp")
    await asyncio.wait_for(executor.started.wait(), 30)
    seen: list[str] = []
    for grey in (10, 200):
        executor.show(grey_preview(grey))
        executor.show(PromptPreview("A boat leaves the harbour."))

        async def shown() -> bool:
            view = (await browser.get(f"/studio/state?job={job}")).json()["job"]
            return view["preview"] is not None and view["preview"]["src"] not in seen

        await eventually(shown)
        view = (await browser.get(f"/studio/state?job={job}")).json()["job"]["preview"]
        seen.append(view["src"])
        assert view["moments"] == 3
        assert await words_of(browser, job) == "A boat leaves the harbour."
        assert "harbour" not in (await stranger.get(f"/studio/state?job={job}")).text
        got = await browser.get("/" + view["src"])
        assert got.content == grey_preview(grey).picture
        assert got.headers["content-type"] == "image/webp"
        assert got.headers["cache-control"] == "private, no-store"
        refused = await stranger.get("/" + view["src"])
        unknown = await stranger.get(f"/previews/{'0' * 32}.webp")
        assert (refused.status_code, unknown.status_code) == (404, 404)
        assert refused.text.replace(job[:8], "") == unknown.text.replace("0" * 8, "")
    executor.gate.set()

    async def over() -> bool:
        return (await studio.core.jobs.get(job)).state.terminal

    await eventually(over)
    assert nothing_yet.status_code == 404
    assert (await browser.get("/" + seen[-1])).status_code == 404
    state = await browser.get(f"/studio/state?job={job}")
    assert state.json()["job"]["preview"] is None
    assert await words_of(browser, job) == ""  # this clip has none of its own


async def words_of(client: httpx.AsyncClient, job: str) -> str:
    return str((await client.get(f"/studio/state?job={job}")).json()["job"]["words"])


async def test_a_clip_that_a_browser_keeps_is_asked_for_again_and_gone_once_it_is_deleted(
    studio: ServedStudio, browser: httpx.AsyncClient
) -> None:
    job = await made(browser, studio)
    first = await browser.get(f"/clips/{job}.mp4")
    known = {"If-None-Match": first.headers["etag"]}

    same = await browser.get(f"/clips/{job}.mp4", headers=known)
    await browser.post(f"/studio/jobs/{job}/delete")
    gone = await browser.get(f"/clips/{job}.mp4", headers=known)

    assert first.headers["cache-control"] == "private, no-cache"
    assert (same.status_code, same.content) == (304, b"")
    assert gone.status_code == 404


async def test_one_press_that_is_sent_twice_makes_one_clip(
    studio: ServedStudio, browser: httpx.AsyncClient
) -> None:
    job = await made(browser, studio)

    answers = [
        await browser.post(f"/studio/jobs/{job}/again", json={"key": key * 32}) for key in "aab"
    ]
    refused = await browser.post(f"/studio/jobs/{job}/longer", json={"key": "a" * 32})

    made_jobs = [answer.json()["job"] for answer in answers]
    assert made_jobs[0] == made_jobs[1] != made_jobs[2]
    assert refused.status_code == 409  # the key is of another press


@pytest.mark.parametrize("body", [{"key": "a"}, {"key": 7}, {"key": "A" * 32}, [1]])
async def test_a_press_that_is_none_of_our_pages_is_refused(
    studio: ServedStudio, browser: httpx.AsyncClient, body: object
) -> None:
    job = await made(browser, studio)

    assert (await browser.post(f"/studio/jobs/{job}/again", json=body)).status_code == 400


async def test_nobody_else_can_open_see_or_change_a_job(
    studio: ServedStudio, browser: httpx.AsyncClient, stranger: httpx.AsyncClient
) -> None:
    job = await made(browser, studio)
    await requester_of(stranger, studio)

    for address in (f"/clips/{job}.mp4", f"/clips/{job}.png", "/clips/" + "0" * 32 + ".mp4"):
        assert (await stranger.get(address)).status_code == 404
    for action in ("delete", "again", "cancel", "longer", "quality", "undo"):
        for later in (False, True):
            answer = await stranger.post(f"/studio/jobs/{job}/{action}", json={"later": later})
            assert answer.status_code == 404
    assert (await stranger.get(f"/studio/state?job={job}")).json()["job"] is None
    assert (await stranger.get("/studio/history")).json()["items"] == []


async def test_the_answer_for_a_foreign_job_is_that_for_no_job(
    studio: ServedStudio, browser: httpx.AsyncClient, stranger: httpx.AsyncClient
) -> None:
    job = await made(browser, studio)

    foreign = (await stranger.get(f"/clips/{job}.mp4")).text.replace(job[:8], "")
    absent = (await stranger.get(f"/clips/{'0' * 32}.mp4")).text.replace("0" * 8, "")

    assert foreign == absent


async def test_actions_need_the_pages_own_header(
    studio: ServedStudio, browser: httpx.AsyncClient
) -> None:
    job = await made(browser, studio)
    del browser.headers["X-Clapper"]

    assert (await browser.post(f"/studio/jobs/{job}/delete")).status_code == 403
    assert (await browser.get(f"/clips/{job}.mp4")).status_code == 200


async def test_again_longer_quality_make_new_jobs_and_delete_removes(
    studio: ServedStudio, browser: httpx.AsyncClient, executor: QuickExecutor
) -> None:
    job = await made(browser, studio)
    executor.gate.clear()

    answers = {
        action: (await browser.post(f"/studio/jobs/{job}/{action}")).json()["job"]
        for action in ("again", "longer", "quality")
    }
    modes = {a: (await studio.core.jobs.get(j)).request.mode for a, j in answers.items()}
    for new in answers.values():
        await browser.post(f"/studio/jobs/{new}/cancel")
    gone = await browser.post(f"/studio/jobs/{job}/delete")

    assert modes == {"again": "t2v", "longer": "extend", "quality": "t2v"}
    assert len({job, *answers.values()}) == 4
    assert gone.json() == {"job": ""}
    assert (await browser.get(f"/clips/{job}.mp4")).status_code == 404


async def test_a_job_too_large_for_the_device_offers_a_smaller_one(
    studio: ServedStudio, browser: httpx.AsyncClient, executor: QuickExecutor
) -> None:
    from core.domain.presets import Preset
    from core.domain.requests import Sampling

    large = Request(
        mode=Mode.T2V, prompt="x", sampling=Sampling(Preset.FAST, 768, 512, 121, 24, seed=1)
    )
    executor.faults.append(OutOfMemory(768, 512, 121))
    job = await ordered(browser, studio, large)

    async def over() -> bool:
        return (await studio.core.jobs.get(job)).state.terminal

    await eventually(over)
    view = (await browser.get(f"/studio/state?job={job}")).json()["job"]
    answer = await browser.post(f"/studio/jobs/{job}/smaller")
    new = (await studio.core.jobs.get(answer.json()["job"])).request.sampling

    assert view["buttons"][0]["action"] == "smaller"
    assert view["error"]["code"] == "out_of_memory"
    assert new.size.pixels * new.frames < 768 * 512 * 121


async def test_history_is_paged_newest_first(
    studio: ServedStudio, browser: httpx.AsyncClient
) -> None:
    jobs = [await made(browser, studio) for _ in range(14)]

    first = (await browser.get("/studio/history")).json()
    second = (await browser.get(f"/studio/history?before={first['before']}")).json()

    shown = [item["id"] for item in first["items"] + second["items"]]
    assert shown == jobs[::-1]
    assert second["before"] is None


async def test_health_and_metrics_tell_numbers_and_nothing_about_anybody(
    studio: ServedStudio, browser: httpx.AsyncClient
) -> None:
    job = await made(browser, studio)

    health = await browser.get("/healthz")
    metrics = (await browser.get("/metrics")).text

    assert health.json() == {"ok": True, "intake": "open", "waiting": 0}
    assert 'clapper_jobs{state="running"} 0.0' in metrics
    assert job not in metrics
    assert "guest" not in metrics


async def test_the_page_carries_its_script(browser: httpx.AsyncClient) -> None:
    page = (await browser.get("/")).text

    assert "window.Clapper" in page
    assert "studio.js" not in page


async def test_paths_outside_are_not_served(browser: httpx.AsyncClient) -> None:
    outside = ("/studio/..%2ffront.py", "/studio/sign_in.html", "/gradio_api/file=/etc/passwd")
    for address in ("/studio/nothing.js", *outside, "/openapi.json", "/docs"):
        assert (await browser.get(address)).status_code in {403, 404}
    assert (await browser.get("/gradio_api/runs")).status_code == 404
    assert (await browser.get("/monitoring/summary")).status_code >= 400


async def test_an_upload_above_the_limit_is_refused(
    settings_with: Callable[..., Settings], executor: QuickExecutor
) -> None:
    settings = settings_with(studio_port=0, media_megabytes=0.01)
    async with (
        served(settings, executor) as studio,
        httpx.AsyncClient(timeout=60, base_url=studio.url) as http,
    ):
        answer = await http.post("/gradio_api/upload", files={"files": b"x" * 50_000})

    assert answer.status_code == 413


async def test_a_full_disk_takes_no_uploads_and_says_so(
    settings_with: Callable[..., Settings], executor: QuickExecutor
) -> None:
    settings = settings_with(studio_port=0, min_free_megabytes=10**9)
    async with (
        served(settings, executor) as studio,
        httpx.AsyncClient(timeout=60, base_url=studio.url) as http,
    ):
        answer = await http.post("/gradio_api/upload", files={"files": b"x" * 1000})

    assert answer.status_code == 507
    assert "not accepted" in answer.text
    kept = [path for path in (settings.data_dir / "studio").rglob("*") if path.is_file()]
    assert not [path for path in kept if path.stat().st_size == 1000]


async def test_with_a_user_file_nothing_is_shown_before_the_login(
    settings_with: Callable[..., Settings], executor: QuickExecutor, tmp_path: Path
) -> None:
    book = tmp_path / "users"
    add(book, User.of("ada", "correct horse", minutes=2))
    settings = settings_with(studio_port=0, studio_users=book)
    async with (
        served(settings, executor) as studio,
        httpx.AsyncClient(timeout=60, base_url=studio.url) as http,
    ):
        before = await http.get("/studio/state")
        wrong = await http.post("/login", data={"username": "ada", "password": "wrong"})
        right = await http.post("/login", data={"username": "ada", "password": "correct horse"})
        after = await http.get("/studio/state")

    assert before.status_code == 401
    assert wrong.status_code == 400
    assert right.status_code == 200
    assert "2 min 00 s" in after.json()["quota"]["text"]


def test_users_survive_the_file_and_passwords_are_not_in_it(tmp_path: Path) -> None:
    book = tmp_path / "users"
    add(book, User.of("ada", "correct horse"))
    add(book, User.of("ada", "battery staple", 3))
    users = UserFile.load(book)

    assert users.admit("ada", "battery staple")
    assert not users.admit("ada", "correct horse")
    assert not users.admit("bob", "battery staple")
    assert "staple" not in book.read_text()
    assert book.stat().st_mode & 0o077 == 0


async def test_a_taken_port_is_told_with_the_variable_that_changes_it(
    settings_with: Callable[..., Settings], executor: QuickExecutor
) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(BadConfiguration) as caught:
            async with served(settings_with(studio_port=port), executor):
                pass

    assert caught.value.setting == "CLAPPER_STUDIO_PORT"
    assert caught.value.reason == say("studio_port_taken", {"port": port})
