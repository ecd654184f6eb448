"""What a clip came from: relatives, inputs and settings, for its owner only."""

from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.integration.studio.test_addresses import made, ordered
from tests.integration.studio.test_forms import KEY, VALUES, ask, upload
from tests.support.jobs import until_ended
from webui.testing.server import ServedStudio


async def pressed(client: httpx.AsyncClient, studio: ServedStudio, job: str, verb: str) -> str:
    answer = await client.post(f"/studio/jobs/{job}/{verb}", json={})
    assert answer.status_code == 200, answer.text
    await until_ended(studio.core, answer.json()["job"])
    return str(answer.json()["job"])


async def lineage(client: httpx.AsyncClient, job: str) -> tuple[str, list[str]]:
    answer = await client.get(f"/studio/jobs/{job}/lineage")
    assert answer.status_code == 200
    found = answer.json()
    return found["parent"] and found["parent"]["id"], [child["id"] for child in found["children"]]


async def from_picture(client: httpx.AsyncClient, studio: ServedStudio, picture: Path) -> str:
    """A job with a picture and a typed seed, over."""
    await client.get("/studio/state")
    values = {**VALUES, "image": await upload(client, picture), "seed": "77", "lock": True}
    answer = await ask(client, "forms/i2v/generate", values=values, key=KEY)
    job = str(answer.json()["job"])
    await until_ended(studio.core, job)
    return job


async def test_a_clip_knows_its_parent_and_its_children_until_they_are_deleted(
    studio: ServedStudio, browser: httpx.AsyncClient
) -> None:
    first = await made(browser, studio)
    again = await pressed(browser, studio, first, "again")
    better = await pressed(browser, studio, first, "quality")
    last = await pressed(browser, studio, again, "again")

    assert await lineage(browser, first) == (None, [again, better])
    assert await lineage(browser, again) == (first, [last])
    view = (await browser.get(f"/studio/jobs/{first}/lineage")).json()
    assert [child["made_by"] for child in view["children"]] == ["Another take", "Quality pass"]
    await browser.post(f"/studio/jobs/{first}/delete", json={})
    assert await lineage(browser, again) == (None, [last])


async def test_settings_come_back_with_their_files_and_can_be_sent_again_as_they_are(
    studio: ServedStudio, browser: httpx.AsyncClient, picture: Path
) -> None:
    job = await from_picture(browser, studio, picture)

    found = (await browser.post(f"/studio/jobs/{job}/settings")).json()
    values = found["values"] | {role: file["path"] for role, file in found["files"].items()}
    other = await ask(browser, "forms/i2v/generate", values=values, key="f" * 32)

    assert found["mode"] == "i2v"
    assert found["gone"] == []
    assert found["values"]["seed"] == "77"
    assert found["values"]["lock"] is True
    one, two = [await studio.core.jobs.get(name) for name in (job, other.json()["job"])]
    assert one.id != two.id
    assert one.request == two.request


async def test_a_file_that_is_gone_is_named_and_the_rest_comes(
    studio: ServedStudio, browser: httpx.AsyncClient, picture: Path
) -> None:
    job = await from_picture(browser, studio, picture)
    (file,) = (await studio.core.jobs.get(job)).request.files
    (studio.core.settings.data_dir / "media" / file.name).unlink()

    found = (await browser.post(f"/studio/jobs/{job}/settings")).json()
    small = await browser.get(f"/studio/jobs/{job}/inputs/image.jpg")

    assert (found["files"], found["gone"]) == ({}, ["Picture"])
    assert found["values"]["prompt"] == "a boat"
    assert small.status_code == 404


async def test_a_small_picture_of_an_input_is_kept_by_the_browser(
    studio: ServedStudio, browser: httpx.AsyncClient, picture: Path
) -> None:
    job = await from_picture(browser, studio, picture)
    state: dict[str, Any] = (await browser.get(f"/studio/state?job={job}")).json()
    (shown,) = state["job"]["inputs"]

    first = await browser.get(f"/{shown['src']}")
    again = await browser.get(f"/{shown['src']}", headers={"If-None-Match": first.headers["etag"]})

    assert (first.status_code, first.headers["content-type"]) == (200, "image/jpeg")
    assert first.content.startswith(b"\xff\xd8")
    assert "private" in first.headers["cache-control"]
    assert (again.status_code, again.content) == (304, b"")
    assert (await browser.get(f"/studio/jobs/{job}/inputs/audio.jpg")).status_code == 404


async def test_a_stranger_gets_nothing_and_learns_nothing(
    studio: ServedStudio,
    browser: httpx.AsyncClient,
    stranger: httpx.AsyncClient,
    picture: Path,
) -> None:
    job = await from_picture(browser, studio, picture)
    await stranger.get("/studio/state")
    uploads = studio.core.settings.uploads_folder
    before = sorted(uploads.rglob("*"))
    for one in (job, "0" * 32):
        for method, address in (
            ("GET", f"/studio/jobs/{one}/lineage"),
            ("GET", f"/studio/jobs/{one}/inputs/image.jpg"),
            ("POST", f"/studio/jobs/{one}/settings"),
        ):
            answer = await stranger.request(method, address, headers={"X-Clapper": "1"})
            assert answer.status_code == 404
            assert answer.json()["error"]["code"] == "job_unknown"
    assert sorted(uploads.rglob("*")) == before

    bare = httpx.AsyncClient(base_url=studio.url, cookies=dict(browser.cookies))
    async with bare:
        assert (await bare.post(f"/studio/jobs/{job}/settings")).status_code == 403


async def test_nothing_is_said_of_clips_of_others(
    studio: ServedStudio, browser: httpx.AsyncClient, stranger: httpx.AsyncClient
) -> None:
    first = await made(browser, studio)
    theirs = await ordered(stranger, studio)
    async with studio.core.database.transaction() as connection:
        from sqlalchemy import update

        from core.storage.tables import job

        linked = update(job).where(job.c.id == theirs)
        await connection.execute(linked.values(parent_id=first, parent_action="again"))

    assert await lineage(browser, first) == (None, [])
    assert await lineage(stranger, theirs) == (None, [])


@pytest.mark.parametrize("address", ["lineage", "inputs/image.jpg"])
async def test_addresses_of_no_job_are_not_there(browser: httpx.AsyncClient, address: str) -> None:
    assert (await browser.get(f"/studio/jobs/none/{address}")).status_code == 404
