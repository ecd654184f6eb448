import gc
import json
import os
import re
import shutil
import sys
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

import pytest
import pytest_asyncio
from playwright.async_api import Browser, ConsoleMessage, Page, async_playwright, expect
from playwright.async_api import Error as BrowserError

from core.demo.inputs import DemoJob, make_demo_jobs
from core.domain.modes import MODES, Mode
from core.settings import Settings
from tests.conftest import forget_environment, settings_in
from tests.support.settings import changed
from webui.testing.server import ServedStudio, served

CHROMIUM = shutil.which("chromium")
HINT = "needs Debian's chromium: apt-get install -y chromium"
ARTEFACTS = Path(__file__).resolve().parents[2] / "artifacts" / "studio"
expect.set_options(timeout=30_000)  # of a machine that others use as well
FAILED = pytest.StashKey[bool]()
# what the page looks like to itself; for the report of a test that failed
PROBE = """() => ({
  address: location.href, title: document.title, ready: document.readyState,
  script: typeof Clapper, sidebar: document.querySelector(".sidebar")?.className ?? null,
  modes: [...document.querySelectorAll("[id^=mode-]")].map((node) => [node.id, node.ariaCurrent]),
  forms: [...document.querySelectorAll("[id^=go-]")].map((go) => [go.id, go.checkVisibility()]),
  focus: document.activeElement?.outerHTML.slice(0, 200) ?? null,
  text: document.body?.innerText.slice(0, 2000) ?? null,
})"""
# ask for a clip as the form of words alone does, and return its job
SEND = """async ([values, key]) => (await (await fetch("studio/forms/t2v/generate", {method: "POST",
  headers: {"X-Clapper": "1", "Content-Type": "application/json"},
  body: JSON.stringify({key, values})})).json()).job"""
# see the same list of the integration tests
LITTER = (
    "ignore:unclosed event loop:ResourceWarning",
    r"ignore:unclosed <socket.*family=1,:ResourceWarning",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.xdist_group("browser"))
            for one in LITTER:
                item.add_marker(pytest.mark.filterwarnings(one))
            if CHROMIUM is None and not os.environ.get("CI"):
                item.add_marker(pytest.mark.skip(reason=HINT))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.failed:
        item.stash[FAILED] = True
    return report


@pytest.fixture(autouse=True)
def litter_of_gradio() -> Generator[None]:
    """See the same fixture of the integration tests: warnings of Gradio end here."""
    yield
    gc.collect()


@pytest.fixture(scope="module")
def module_settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """The settings of the Studio that the tests of a module share."""
    with pytest.MonkeyPatch.context() as patch:
        forget_environment(patch)
        settings = settings_in(tmp_path_factory.mktemp("studio"))
    return changed(settings, studio_port=0, max_queued=20, prompt_in_metadata=True)


@pytest.fixture(scope="module")
def studio_settings(module_settings: Settings) -> Settings:
    return module_settings


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def studio(studio_settings: Settings) -> AsyncGenerator[ServedStudio]:
    """One Studio for all tests of a module: each visitor has cookies, and so a history, alone."""
    async with served(studio_settings) as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def chromium() -> AsyncGenerator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"],
        )
        yield browser
        await browser.close()


@pytest.fixture(scope="session")
def wishes(tmp_path_factory: pytest.TempPathFactory) -> dict[Mode, DemoJob]:
    return {wish.mode: wish for wish in make_demo_jobs(tmp_path_factory.mktemp("wishes"))}


class Visit:
    """A person with a browser of their own; collects what went wrong in it."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.url = url
        self.errors: list[str] = []
        self.foreign: list[str] = []
        self.console: list[str] = []
        self.lost: list[str] = []  # requests without an answer, or with one of refusal
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("request", lambda request: self._note(request.url))
        page.on("console", self._hear)
        page.on("requestfailed", lambda it: self.lost.append(f"{it.failure} {it.url}"))
        page.on("response", lambda it: it.ok or self.lost.append(f"{it.status} {it.url}"))

    def _hear(self, message: ConsoleMessage) -> None:
        self.console.append(f"{message.type}: {message.text}")
        if message.text.startswith("Error executing"):  # Gradio swallows those of our script
            self.errors.append(message.text)

    def _note(self, url: str) -> None:
        if not url.startswith((self.url, "data:", "blob:")):
            self.foreign.append(url)

    async def open(self, mode: str = "t2v") -> None:
        # at once gone: Gradio reloads a page that lost its stream, also while it is being left
        await self.page.goto("about:blank")
        await self.page.goto(f"{self.url}/?mode={mode}")
        await self.ready(mode)

    async def ready(self, mode: str) -> None:
        await self.page.wait_for_selector(f"#go-{mode}", state="visible")
        await self.page.wait_for_selector(f"#prompt-{mode} textarea", state="visible")
        await self.page.wait_for_selector(f"#mode-{mode}[aria-current=page]", state="attached")

    def form(self, mode: str):  # type: ignore[no-untyped-def]  # playwright's locator
        return self.page.locator("#modes .tabitem", has=self.page.locator(f"#go-{mode}"))

    def seed(self, mode: str):  # type: ignore[no-untyped-def]  # playwright's locator
        return self.page.locator(f"#seed-{mode} :is(input, textarea)")

    async def attach(self, wish: DemoJob) -> None:
        """Put the wish's files into its form, and wait until they are taken in."""
        form = self.form(wish.mode)
        slots = MODES[wish.mode].slots
        for index, slot in reversed(list(enumerate(slots))):  # a filled field may lose its input
            async with self.page.expect_response(re.compile("/upload")):
                field = form.locator("input[type=file]").nth(index)
                await field.set_input_files(wish.files[slot.role])
        if wish.files:  # the card shows the clip then
            await form.locator(".cl-preflight dd").first.wait_for(timeout=20_000)

    async def small(self, mode: str) -> None:
        """The fastest clip: 256×256, one second."""
        form = self.form(mode)
        await form.get_by_text("Fast", exact=True).click()
        await form.get_by_text("More options").click()
        for label in ("Width (px)", "Height (px)"):
            await form.get_by_label(label).fill("256")
        if MODES[Mode(mode)].length_from is not None:
            return
        await form.get_by_label("number input for Length (s)").fill("1")
        await form.get_by_label("number input for Length (s)").press("Tab")

    async def generate(self, mode: str) -> str:
        """Press Generate and return the job's id once the page shows it."""
        async with self.page.expect_response(f"**/forms/{mode}/generate") as answer:
            await self.page.click(f"#go-{mode}")
        job = str((await (await answer.value).json())["job"])
        await self.page.wait_for_url(lambda url: f"job={job}" in url, wait_until="commit")
        return job

    async def send(self, **values: object) -> str:
        """Ask for a clip from words with ``values``, past the form; return the job's id."""
        return str(await self.page.evaluate(SEND, [values, uuid4().hex]))

    async def film(self) -> str:
        """Wait for the player and return the clip's address."""
        await self.page.wait_for_selector("#stage video", timeout=40_000)
        return str(await self.page.locator("#stage video").get_attribute("src"))

    async def shot(self, name: str) -> None:
        ARTEFACTS.mkdir(parents=True, exist_ok=True)
        await self.page.screenshot(path=ARTEFACTS / f"{name}.png", full_page=True)

    async def report(self, name: str) -> None:
        """Leave what a person would look at first after a failure, as artefacts and in the log."""
        state: object = "the page does not answer"
        folder = ARTEFACTS / "failures"
        folder.mkdir(parents=True, exist_ok=True)
        with suppress(BrowserError):
            state = await self.page.evaluate(PROBE)
            (folder / f"{name}.html").write_text(await self.page.content())
            await self.page.screenshot(path=folder / f"{name}.png", full_page=True, timeout=10_000)
        found = {
            "state": state,
            "errors": self.errors,
            "console": self.console[-50:],
            "lost": self.lost[-50:],
            "foreign": self.foreign,
        }
        text = json.dumps(found, indent=1, ensure_ascii=False)
        (folder / f"{name}.json").write_text(text)
        sys.stdout.write(text + "\n")  # pytest shows it below the failure


Visitors = Callable[..., "object"]


@pytest_asyncio.fixture(loop_scope="module")
async def visit(
    request: pytest.FixtureRequest, studio: ServedStudio, chromium: Browser
) -> AsyncGenerator[Callable[..., object]]:
    """Make visitors; each has cookies of their own."""
    visits: list[Visit] = []

    async def make(width: int = 1440, height: int = 900, url: str = "") -> Visit:
        context = await chromium.new_context(viewport={"width": width, "height": height})
        visitor = Visit(await context.new_page(), url or studio.url)
        visits.append(visitor)
        return visitor

    yield make
    node: pytest.Item = request.node
    if node.stash.get(FAILED, False):
        name = re.sub(r"\W+", "-", node.name).strip("-")
        for number, visitor in enumerate(visits, 1):
            await visitor.report(f"{name}-{number}")
    for visitor in visits:
        await visitor.page.context.close()
    for visitor in visits if not node.stash.get(FAILED, False) else ():
        assert visitor.errors == []
        assert visitor.foreign == []
