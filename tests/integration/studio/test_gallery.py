"""The gallery's addresses: search, stars, deleting and downloading many, for their owner only."""

import io
import zipfile
from collections.abc import AsyncGenerator

import httpx
import pytest

from tests.integration.studio.test_addresses import made
from webui.testing.server import ServedStudio

OURS = {"X-Clapper": "1"}


@pytest.fixture
async def stranger(studio: ServedStudio) -> AsyncGenerator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=studio.url) as client:
        await client.get("/studio/state")
        yield client


async def shown(client: httpx.AsyncClient, query: str = "") -> list[str]:
    answer = await client.get(f"/studio/history{query}")
    assert answer.status_code == 200
    return [item["id"] for item in answer.json()["items"]]


async def test_the_owner_searches_stars_downloads_and_deletes(
    studio: ServedStudio, browser: httpx.AsyncClient
) -> None:
    first, second = await made(browser, studio), await made(browser, studio)
    assert await shown(browser) == [second, first]
    assert await shown(browser, "?q=KITE&mode=t2v&clips=1") == [second, first]
    assert await shown(browser, "?q=%25") == []

    for verb, left in (("star", [first]), ("unstar", [])):
        answer = await browser.post(
            f"/studio/gallery/{verb}", json={"jobs": [first, "0" * 32]}, headers=OURS
        )
        assert answer.json() == {"jobs": [first]}
        assert await shown(browser, "?starred=1") == left

    everything = await browser.get("/studio/gallery.zip?q=kite")
    assert "attachment" in everything.headers["content-disposition"]
    with zipfile.ZipFile(io.BytesIO(everything.content)) as archive:
        assert archive.testzip() is None
        assert len(archive.namelist()) == 2
        clip = await browser.get(f"/clips/{first}.mp4")
        name = next(name for name in archive.namelist() if first[:8] in name)
        assert archive.read(name) == clip.content
    some = await browser.post("/studio/gallery.zip", data={"jobs": f"{second},{'0' * 32}"})
    assert len(zipfile.ZipFile(io.BytesIO(some.content)).namelist()) == 1

    answer = await browser.post(
        "/studio/gallery/delete", json={"jobs": [first, second]}, headers=OURS
    )
    assert sorted(answer.json()["jobs"]) == sorted([first, second])
    assert await shown(browser) == []
    answer = await browser.post("/studio/gallery/undo", json={"jobs": [second]}, headers=OURS)
    assert answer.json() == {"jobs": [second]}
    assert await shown(browser) == [second]
    await browser.post(f"/studio/jobs/{second}/delete", json={}, headers=OURS)
    await browser.post(f"/studio/jobs/{first}/delete", json={}, headers=OURS)
    assert (await browser.get("/studio/gallery.zip")).status_code == 404


async def test_a_stranger_gets_changes_and_learns_nothing(
    studio: ServedStudio, browser: httpx.AsyncClient, stranger: httpx.AsyncClient
) -> None:
    job = await made(browser, studio)

    assert await shown(stranger) == []
    for verb in ("star", "unstar", "delete", "undo"):
        theirs, none = [
            await stranger.post(f"/studio/gallery/{verb}", json={"jobs": [one]}, headers=OURS)
            for one in (job, "0" * 32)
        ]
        assert theirs.json() == none.json() == {"jobs": []}
    assert (await stranger.post("/studio/gallery.zip", data={"jobs": job})).status_code == 404
    assert (await stranger.get("/studio/gallery.zip")).status_code == 404
    for one in (job, "0" * 32):
        refused = [
            await stranger.get(f"/studio/jobs/{one}/feed"),
            await stranger.post(f"/studio/jobs/{one}/feed/publish", headers=OURS),
            await stranger.post(f"/studio/jobs/{one}/feed/take_down", headers=OURS),
        ]
        assert [answer.status_code for answer in refused] == [404] * 3
        assert {answer.json()["error"]["code"] for answer in refused} == {"job_unknown"}
    assert await shown(browser) == [job]


async def test_other_pages_cannot_change_anything(
    studio: ServedStudio, browser: httpx.AsyncClient
) -> None:
    job = await made(browser, studio)
    bare_headers = {name: value for name, value in browser.headers.items() if name != "x-clapper"}
    browser.headers = httpx.Headers(bare_headers)
    evil = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
    for verb in ("star", "delete"):
        bare = await browser.post(f"/studio/gallery/{verb}", json={"jobs": [job]})
        foreign = await browser.post(
            f"/studio/gallery/{verb}", json={"jobs": [job]}, headers={**OURS, **evil}
        )
        assert (bare.status_code, foreign.status_code) == (403, 403)
    for address in (f"/studio/jobs/{job}/feed/{verb}" for verb in ("publish", "take_down")):
        assert (await browser.post(address)).status_code == 403
        assert (await browser.post(address, headers={**OURS, **evil})).status_code == 403
    saved = await browser.post("/studio/gallery.zip", data={"jobs": job}, headers=evil)
    assert saved.status_code == 403
    assert await shown(browser) == [job]


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("?mode=x2v", "“x2v” is not a known mode"),
        ("?shape=round", "“round” is not a known shape"),
        ("?preset=best", "“best” is not a known preset"),
        ("?before=-1", "“-1” is no value for “before”"),
        ("?before=1e3", "whole number"),
        (f"?q={'a' * 201}", "200 characters is the most"),
    ],
)
async def test_what_no_filter_knows_is_refused_in_words(
    browser: httpx.AsyncClient, query: str, words: str
) -> None:
    addresses = ("/studio/history", *(() if "before" in query else ("/studio/gallery.zip",)))
    for address in addresses:
        answer = await browser.get(f"{address}{query}")
        assert answer.status_code == 400
        assert words in answer.json()["error"]["text"]


async def test_an_archive_of_nothing_says_so(browser: httpx.AsyncClient) -> None:
    whole = await browser.get("/studio/gallery.zip")
    some = await browser.post("/studio/gallery.zip", data={"jobs": "a" * 32})

    for answer in (whole, some):
        assert answer.status_code == 404
        assert answer.json()["error"]["code"] == "archive_empty"
        assert "no clip to download" in answer.json()["error"]["text"]


@pytest.mark.parametrize(
    "body", [{}, {"jobs": []}, {"jobs": "x"}, {"jobs": [1]}, {"jobs": ["a"] * 2001}, {"jobs": [""]}]
)
async def test_bodies_that_name_no_jobs_are_refused(
    browser: httpx.AsyncClient, body: dict[str, object]
) -> None:
    answer = await browser.post("/studio/gallery/delete", json=body, headers=OURS)
    assert answer.status_code == 400
