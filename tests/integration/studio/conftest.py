import gc
from collections.abc import AsyncGenerator, Callable, Generator
from pathlib import Path

import httpx
import pytest

from core.settings import Settings
from core.testing.doubles import QuickExecutor
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
def litter_of_gradio() -> Generator[None]:
    """What Gradio leaves is collected here, where :data:`LITTER` is let pass, not later."""
    yield
    gc.collect()


@pytest.fixture
def studio_settings(settings_with: Callable[..., Settings]) -> Settings:
    return settings_with(studio_port=0, max_queued=20)


@pytest.fixture
async def studio(
    studio_settings: Settings, executor: QuickExecutor
) -> AsyncGenerator[ServedStudio]:
    async with served(studio_settings, executor) as running:
        yield running


@pytest.fixture
async def browser(studio: ServedStudio) -> AsyncGenerator[httpx.AsyncClient]:
    """One visitor: keeps cookies and sends what our page sends."""
    async with httpx.AsyncClient(base_url=studio.url, headers={"X-Clapper": "1"}) as client:
        yield client


@pytest.fixture
async def stranger(studio: ServedStudio) -> AsyncGenerator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=studio.url, headers={"X-Clapper": "1"}) as client:
        yield client


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    from core.testing.doubles import write_png

    return write_png(tmp_path / "picture.png")
