import gc
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from core.settings import Settings
from core.testing.doubles import QuickExecutor
from tests.conftest import forget_environment, settings_in
from tests.support.databases import place_database_of
from webui.testing.server import ServedStudio, served

# gradio and gradio_client never close the event loops of their threads, nor those loops' own
# pairs of sockets (family 1 is AF_UNIX); ours, and every other socket, still count
LITTER = (
    "ignore:unclosed event loop:ResourceWarning",
    r"ignore:unclosed <socket.*family=1,:ResourceWarning",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            for one in LITTER:
                item.add_marker(pytest.mark.filterwarnings(one))


@pytest.fixture(autouse=True)
def plain(no_authorities: None) -> None:
    """All clients of these tests speak plain HTTP."""


@pytest.fixture(scope="session", autouse=True)
def imported_gradio() -> None:
    """What it brings stays until the end: no search for garbage has to go through it."""
    import webui.application  # noqa: F401

    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def litter_of_gradio(request: pytest.FixtureRequest) -> Generator[None]:
    """What Gradio leaves is collected here, where :data:`LITTER` is let pass, not later."""
    yield
    if "standing_studio" not in request.fixturenames:
        gc.collect()


@pytest.fixture
def studio_settings(settings_with: Callable[..., Settings]) -> Settings:
    return settings_with(studio_port=0, max_queued=20)


@pytest.fixture
async def studio(
    studio_settings: Settings, executor: QuickExecutor
) -> AsyncGenerator[ServedStudio]:
    place_database_of(studio_settings)
    async with served(studio_settings, executor) as running:
        yield running


@pytest.fixture(scope="module")
def litter_of_the_standing() -> Generator[None]:
    yield
    gc.collect()  # before a test elsewhere, for which it would count


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def standing_studio(
    litter_of_the_standing: None, tmp_path_factory: pytest.TempPathFactory
) -> AsyncGenerator[ServedStudio]:
    """One Studio for the tests of a module that neither steer its executor nor count its jobs.

    They run in its loop: ``pytest.mark.asyncio(loop_scope="module")``.
    """
    with pytest.MonkeyPatch.context() as patch:
        forget_environment(patch)
        folder = tmp_path_factory.mktemp("standing")
        settings = settings_in(folder, studio_port=0, max_queued=20)
        place_database_of(settings)
        async with served(settings, QuickExecutor()) as running:
            yield running


@asynccontextmanager
async def visiting(studio: ServedStudio) -> AsyncGenerator[httpx.AsyncClient]:
    """One visitor: keeps cookies and sends what our page sends."""
    async with httpx.AsyncClient(
        timeout=60, base_url=studio.url, headers={"X-Clapper": "1"}
    ) as client:
        yield client


@pytest.fixture
def open_studio(standing_studio: ServedStudio, monkeypatch: pytest.MonkeyPatch) -> ServedStudio:
    """The Studio that stands, also after another one was here."""
    uploads = standing_studio.core.settings.uploads_folder
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(uploads))
    return standing_studio


@pytest_asyncio.fixture(loop_scope="module")
async def passer_by(open_studio: ServedStudio) -> AsyncGenerator[httpx.AsyncClient]:
    """Somebody who has not been there."""
    async with visiting(open_studio) as client:
        yield client


@pytest_asyncio.fixture(loop_scope="module")
async def another(open_studio: ServedStudio) -> AsyncGenerator[httpx.AsyncClient]:
    """Somebody else there."""
    async with visiting(open_studio) as client:
        yield client


@pytest.fixture
async def browser(studio: ServedStudio) -> AsyncGenerator[httpx.AsyncClient]:
    async with visiting(studio) as client:
        yield client


@pytest.fixture
async def stranger(studio: ServedStudio) -> AsyncGenerator[httpx.AsyncClient]:
    async with visiting(studio) as client:
        yield client


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    from core.demo.samples import write_png

    return write_png(tmp_path / "picture.png")
