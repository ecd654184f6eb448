import gc
from collections.abc import AsyncGenerator, Callable, Generator
from pathlib import Path

import httpx
import pytest

from core.settings import Settings
from core.testing import QuickExecutor
from webui.testing import ServedStudio, served


@pytest.fixture(autouse=True)
def litter_of_the_toolkit() -> Generator[None]:
    """The page toolkit and its client never close the event loops of their threads.

    They are collected here, where the marks of these tests let the warnings pass, and not later.
    """
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
    from core.testing import write_png

    return write_png(tmp_path / "picture.png")
