"""A Studio as on a Space, and what pages of other web sites get of it in a real browser."""

import asyncio
import re
from collections.abc import AsyncGenerator, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect
from sqlalchemy import text

from core.i18n.messages import sentences
from core.settings import Settings
from core.testing.doubles import QuickExecutor, eventually
from tests.support.sites import Site, certificate, chrome, listening, to
from webui.testing.server import ServedStudio, served

pytestmark = pytest.mark.asyncio(loop_scope="module")
STUDIO, EVIL = "ada-clapper.hf.space", "evil.example"
HUB = "huggingface.co"
ATTEMPTS = """async ([base, job]) => {
  const own = {credentials: "include"}, ours = {"X-Clapper": "1"};
  const json = {...own, method: "POST", headers: {"Content-Type": "application/json"}};
  const sheet = new FormData(); sheet.append("files", new Blob(["x"]), "x.png");
  const login = new URLSearchParams({username: "ada", password: "ada"});
  const call = JSON.stringify({data: ["evil", "fast", null, 1, null, "none", 256, 256, null, ""]});
  const wanted = {
    page: ["/", own],
    state: ["/studio/state", own],
    history: ["/studio/history", own],
    kept: ["/studio/kept", own],
    keep: ["/studio/kept", {...json, headers: {...json.headers, ...ours}, body: '{"forms": {}}'}],
    undo: [`/studio/jobs/${job}/undo`, {...own, method: "POST", headers: ours}],
    clip: [`/clips/${job}.mp4`, own],
    config: ["/config", own],
    again: [`/studio/jobs/${job}/again`, {...own, method: "POST", headers: ours}],
    delete: [`/studio/jobs/${job}/delete`, {...own, method: "POST", headers: ours}],
    submit: ["/gradio_api/call/t2v", {...json, body: call}],
    plain: ["/gradio_api/call/t2v", {...own, method: "POST", mode: "no-cors", body: call}],
    upload: ["/gradio_api/upload", {...own, method: "POST", body: sheet}],
    blind: ["/gradio_api/upload", {...own, method: "POST", mode: "no-cors", body: sheet}],
    login: ["/login", {...own, method: "POST", mode: "no-cors", body: login}],
    logout: ["/logout", {...own, mode: "no-cors"}],
    agents: ["/mcp", {...json, body: "{}"}],
  };
  const got = {};
  for (const [name, [path, how]] of Object.entries(wanted)) {
    try { got[name] = (await (await fetch(base + path, how)).text()).slice(0, 200); }
    catch (error) { got[name] = ""; }
  }
  const shown = (tag, path) => new Promise((done) => {
    const node = document.createElement(tag);
    node.onload = node.onloadeddata = () => done("shown");
    node.onerror = () => done("");
    node.src = base + path;
  });
  got.image = await shown("img", `/clips/${job}.png`);
  got.video = await shown("video", `/clips/${job}.mp4`);
  return got;
}"""


@pytest.fixture
def executor() -> QuickExecutor:
    return QuickExecutor()


@pytest_asyncio.fixture(loop_scope="module")
async def space(
    settings_with: Callable[..., Settings], executor: QuickExecutor
) -> AsyncGenerator[ServedStudio]:
    settings = settings_with(
        studio_port=0, studio_mcp=True, space_id="ada/clapper", space_host=STUDIO, max_queued=20
    )
    async with served(settings, executor) as running:
        yield running


async def count(studio: ServedStudio) -> int:
    """How many jobs there are of anybody."""
    async with studio.core.database.transaction() as connection:
        return int((await connection.execute(text("select count(*) from job"))).scalar_one())


async def made(page: Page, studio: ServedStudio) -> str:
    """A finished clip of the person at ``page``."""
    call = """async () => {
      const data = ["mine", "fast", null, 1, null, "none", 256, 256, null, ""];
      const body = JSON.stringify({data});
      const head = {method: "POST", headers: {"Content-Type": "application/json"}, body};
      const {event_id} = await (await fetch("/gradio_api/call/t2v", head)).json();
      return (await fetch(`/gradio_api/call/t2v/${event_id}`)).text();
    }"""
    said = str(await page.evaluate(call))
    job = said.partition('"job":')[2].strip(' "')[:32]

    async def over() -> bool:
        return (await studio.core.jobs.get(job)).state.terminal

    await eventually(over, 30)
    return job


@pytest.mark.parametrize("other", [EVIL, "sibling.hf.space", STUDIO])
async def test_a_foreign_page_reads_makes_and_deletes_nothing(
    space: ServedStudio, tmp_path: Path, other: str
) -> None:
    """The last ``other`` has the Studio's own name and another port: same site, other origin."""
    context, site = certificate(tmp_path, STUDIO), Site()
    async with (
        listening(to(space.url), context) as port,
        listening(site, context) as foreign,
        chrome(tmp_path, cookies=True) as browser,
    ):
        page = await browser.new_page()
        base = f"https://{STUDIO}:{port}"
        await page.goto(f"{base}/?mode=t2v")
        job = await made(page, space)
        await page.goto(f"https://{other}:{foreign}/")

        got = await page.evaluate(ATTEMPTS, [base, job])

        assert {name: value for name, value in got.items() if value} == {}
        assert await count(space) == 1
        assert (await space.core.jobs.get(job)).state == "succeeded"
        site.body = f"<form method=post action='{base}/studio/jobs/{job}/delete'></form>"
        await page.goto(f"https://{other}:{foreign}/")
        async with page.expect_navigation():
            await page.evaluate("document.forms[0].submit()")
        await expect(page.locator("body")).to_contain_text("foreign_page")
        site.body = f"<a href='{base}/?job={job}'>your clip</a>"
        await page.goto(f"https://{other}:{foreign}/")
        await page.get_by_text("your clip").click()
        await expect(page.locator("#history [data-job]")).to_have_count(1)
        await page.goto("about:blank")


async def test_a_name_that_was_led_to_the_studio_shows_nothing(
    space: ServedStudio, tmp_path: Path
) -> None:
    async with (
        listening(to(space.url), certificate(tmp_path, STUDIO)) as port,
        chrome(tmp_path, cookies=True) as browser,
    ):
        page = await browser.new_page()
        answer = await page.goto(f"https://{EVIL}:{port}/")

        assert answer is not None
        assert answer.status == 421
        await expect(page.locator("body")).to_contain_text("unknown_host")


@pytest.mark.parametrize("allowed", [True, False], ids=["allowed", "blocked"])
async def test_in_the_frame_of_a_space_a_clip_is_made_and_shown(
    space: ServedStudio, tmp_path: Path, allowed: bool
) -> None:
    context, hub = certificate(tmp_path, STUDIO), Site()
    hub.body = f"<iframe src='https://{STUDIO}/?mode=t2v' width=1300 height=850></iframe>"
    async with listening(to(space.url), context) as port, listening(hub, context) as outer:
        rules = f"MAP {STUDIO} 127.0.0.1:{port},MAP {HUB} 127.0.0.1:{outer}"
        async with chrome(tmp_path, cookies=allowed, rules=rules) as browser:
            page = await browser.new_page()
            await page.goto(f"https://{HUB}/")
            frame = page.frame_locator("iframe")
            await frame.locator("#prompt-t2v textarea").fill("a boat")
            await frame.locator("#go-t2v").click()
            await expect(frame.locator("#history [data-job]")).to_have_count(1)
            assert await count(space) == 1
            await page.goto("about:blank")


async def test_in_the_frame_of_a_space_questions_bring_in_whose_name_a_gpu_is_lent(
    space: ServedStudio, tmp_path: Path
) -> None:
    """The page around tells it, as it does to Gradio's own client: a token of its visitor."""
    context, hub = certificate(tmp_path), Site()
    hub.body = """<script>addEventListener("message", ({data, source, origin, ports}) => {
      if (data === "supports-zerogpu-headers") source.postMessage(data, origin);
      if (data === "zerogpu-headers") ports[0].postMessage({"X-ZeroGPU-Token": "of-ada"});
    })</script>"""
    hub.body += f"<iframe src='https://{STUDIO}/?mode=t2v' width=1300 height=850></iframe>"
    async with listening(to(space.url), context) as port, listening(hub, context) as outer:
        rules = f"MAP {STUDIO} 127.0.0.1:{port},MAP {HUB} 127.0.0.1:{outer}"
        async with chrome(tmp_path, cookies=True, rules=rules) as browser:
            page = await browser.new_page()

            def named(address: str) -> Callable[[Any], bool]:
                name = "x-zerogpu-token"
                return lambda asked: address in asked.url and asked.headers.get(name) == "of-ada"

            async with page.expect_request(named("/studio/state")):
                await page.goto(f"https://{HUB}/")
            frame = page.frame_locator("iframe")
            await frame.locator("#prompt-t2v textarea").fill("a boat")
            async with page.expect_request(named("/studio/forms/t2v/generate")):
                await frame.locator("#go-t2v").click()


async def test_another_site_cannot_frame_the_studio(space: ServedStudio, tmp_path: Path) -> None:
    context, site = certificate(tmp_path, STUDIO), Site()
    async with (
        listening(to(space.url), context) as port,
        listening(site, context) as foreign,
        chrome(tmp_path, cookies=True) as browser,
    ):
        site.body = f"<iframe src='https://{STUDIO}:{port}/?mode=t2v'></iframe>"
        page = await browser.new_page()
        refused = page.wait_for_event("console", lambda it: "frame-ancestors" in it.text)
        waiting = asyncio.create_task(refused)
        await page.goto(f"https://{EVIL}:{foreign}/")
        await waiting
        await expect(page.frame_locator("iframe").locator("#go-t2v")).to_have_count(0)


async def test_without_any_cookie_a_card_says_what_to_do_and_nothing_is_spent(
    studio: ServedStudio, chromium: Browser
) -> None:
    context = await chromium.new_context(viewport={"width": 1440, "height": 900})
    page = await context.new_page()

    async def forgetting(route: Any) -> None:
        answer = await route.fetch()
        kept = {k: v for k, v in answer.headers.items() if k != "set-cookie"}
        await context.clear_cookies()
        await route.fulfill(response=answer, headers=kept)

    await context.route(re.compile("^(?!.*/(queue/data|heartbeat))"), forgetting)
    await page.goto(f"{studio.url}/?mode=t2v")
    card = page.locator("#stage").get_by_role("alert")
    await expect(card).to_contain_text(sentences("en")["studio_unkept"])
    await page.locator("#prompt-t2v textarea").fill("a boat")
    await page.locator("#go-t2v").click()

    problem = page.locator("#modes").get_by_role("alert").first
    await expect(problem).to_contain_text("nothing was spent")
    assert await count(studio) == 0
    await page.goto("about:blank")
