"""The page as it goes out: in the reader's language, compressed, with something to see at once."""

import json
import re

import httpx
import pytest

from core.i18n.messages import languages, sentences
from webui.testing.server import ServedStudio

pytestmark = pytest.mark.asyncio(loop_scope="module")  # of the Studio that they share


def parts_of(html: str) -> list[dict[str, object]]:
    found = html.index("window.gradio_config = ") + len("window.gradio_config = ")
    return json.JSONDecoder().raw_decode(html, found)[0]["components"]


async def test_the_whole_page_is_in_the_language_of_its_reader(open_studio: ServedStudio) -> None:
    pages: dict[str, str] = {}
    for language in languages():
        async with httpx.AsyncClient(base_url=open_studio.url) as client:
            answer = await client.get("/", headers={"Accept-Language": f"{language};q=0.9"})
        pages[language] = answer.text
        words = sentences(language)
        assert re.search(
            rf'<html[^>]*lang="{language}" dir="{words["units.direction"]}"', answer.text
        )
        assert f"<title>{words['studio_title']}</title>" in answer.text
        assert "Click to try out the app" not in answer.text
        assert "Accept-Language" in answer.headers["vary"]
        shown = json.dumps(parts_of(answer.text), ensure_ascii=False)
        for code in ("studio_generate", "studio_more", "studio_empty", "studio_queue_empty"):
            assert json.dumps(words[code], ensure_ascii=False)[1:-1] in shown
    numbers = {tuple(part["id"] for part in parts_of(page)) for page in pages.values()}
    assert len(numbers) == 1


async def test_answers_and_refusals_are_in_the_language_of_their_reader(
    open_studio: ServedStudio,
) -> None:
    async with httpx.AsyncClient(base_url=open_studio.url) as client:
        told: list[str] = []
        for language in ("de", "en"):
            headers = {"Accept-Language": language, "X-Clapper": "1"}
            state = await client.get("/studio/state", headers=headers)
            told.append(state.json()["line"])
            gone = await client.post("/studio/jobs/none/cancel", headers=headers)
            told.append(gone.json()["error"]["text"])
    assert told[0] != told[2]
    assert told[1] != told[3]


async def test_programs_find_the_same_api_whatever_they_read(open_studio: ServedStudio) -> None:
    async with httpx.AsyncClient(base_url=open_studio.url) as client:
        german, english = [
            (await client.get("/gradio_api/info", headers={"Accept-Language": one})).json()
            for one in ("de", "en")
        ]
    assert german == english


@pytest.mark.parametrize("path", ["/", "/config", "/gradio_api/info"])
async def test_the_page_and_what_describes_it_are_compressed(
    open_studio: ServedStudio, path: str
) -> None:
    async with httpx.AsyncClient(base_url=open_studio.url) as client:
        for coding in ("br", "gzip"):
            answer = await client.get(path, headers={"Accept-Encoding": coding})
            assert answer.headers["content-encoding"] == coding
            assert int(answer.headers["content-length"]) < 70_000


async def test_nothing_that_a_browser_waits_for_stands_before_the_first_words(
    open_studio: ServedStudio,
) -> None:
    async with httpx.AsyncClient(base_url=open_studio.url) as client:
        html = (await client.get("/")).text
    assert 'id="first"' in html
    styles = re.findall(r'<link rel="stylesheet"[^>]*>', html)
    assert styles
    assert all('media="print"' in style for style in styles)
    assert html.index(styles[0]) < html.index("<body")  # before all that are added later
    blocking = r'<script(?![^>]*(?:type="module"|async|defer))[^>]*src='
    assert not re.search(blocking, html)
